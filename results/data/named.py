"""What a name of rows stands for: counts, quantiles and common levels a column, and where the rows are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ..answer import Listing, Result
from ..description import Block, Words, dim, grid, joined, text, title
from ..figures import ABSENT, count, figure, first_line, short, size, when
from ..words import say, word

SHOWN: Final = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
"""The quantiles that are shown; the profile has more."""
HOLDS: Final = {"number": "numbers", "category": "texts", "date": "dates", "array": "arrays"}
FEW: Final = 8
"""Levels that are shown in a row of the table; the profile has more."""
ROOM: Final = 24
"""Characters of a level in the table."""


@dataclass(frozen=True)
class ColumnProfile(Result):
    """What is told of a column. A quantile or level that too few rows stand behind is not told."""

    name: str
    type: str
    """number, category or date."""
    missing: int
    distinct: int
    about: bool
    """Whether `distinct` is an estimate."""
    identifies: bool
    """Whether nearly every row has another value, so that none is told."""
    quantiles: tuple[tuple[float, Any], ...] = ()
    """Pairs of a share and the rounded value that so many rows do not exceed."""
    levels: Mapping[str, int] | None = None
    """Rows by level, the commonest first; None where levels are not told."""
    other: int = 0
    """Rows of a level that is not told."""

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> ColumnProfile:
        """A column of a profile as its event has it; what a newer Lepton told of it beside that is passed over."""
        return cls(
            name=told["name"],
            type=told["type"],
            missing=told["missing"],
            distinct=told["distinct"],
            about=told.get("about", False),
            identifies=told.get("identifies", False),
            quantiles=tuple((share, value) for share, value in told.get("quantiles", ())),
            levels=told.get("levels"),
            other=told.get("other", 0),
        )


@dataclass(frozen=True)
class NamedData(Result):
    """A version of a name of rows: which rows they are, what their columns hold, and where they are."""

    name: str
    version: int
    versions: int
    """How many versions the name has."""
    digest: str
    rows: int
    columns: tuple[ColumnProfile, ...]
    labels: ColumnProfile | None
    kept: str | None
    """Digest of what the object store keeps of them, None where it keeps none."""
    bytes: int
    source: str | None
    """Where they lie, for those who may read it; None where they are kept, or lie nowhere."""
    message: str
    actor: str
    named: datetime
    seq: int

    def blocks(self) -> Iterator[Block]:
        numbers = {"name": title(self.name), "version": str(self.version), "versions": str(self.versions)}
        yield say("{name}, version {version} of {versions}", **numbers)
        facts = {"rows": count(self.rows, "row"), "columns": count(len(self.columns), "column"), "digest": self.digest}
        yield grid(
            (
                (dim(word("rows")), say("{rows}, {columns}, digest {digest}", **facts)),
                (dim(word("labels")), self.labels.name if self.labels else word("none")),
                (dim(word("place")), self.place),
                (dim(word("named")), say("{when} by {actor}", when=when(self.named), actor=self.actor)),
                *(((dim(word("message")), self.message),) if self.message else ()),
            ),
            indent=2,
        )
        columns = (*self.columns, *((self.labels,) if self.labels else ()))
        counted = ("column", "holds", "missing", "distinct")
        if measured := [each for each in columns if each.quantiles]:
            told = (_counts(each) + _quantiles(each) for each in measured)
            yield from ("", grid(told, head=(*map(word, counted), *map(_share, SHOWN)), right=range(2, 13), indent=2))
        if levelled := [each for each in columns if each.levels is not None]:
            told = ((*_counts(each), _levels(each)) for each in levelled)
            yield from ("", grid(told, head=map(word, (*counted, "levels")), right=(2, 3), indent=2))
        rest = [each for each in columns if not each.quantiles and each.levels is None]
        if rest:
            told = ((*_counts(each), dim(word(_why(each)))) for each in rest)
            yield from ("", grid(told, head=map(word, (*counted, "not told")), right=(2, 3), indent=2))

    @property
    def place(self) -> Words:
        """Where the rows are, in words."""
        if self.kept:
            return say("kept here, {size} as Parquet", size=size(self.bytes))
        return self.source or text(word("not kept, and in no known place"), style="yellow")


class DataSets(Listing, list[NamedData]):
    """The names of rows, each as what it stands for now."""

    called = "data_sets"

    def blocks(self) -> Iterator[Block]:
        if not self:
            yield word("no data has a name")
            return
        head = ("name", "version", "rows", "columns", "labels", "kept", "digest", "message")
        rows = (
            (
                title(each.name),
                str(each.version),
                f"{each.rows:,}",
                str(len(each.columns)),
                each.labels.name if each.labels else ABSENT,
                size(each.bytes) if each.kept else ABSENT,
                dim(short(each.digest)),
                first_line(each.message),
            )
            for each in self
        )
        yield grid(rows, head=map(word, head), right=(1, 2, 3, 5))


def _counts(column: ColumnProfile) -> tuple[Words, ...]:
    distinct = f"{column.distinct:,}"
    about = f"~{distinct}" if column.about else distinct
    return title(column.name), word(HOLDS[column.type]), f"{column.missing:,}", about


def _quantiles(column: ColumnProfile) -> tuple[Words, ...]:
    known = dict(column.quantiles)
    return tuple(figure(known.get(share)) for share in SHOWN)


def _share(share: float) -> str:
    return f"{share * 100:g} %"


def _levels(column: ColumnProfile) -> Words:
    levels = list((column.levels or {}).items())
    rest = sum(rows for _, rows in levels[FEW:]) + column.other
    shown = [f"{level if len(level) <= ROOM else level[: ROOM - 1] + '…'} ({rows:,})" for level, rows in levels[:FEW]]
    return joined(", ", [*shown, *([str(say("{rows} of others", rows=f"{rest:,}"))] if rest else [])])


def _why(column: ColumnProfile) -> str:
    if column.identifies:
        return "nearly every row has another value"
    return "too few rows share a value"
