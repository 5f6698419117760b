"""What is allowed and what follows: commands, aggregates, decide and evolve; pure, without I/O or clock.

It imports the types of events, addresses, plain and errors; never the store, the topics or tensors. Begin at
`decide.py`, then `commands.py`; `model/`, `job/` and `run/` hold an aggregate each.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import commands

__all__ = ["commands"]


def __getattr__(name: str) -> Any:
    """The commands, imported when the first one is made: who only reads makes none."""
    if name != "commands":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(".commands", __name__)
