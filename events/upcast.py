"""Old types of events brought up to today's: pure functions, one step each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

Data = dict[str, Any]


class Upcaster(NamedTuple):
    """One step: the newer type, and its data from the older one's and the stream that it is in."""

    to: str
    change: Callable[[Data, str], Data]


def _parents_of_the_same_model(data: Data, stream: str) -> Data:
    model = stream.removeprefix("model/")
    return data | {"parents": [{"model": model} | parent for parent in data.get("parents", ())]}


UPCASTERS: dict[str, Upcaster] = {
    "lepton.version.committed.v1": Upcaster("lepton.version.committed.v2", _parents_of_the_same_model),
}
"""By the type that is no longer written. Stored bytes are never touched."""


def upcast(kind: str, data: Data, stream: str) -> tuple[str, Data]:
    """The type and data that today's code knows, however old the stored ones are."""
    while step := UPCASTERS.get(kind):
        kind, data = step.to, step.change(data, stream)
    return kind, data


def stored_names(kind: str) -> tuple[str, ...]:
    """The types that are read as `kind`: itself and all that lead to it."""
    return (kind, *(name for old, step in UPCASTERS.items() if step.to == kind for name in stored_names(old)))
