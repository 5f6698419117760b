"""The steps between formats: for each the revision of the tables, and what is changed in their rows.

A step runs in the transaction that upgrades the ledger, with the writers' lock held: it happens whole or not at all.
No step touches the event rows: what the Merkle tree hashes stays as it is, which the upgrade proves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from .statements import Statements

Rows = Callable[[Any, Statements], None]
"""Changes rows of the mutable tables: takes the driver's own connection and the statements in its dialect."""


class Step(NamedTuple):
    """What brings a ledger to a format from the one before it."""

    format: int
    revision: str
    """The file in migrations/versions that brings its tables there, the one before where they stay as they are."""
    rows: tuple[Rows, ...] = ()
    """What is done with its rows afterwards, in order. A fresh ledger has none, and does not run it."""


STEPS: Final = (
    Step(format=2, revision="0002"),
    Step(format=3, revision="0002"),  # version.committed.v2: parents of other models, roles of any name
)


def steps_from(format: int) -> tuple[Step, ...]:
    """The steps that a ledger of a format lacks."""
    return tuple(step for step in STEPS if step.format > format)
