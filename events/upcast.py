"""Old types of events brought up to today's: pure functions, one step each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

Data = dict[str, Any]


class Upcaster(NamedTuple):
    """One step: the newer type, and its data from the older one's."""

    to: str
    change: Callable[[Data], Data]


UPCASTERS: dict[str, Upcaster] = {}
"""By the type that is no longer written. Stored bytes are never touched."""


def upcast(kind: str, data: Data) -> tuple[str, Data]:
    """The type and data that today's code knows, however old the stored ones are."""
    while step := UPCASTERS.get(kind):
        kind, data = step.to, step.change(data)
    return kind, data


def stored_names(kind: str) -> tuple[str, ...]:
    """The types that are read as `kind`: itself and all that lead to it."""
    return (kind, *(name for old, step in UPCASTERS.items() if step.to == kind for name in stored_names(old)))
