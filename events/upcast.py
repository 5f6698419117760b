"""Old types of events brought up to today's: pure functions, one step each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Data = dict[str, Any]
Upcaster = Callable[[Data], tuple[str, Data]]

UPCASTERS: dict[str, Upcaster] = {}
"""From a type that is no longer written to (a newer type, its data). Stored bytes are never touched."""


def upcast(kind: str, data: Data) -> tuple[str, Data]:
    """The type and data that today's code knows, however old the stored ones are."""
    while step := UPCASTERS.get(kind):
        kind, data = step(data)
    return kind, data
