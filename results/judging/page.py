"""A report as one self-contained page of HTML, or as Markdown: the same parts, in Chinese or English."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..figures import figure
from . import charts, drawing
from .report import Report
from .sentences import RATES, Sentences


def page(report: Report, title: str, subtitle: str = "", *, english: bool = True, drawn: bool = True) -> str:
    """One page that needs no network: styles and charts stand in it, readable on light and dark.

    `drawn` draws the charts, which needs the extra `plot`. Raises `Unavailable` where it is not installed.
    """
    from jinja2 import Environment, PackageLoader

    environment = Environment(loader=PackageLoader("lepton_ai.results.judging"), autoescape=True, trim_blocks=True)
    environment.filters["figure"] = figure
    told = Sentences("en" if english else "zh")
    names = charts.charts_of(report) if drawn else ()
    return environment.get_template("report.html.j2").render(
        report=report,
        title=title,
        subtitle=subtitle,
        told=told,
        charts=[(name, drawing.svg([charts.chart(report, name, told)])) for name in names],
        rates=RATES,
    )


def markdown(report: Report, title: str, subtitle: str = "", *, english: bool = True) -> str:
    """The figures, verdicts and groups of a report as Markdown, as a pull request shows it."""
    return "\n".join(_lines(report, title, subtitle, Sentences("en" if english else "zh"))) + "\n"


def _lines(report: Report, title: str, subtitle: str, told: Sentences) -> Iterator[str]:
    yield from (f"## {_cell(title)}", "", told.summary(report), "")
    if subtitle:
        yield from (_cell(subtitle), "")
    head = [told.word("figure"), told.word("value"), *([told.interval(report.level)] if report.intervals else [])]
    figures = report.performance.to_dict().items()
    yield from _table(head, ([name, figure(value), *_ends(report, name, told)] for name, value in figures))
    yield from (line for sentence in _sentences(report, told) for line in ("", sentence))
    if report.slices:
        yield from ("", *_slices(report, told))
    for column, fairness in report.fairness.items():
        yield from ("", f"### {told.word('Fairness by {column}', column=_cell(column))}", "")
        rows = ([_cell(each.group), *(figure(getattr(each, rate)) for rate in RATES)] for each in fairness.groups)
        yield from _table([told.word("group"), *map(told.word, RATES.values())], rows)


def _sentences(report: Report, told: Sentences) -> Iterator[str]:
    if report.intervals:
        yield told.method(report)
    if report.calibration is not None:
        yield told.calibration(report.calibration)
    if report.costs is not None:
        yield told.costs(report.costs)


def _slices(report: Report, told: Sentences) -> Iterator[str]:
    if not report.worst:
        yield told.no_slices(report)
        return
    yield from (f"### {told.word('Slices that do worse')}", "")
    rows = ([_cell(s.condition), str(s.rows), figure(s.loss), figure(s.others), figure(s.p)] for s in report.worst)
    yield from _table([*map(told.word, ("condition", "rows", "mean loss", "other rows")), "p"], rows)


def _table(head: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _ends(report: Report, name: str, told: Sentences) -> list[str]:
    if not report.intervals:
        return []
    interval = report.intervals.get(name)
    return [told.ends(interval.low, interval.high) if interval else ""]


def _cell(words: str) -> str:
    """Words that make no markup: of a name that a person chose, in a cell of a table."""
    marked = "".join(f"\\{letter}" if letter in "\\`*_{}[]<>()#+-.!|" else letter for letter in words)
    return " ".join(marked.split())
