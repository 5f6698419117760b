"""Drift: two named data sets compared column by column, by their rows where these are at hand, else by profiles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from ...errors import Refused, Unavailable
from ...results.data.drift import ColumnDrift, Drift
from ..workspace import Workspace
from .named_data import KnownData, known_data, source_of

if TYPE_CHECKING:
    from ...datasets.columns import Column
    from ...datasets.profiles.drift import Shift

LEVEL: Final = 0.05
"""The chance that anything is called drifted where nothing is."""
LABELS: Final = "labels"
"""What labels are called where the two sets have other names for them."""

Told = Mapping[str, Any]


class Side(NamedTuple):
    """One of two sets: its columns as its profile tells them, and their values where its rows are at hand."""

    known: KnownData
    told: Mapping[str, Told]
    values: Mapping[str, Column] | None
    reason: str

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return cast("int", self.known.rows.event.data["rows"])


def drift(workspace: Workspace, before: str, after: str) -> Drift:
    """How the rows of one name differ from those of another. Raises `Refused` where they have no column in common."""
    ones, others = known_data(workspace, before), known_data(workspace, after)
    labels = _labels(ones, others)
    one, other = _side(workspace, ones, labels), _side(workspace, others, labels)
    if one.values is None or other.values is None:
        one, other = one._replace(values=None), other._replace(values=None)
    shared = [name for name in one.told if name in other.told]
    if not shared:
        raise Refused(f"{ones.words} and {others.words} have no column in common; compare two of the same columns")
    alike = [name for name in shared if one.told[name]["type"] == other.told[name]["type"]]
    telling = [name for name in alike if any(each.told[name].get("identifies") for each in (one, other))]
    compared = [name for name in alike if name not in telling]
    shifts = {name: _shift(one, other, name) for name in compared}
    return Drift(
        before=ones.words,
        after=others.words,
        rows_before=one.rows,
        rows_after=other.rows,
        columns=tuple(sorted(_columns(one, other, shifts), key=_most_drifted)),
        only_before=tuple(name for name in one.told if name not in other.told),
        only_after=tuple(name for name in other.told if name not in one.told),
        other_type=tuple(name for name in shared if name not in alike),
        identifying=tuple(telling),
        basis="profiles" if one.values is None else "rows",
        reason=one.reason or other.reason,
        level=LEVEL,
    )


def _labels(one: KnownData, other: KnownData) -> str | None:
    """What the labels of both are called here; None where not both have some."""
    names = {each.rows.event.label for each in (one, other)}
    return None if None in names else names.pop() if len(names) == 1 else LABELS


def _side(workspace: Workspace, known: KnownData, labels: str | None) -> Side:
    profile, label = cast("dict[str, Any]", known.rows.event.profile), known.rows.event.label
    told: dict[str, Told] = {each["name"]: each for each in profile.get("columns", ())}
    name = labels or label
    if name is not None and profile.get("labels"):
        told[name] = profile["labels"]
    try:
        return Side(known, told, _values(workspace, known, name), "")
    except (Refused, Unavailable) as error:
        return Side(known, told, None, error.fact)


def _values(workspace: Workspace, known: KnownData, name: str | None) -> dict[str, Column]:
    from ...datasets.tables import read_labels, read_table

    data, labels = source_of(workspace, known).split()
    table = read_table(data)
    return table.by_name | ({name: read_labels(labels, table.rows)} if name is not None else {})


def _shift(one: Side, other: Side, name: str) -> Shift:
    from ...datasets.profiles.drift import shift_of_profiles, shift_of_rows

    if one.values is None or other.values is None:
        return shift_of_profiles(one.told[name], other.told[name], (one.rows, other.rows))
    return shift_of_rows(one.values[name], other.values[name])


def _columns(one: Side, other: Side, shifts: Mapping[str, Shift]) -> Iterator[ColumnDrift]:
    from ...evaluation.paired import holm

    tested = [name for name, shift in shifts.items() if shift.p is not None]
    corrected = dict(zip(tested, holm([cast("float", shifts[name].p) for name in tested]), strict=True))
    for name, shift in shifts.items():
        yield ColumnDrift(
            name=name,
            psi=shift.psi,
            test=shift.test,
            statistic=shift.statistic,
            p=corrected.get(name),
            missing_before=one.told[name]["missing"] / one.rows,
            missing_after=other.told[name]["missing"] / other.rows,
            level=LEVEL,
        )


def _most_drifted(column: ColumnDrift) -> tuple[bool, float, str]:
    return not column.beyond_chance, -(column.psi or 0.0), column.name
