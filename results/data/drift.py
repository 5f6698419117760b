"""How two named data sets differ, column by column: the most drifted first, and what is no more than chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ..answer import Result
from ..description import Block, Words, arrow, dim, grid, text, title
from ..figures import ABSENT, count, figure
from ..words import say, word

MODERATE: Final = 0.1
LARGE: Final = 0.25
"""From which a stability index counts as moderate and as large (Siddiqi 2006)."""
LEAST: Final = 1e-99
"""Chances below are not told apart: no count of rows makes them what they claim to be."""
TESTS: Final = {"ks": "KS", "chi2": "χ²"}


@dataclass(frozen=True)
class ColumnDrift(Result):
    """How one column moved from the first set of rows to the second."""

    name: str
    psi: float | None
    """The population stability index over the first set's bins; None where too little is known."""
    test: str | None
    """ks (Kolmogorov-Smirnov) or chi2; None where nothing could be tested."""
    statistic: float | None
    p: float | None
    """The chance of as large a difference where there is none, corrected for the number of columns (Holm)."""
    missing_before: float
    """The share of rows without a value."""
    missing_after: float
    level: float

    @property
    def beyond_chance(self) -> bool | None:
        """Whether the difference is larger than chance explains; None where that was not tested."""
        return None if self.p is None else self.p < self.level

    @property
    def size(self) -> str:
        """small, moderate or large, by the index; unknown where there is none."""
        if self.psi is None:
            return "unknown"
        return "large" if self.psi >= LARGE else "moderate" if self.psi >= MODERATE else "small"

    @property
    def verdict(self) -> str:
        """What is to be thought of it, in words."""
        if self.beyond_chance is None:
            return f"{self.size}, not tested" if self.psi is not None else "nothing to compare"
        return f"{self.size} drift" if self.beyond_chance else "no drift beyond chance"


@dataclass(frozen=True)
class Drift(Result):
    """How a second set of rows differs from a first."""

    before: str
    after: str
    """The names with their versions."""
    rows_before: int
    rows_after: int
    columns: tuple[ColumnDrift, ...]
    """Those that both have, the most drifted first."""
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]
    other_type: tuple[str, ...]
    """Columns that hold another type now."""
    identifying: tuple[str, ...]
    """Columns that tell rows apart, which are not compared."""
    basis: str
    """rows, or profiles where the rows of one are not at hand."""
    reason: str
    """Why the rows are not at hand."""
    level: float

    @property
    def drifted(self) -> tuple[str, ...]:
        """The columns that moved beyond chance."""
        return tuple(each.name for each in self.columns if each.beyond_chance)

    def blocks(self) -> Iterator[Block]:
        names = {
            "after": title(self.after),
            "before": title(self.before),
            "columns": count(len(self.columns), "column"),
        }
        yield say(self._heading, **names, drifted=str(len(self.drifted)))
        rows = (
            (
                text(each.name, style="bold" if each.beyond_chance else ""),
                figure(None if each.psi is None else round(each.psi, 4)),
                _tested(each),
                _chance(each.p),
                _missing(each),
                text(word(each.verdict), style="yellow bold" if each.beyond_chance else "dim"),
            )
            for each in self.columns
        )
        head = ("column", "psi", "test", "p (Holm)", "missing", "verdict")
        yield grid(rows, head=map(word, head), right=(1, 3), indent=2)
        for said, some in (
            ("only in {name}: {columns}", (self.before, self.only_before)),
            ("only in {name}: {columns}", (self.after, self.only_after)),
            ("of another type in {name}: {columns}", (self.after, self.other_type)),
            ("not compared, for they tell rows apart: {columns}", (self.after, self.identifying)),
        ):
            if some[1]:
                yield dim(str(say(said, name=some[0], columns=", ".join(some[1]))))
        if self.basis == "profiles":
            told = "compared by their profiles, where only levels are tested, for {reason}"
            yield dim(str(say(told, reason=self.reason)))

    @property
    def _heading(self) -> str:
        if self.drifted:
            return "{after} against {before}: {drifted} of {columns} drifted beyond chance"
        if any(each.beyond_chance is None for each in self.columns):
            return "{after} against {before}: no drift beyond chance in what was tested of {columns}"
        return "{after} against {before}: no drift beyond chance in {columns}"


def _tested(column: ColumnDrift) -> Words:
    if column.test is None or column.statistic is None:
        return ABSENT
    return f"{TESTS[column.test]} {figure(round(column.statistic, 4))}"


def _chance(p: float | None) -> str:
    return ABSENT if p is None else "< 1e-99" if p < LEAST else f"{p:.2g}"


def _missing(column: ColumnDrift) -> str:
    before, after = (f"{share * 100:.1f} %" for share in (column.missing_before, column.missing_after))
    return before if before == after else f"{before} {arrow()} {after}"
