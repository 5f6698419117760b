"""A selection: which columns of the rows are learnt from, and what those are that nobody should guess."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final, cast

from ..errors import Malformed
from .types import TYPES, Kind


@dataclass(frozen=True, slots=True)
class Selection:
    """The columns to learn from: those named, or all, without those dropped; and the types that were given."""

    types: Mapping[str, Kind] = field(default_factory=dict[str, Kind])
    drop: tuple[str, ...] = ()
    columns: tuple[str, ...] | None = None

    def __bool__(self) -> bool:
        """Whether anything was selected at all."""
        return bool(self.types or self.drop or self.columns is not None)

    def names(self, present: Sequence[str], label: str | None = None) -> list[str]:
        """Which of the columns present are learnt from, in their order; never the one of labels.

        Raises `Malformed` where one that was named is not there.
        """
        for name in (*self.types, *self.drop, *(self.columns or ())):
            if name not in present:
                near = get_close_matches(name, present, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"it has {listed(present)}"
                raise Malformed(f"the data has no column {name!r}; {hint}")
        chosen = [name for name in present if name != label and name not in self.drop]
        if self.columns is not None:
            chosen = [name for name in chosen if name in self.columns]
        if not chosen:
            raise Malformed("no column is left to learn from; name or keep at least one")
        return chosen

    def to_dict(self) -> dict[str, Any]:
        """What was selected, as a job's payload keeps it; empty where nothing was."""
        shown: dict[str, Any] = {"types": dict(self.types), "drop": list(self.drop)}
        shown |= {} if self.columns is None else {"columns": list(self.columns)}
        return {name: value for name, value in shown.items() if value or name == "columns"}


ALL: Final = Selection()
"""All columns, as what they seem to be."""


def selection(
    types: Mapping[str, str] | None = None, drop: Iterable[str] = (), columns: Iterable[str] | None = None
) -> Selection:
    """A selection as people write it. Raises `Malformed` on a type that there is not."""
    known: dict[str, Kind] = {}
    for name, word in (types or {}).items():
        if word not in TYPES:
            raise Malformed(f"column {name!r} cannot be of type {word!r}; its type is number, text or date")
        known[name] = TYPES[word]
    for what, names in (("drop", drop), ("columns", columns)):
        if isinstance(names, str):
            raise Malformed(f"{what} is a list of names, not the text {names!r}; write [{names!r}]")
    return Selection(known, tuple(drop), None if columns is None else tuple(columns))


def selected_by(payload: Any) -> Selection:
    """The selection that a job of labelled rows was asked with."""
    return Selection(payload.types, payload.drop, payload.columns)


def schema_of(
    architecture: Mapping[str, Any], data: Mapping[str, Any] | None, labels: Mapping[str, Kind | None] | None = None
) -> dict[str, Kind]:
    """The columns that a version was trained on and what each holds, as it recorded them; empty where it did not.

    `labels` is the column of labels and what the version learnt them as, None where it does not say.
    """
    known: dict[str, Kind] = {name: kind for name, kind in (labels or {}).items() if kind is not None}
    for told in (architecture.get("config"), data):
        columns: Any = cast("Mapping[str, Any]", told).get("columns") if isinstance(told, Mapping) else None
        if isinstance(columns, list) and (schema := _schema(cast("list[Any]", columns))):
            return schema | known
    return {}


def _schema(columns: list[Any]) -> dict[str, Kind]:
    if not all(isinstance(each, Mapping) and {"name", "type"} <= each.keys() for each in columns):
        return {}
    kinds: dict[str, Kind] = {**TYPES, "array": "array"}
    return {str(each["name"]): kinds[each["type"]] for each in columns if each["type"] in kinds}


def listed(names: Sequence[str]) -> str:
    """Some of the names, quoted, and how many more there are."""
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(map(repr, names[:8])) + more
