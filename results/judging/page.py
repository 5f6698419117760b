"""A report as one self-contained page of HTML, or as Markdown: the same parts, in Chinese or English."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from ..figures import figure
from ..words import Language, word
from . import charts
from .report import Report
from .statistics import Gap

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


def page(report: Report, title: str, subtitle: str = "", *, english: bool = True, drawn: bool = True) -> str:
    """One page that needs no network: styles and charts stand in it, readable on light and dark.

    `drawn` draws the charts, which needs the extra `plot`. Raises `Unavailable` where it is not installed.
    """
    from jinja2 import Environment, PackageLoader

    environment = Environment(loader=PackageLoader("lepton_ai.results.judging"), autoescape=True, trim_blocks=True)
    environment.filters["figure"] = figure
    names = charts.charts_of(report) if drawn else ()
    return environment.get_template("report.html.j2").render(
        report=report,
        title=title,
        subtitle=subtitle,
        told=_Sentences(report, "en" if english else "zh"),
        charts=[(name, charts.svg([charts.chart(report, name, english=english)])) for name in names],
        rates=RATES,
    )


def markdown(report: Report, title: str, subtitle: str = "", *, english: bool = True) -> str:
    """The figures, verdicts and groups of a report as Markdown, as a pull request shows it."""
    return "\n".join(_lines(report, title, subtitle, _Sentences(report, "en" if english else "zh"))) + "\n"


class _Sentences:
    """What a report says, in one language."""

    def __init__(self, report: Report, language: Language) -> None:
        self.language: Language = language
        self._report = report

    def word(self, english: str, **parts: object) -> str:
        """A sentence with its parts in it."""
        return word(english, into=self.language).format(**parts)

    @property
    def summary(self) -> str:
        return self._report.performance.summary(english=self.language == "en")

    @property
    def interval(self) -> str:
        """What the column of intervals is called."""
        return self.word("{level} interval", level=f"{self._report.level:.0%}")

    @property
    def method(self) -> str:
        told = {"scheme": self._report.method, "draws": f"{self._report.draws:,}", "seed": self._report.seed}
        return self.word("Intervals: BCa bootstrap over {scheme}, {draws} draws, seed {seed}", **told)

    @property
    def calibration(self) -> str:
        """Whether the probabilities are to be believed; empty where that was not looked at."""
        if (calibration := self._report.calibration) is None:
            return ""
        told = {"error": figure(calibration.ece), "noise": figure(calibration.noise)}
        if calibration.believable:
            said = "The calibration error {error} is no more than perfect probabilities show by chance ({noise})"
        else:
            said = (
                "The calibration error {error} is more than perfect probabilities show by chance ({noise}): "
                "they are not to be believed"
            )
        return self.word(said, **told)

    @property
    def costs(self) -> str:
        """The least cost; empty where nobody said what errors cost."""
        if self._report.costs is None:
            return ""
        threshold, cost = map(figure, self._report.costs.best)
        return self.word("Least cost a row: {cost} at a threshold of {threshold}", cost=cost, threshold=threshold)

    @property
    def no_slices(self) -> str:
        return self.word("None of {count} slices does worse beyond chance", count=len(self._report.slices))

    def gap(self, gap: Gap, level: float) -> str:
        """A gap between groups, and whether chance explains it."""
        beyond = gap.p is not None and gap.p <= 1 - level
        said = self.word("beyond chance (p {p})" if beyond else "not beyond chance (p {p})", p=figure(gap.p))
        return f"{self.word(GAPS[gap.name])} {figure(gap.value)}: {said}"


def _lines(report: Report, title: str, subtitle: str, told: _Sentences) -> Iterator[str]:
    yield from (f"## {_cell(title)}", "", told.summary, "")
    if subtitle:
        yield from (_cell(subtitle), "")
    head = [told.word("figure"), told.word("value"), *([told.interval] if report.intervals else [])]
    figures = report.performance.to_dict().items()
    yield from _table(head, ([name, figure(value), *_ends(report, name, told)] for name, value in figures))
    sentences = (told.method if report.intervals else "", told.calibration, told.costs)
    yield from (line for sentence in sentences if sentence for line in ("", sentence))
    if report.slices:
        yield from ("", *_slices(report, told))
    for column, fairness in report.fairness.items():
        yield from ("", f"### {told.word('Fairness by {column}', column=_cell(column))}", "")
        rows = ([_cell(each.group), *(figure(getattr(each, rate)) for rate in RATES)] for each in fairness.groups)
        yield from _table([told.word("group"), *map(told.word, RATES.values())], rows)


def _slices(report: Report, told: _Sentences) -> Iterator[str]:
    if not report.worst:
        yield told.no_slices
        return
    yield from (f"### {told.word('Slices that do worse')}", "")
    rows = ([_cell(s.condition), str(s.rows), figure(s.loss), figure(s.others), figure(s.p)] for s in report.worst)
    yield from _table([*map(told.word, ("condition", "rows", "mean loss", "other rows")), "p"], rows)


def _table(head: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _ends(report: Report, name: str, told: _Sentences) -> list[str]:
    if not report.intervals:
        return []
    interval = report.intervals.get(name)
    return [f"{figure(interval.low)} {told.word('to')} {figure(interval.high)}" if interval else ""]


def _cell(words: str) -> str:
    """Words that make no markup: of a name that a person chose, in a cell of a table."""
    marked = "".join(f"\\{letter}" if letter in "\\`*_{}[]<>()#+-.!|" else letter for letter in words)
    return " ".join(marked.split())
