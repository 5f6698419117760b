"""What statistics say beside a figure: how sure it is, where it is worst, for whom, and at what price."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from ..answer import Result
from ..contests.effect import Effect
from ..description import Block, Words, grid, section, text
from ..figures import figure
from ..words import language, say, word
from .sentences import RATES, Sentences
from .stored import check_lengths

POWER: Final = 0.8
"""The chance of finding a difference that is there, as Cohen (1988) proposes where nothing else is asked for."""


@dataclass(frozen=True)
class Interval(Result):
    """Where a figure lies with the confidence `level`: from `low` to `high`."""

    low: float
    high: float
    level: float

    def __str__(self) -> str:
        return Sentences().ends(self.low, self.high)


@dataclass(frozen=True)
class PairedTest(Result):
    """Whether two models differ on the same rows; `difference` is the second one's figure minus the first one's."""

    test: str
    figure: str
    difference: float
    low: float | None
    """The interval's lower end at `level`; None where it is not known."""
    high: float | None
    p: float
    """The chance of a difference as large where there is none; two-sided."""
    n: int
    level: float
    effect: Effect | None = None
    """How large the difference is, where the figure has a measure of that."""

    @property
    def beyond_chance(self) -> bool:
        """Whether the difference is larger than chance explains at this level."""
        return self.p <= 1 - self.level

    @property
    def rows_needed(self) -> int | None:
        """How many rows of this kind a difference such as this one takes to be found in four of five samples.

        By the normal approximation from the interval's width; None where there is no interval or no difference.
        """
        from statistics import NormalDist

        if self.low is None or self.high is None or not self.difference or self.high <= self.low:
            return None
        normal = NormalDist()
        reach = normal.inv_cdf((1 + self.level) / 2)
        errors = 2 * reach * abs(self.difference) / (self.high - self.low)
        return math.ceil(self.n * ((reach + normal.inv_cdf(POWER)) / errors) ** 2)

    @property
    def ends(self) -> str:
        """The interval in words, empty where it is not known."""
        return "" if self.low is None else Sentences().ends(self.low, self.high)

    @property
    def method(self) -> str:
        """The name of the test in the language that answers are told in."""
        name, *drawn = self.test.split(", ")
        if language() == "en" or len(drawn) != 2:
            return self.test
        parts = {"name": word(name), "scheme": Sentences().drawn(drawn[0])}
        return str(say("{name}, {scheme}, {draws} draws", **parts, draws=drawn[1].split()[0]))

    def blocks(self) -> Iterator[Block]:
        return iter(self.lines())

    def lines(self) -> Iterator[Words]:
        """The test, and how large the difference is."""
        parts: dict[str, Words | int] = {"figure": self.figure, "difference": f"{self.difference:+.4g}"}
        parts |= {"ends": self.ends or word("interval unknown"), "p": f"{self.p:.2g}", "test": self.method}
        yield say("{figure} {difference} ({ends}), p {p} by {test}", **parts)
        if self.effect is not None:
            yield self.effect.words


@dataclass(frozen=True)
class Slice(Result):
    """Rows that a condition holds for, such as `age <= 25` or `age <= 25, purpose = car`."""

    condition: str
    rows: int
    loss: float
    """The mean loss of its rows."""
    others: float
    """The mean loss of all other rows."""
    p: float
    """The chance that the worst slice of as wide a search is as bad, where the columns say nothing of the loss."""


@dataclass(frozen=True)
class GroupFigures(Result):
    """How one group fared; a rate that none of its rows define is None."""

    group: str
    rows: int
    base_rate: float
    """The share of its rows whose label is positive."""
    selection_rate: float
    true_positive_rate: float | None
    false_positive_rate: float | None
    precision: float | None


@dataclass(frozen=True)
class Gap(Result):
    """How far apart groups are in one measure, its interval, and the chance of such a gap where groups say nothing."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    p: float | None


@dataclass(frozen=True)
class Fairness(Result):
    """Groups side by side, and the gaps between the highest and the lowest of them."""

    groups: tuple[GroupFigures, ...]
    gaps: tuple[Gap, ...]
    level: float
    draws: int

    def plot(self) -> Any:
        """A chart of the groups' rates. Raises `Unavailable` without Altair."""
        from ..pages.charts import of_fairness

        return of_fairness({Sentences().word("group"): self}, Sentences())

    def blocks(self) -> Iterator[Block]:
        told = Sentences()
        rows = ([each.group, *(figure(getattr(each, name)) for name in RATES)] for each in self.groups)
        head = [told.word("group"), *map(told.word, RATES.values())]
        yield grid(rows, head=head, right=range(1, len(head)), indent=2)
        known = [gap for gap in self.gaps if gap.value is not None]
        gaps = ((told.gap(gap, self.level), told.ends(gap.low, gap.high)) for gap in known)
        yield from section(told.word("gaps"), gaps)


@dataclass(frozen=True)
class Bin(Result):
    """Rows whose probabilities lie in one interval; both ends of it from 0 to 1."""

    low: float
    high: float
    rows: int
    probability: float
    """The mean probability."""
    frequency: float
    """The share of rows whose label is 1."""
    least: float
    """The lower end of the frequency's 95 % interval (Wilson 1927)."""
    most: float


@dataclass(frozen=True)
class Calibration(Result):
    """Reliability of a binary classifier's probabilities."""

    bins: tuple[Bin, ...]
    ece: float
    noise: float
    """The 95th percentile of the ECE of labels drawn from these very probabilities: what perfect ones reach too."""

    @property
    def believable(self) -> bool:
        """Whether the error is no more than chance makes of perfect probabilities."""
        return self.ece <= self.noise

    def plot(self) -> Any:
        """A chart of reliability. Raises `Unavailable` without Altair."""
        from ..pages.charts import of_calibration

        return of_calibration(self, Sentences())

    def blocks(self) -> Iterator[Block]:
        told = Sentences()
        yield text(f"  {told.calibration(self)}")
        rows = (
            (told.ends(each.low, each.high), str(each.rows), figure(each.probability), figure(each.frequency))
            for each in self.bins
        )
        head = map(told.word, ("probability", "rows", "mean", "frequency"))
        yield grid(rows, head=head, right=range(1, 4), indent=2)


@dataclass(frozen=True)
class CostCurve(Result):
    """What each threshold costs a row: both of shape (levels,), thresholds falling from above 1 to the least."""

    thresholds: tuple[float, ...]
    costs: tuple[float, ...]

    def __post_init__(self) -> None:
        check_lengths("a curve of costs", self.thresholds, self.costs)

    @property
    def best(self) -> tuple[float, float]:
        """The threshold of least cost and that cost; of equal ones the highest, which calls the fewest rows."""
        place = min(range(len(self.costs)), key=self.costs.__getitem__)
        return self.thresholds[place], self.costs[place]

    def plot(self) -> Any:
        """A chart of the cost by threshold. Raises `Unavailable` without Altair."""
        from ..pages.charts import of_costs

        return of_costs(self, Sentences())

    def blocks(self) -> Iterator[Block]:
        yield text(f"  {Sentences().costs(self)}")
