"""What a report says in words, in Chinese or English: one source for terminal, page and Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ..figures import ABSENT, figure
from ..words import Language, language, word

if TYPE_CHECKING:
    from .report import Report
    from .statistics import Calibration, CostCurve, Gap

RATES: Final = {
    "rows": "rows",
    "base_rate": "base rate",
    "selection_rate": "selection rate",
    "true_positive_rate": "true positive rate",
    "false_positive_rate": "false positive rate",
    "precision": "precision",
}
"""What is told of each group, and what it is called."""
GAPS: Final = {
    "demographic_parity_difference": "difference of selection rates",
    "demographic_parity_ratio": "ratio of selection rates",
    "equal_opportunity_difference": "difference of true positive rates",
    "equalized_odds_difference": "greatest difference of true or false positive rates",
}
_SCHEMES: Final = {"rows": "single rows", "stratified": "rows within their class", "groups": "whole groups"}
"""What the bootstrap draws, by the scheme's name."""


class Sentences:
    """Sentences of one language, that descriptions are told in unless another one is given."""

    def __init__(self, into: Language | None = None) -> None:
        self.language: Language = into or language()

    def word(self, english: str, **parts: object) -> str:
        """A sentence with its parts in it."""
        return word(english, self.language).format(**parts)

    def summary(self, report: Report) -> str:
        """The figures that stand for all of them."""
        return report.performance.summary(english=self.language == "en")

    def title(self, report: Report) -> str:
        """What a report is called where nobody says."""
        return report.of or self.word("Report of an evaluation")

    def rows(self, report: Report) -> str:
        """Which rows it is of; empty where that is unknown."""
        if report.rows is None:
            return ""
        many = report.rows.get("rows")
        counted = "" if many is None else self.word("{rows} rows, ", rows=f"{many:,}")
        return f"{counted}{report.rows['digest']}"

    def interval(self, level: float) -> str:
        """What the column of intervals is called."""
        return self.word("{level} interval", level=f"{level:.0%}")

    def ends(self, low: float | None, high: float | None) -> str:
        """An interval by its ends; a dash where it is not known."""
        return ABSENT if low is None else f"{figure(low)} {self.word('to')} {figure(high)}"

    def of(self, report: Report) -> Iterator[str]:
        """What is said below the figures: how sure they are, whether probabilities hold, what errors cost."""
        if report.intervals:
            yield self.method(report)
        if report.calibration is not None:
            yield self.calibration(report.calibration)
        if report.costs is not None:
            yield self.costs(report.costs)

    def method(self, report: Report) -> str:
        """How the intervals were found."""
        told = {"scheme": self.drawn(report.method), "draws": f"{report.draws:,}", "seed": report.seed}
        return self.word("Intervals: bootstrap over {scheme}, {draws} draws, seed {seed}", **told)

    def drawn(self, method: str) -> str:
        """What the bootstrap draws, by the name of its scheme."""
        scheme, _, length = method.partition(" of ")
        return self.word("blocks of {length}", length=length) if length else self.word(_SCHEMES.get(scheme, scheme))

    def calibration(self, calibration: Calibration) -> str:
        """Whether probabilities are to be believed."""
        if calibration.believable:
            said = "The calibration error {error} is no more than perfect probabilities show by chance ({noise})"
        else:
            said = (
                "The calibration error {error} is more than perfect probabilities show by chance ({noise}): "
                "they are not to be believed"
            )
        return self.word(said, error=figure(calibration.ece), noise=figure(calibration.noise))

    def costs(self, curve: CostCurve) -> str:
        """The least cost, and where it is."""
        threshold, cost = map(figure, curve.best)
        return self.word("Least cost a row: {cost} at a threshold of {threshold}", cost=cost, threshold=threshold)

    def no_slices(self, report: Report) -> str:
        """That the search for slices found nothing."""
        return self.word("None of {count} slices does worse beyond chance", count=len(report.slices))

    def positive(self, report: Report) -> str:
        """Which of two classes that have names is the positive one, empty elsewhere."""
        if report.performance.task != "binary" or report.confusion is None:
            return ""
        classes = report.confusion.classes
        named = len(classes) == 2 and classes != ("0", "1")
        return self.word("Positive class: {name}", name=classes[1]) if named else ""

    def gap_with_interval(self, gap: Gap, level: float) -> str:
        """A gap as one line: how wide it is, whether chance explains it, and its interval."""
        known = "" if gap.low is None else f"; {self.interval(level)} {self.ends(gap.low, gap.high)}"
        return f"{self.gap(gap, level)}{known}"

    def gap(self, gap: Gap, level: float) -> str:
        """A gap between groups, and whether chance explains it."""
        beyond = gap.p is not None and gap.p <= 1 - level
        said = self.word("beyond chance (p {p})" if beyond else "not beyond chance (p {p})", p=figure(gap.p))
        return f"{self.word(GAPS.get(gap.name, gap.name))} {figure(gap.value)}: {said}"
