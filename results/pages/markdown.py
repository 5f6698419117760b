"""A report as Markdown, as a pull request or a model card shows it; words of others make no markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from ..figures import figure
from ..judging.report import Report
from ..judging.sentences import RATES, Sentences

_MARKUP: Final = re.compile(r"[\\`*\[\]<|~&]|(?<![^\W_])_|_(?![^\W_])")
"""What makes markup wherever it stands; an underscore within a word makes none."""
_BEGINS: Final = re.compile(r"^(\d*)([#>]|[-+=](?=[-=\s])|(?<=\d)[.)](?=\s))")
"""What makes markup where a line begins."""


def markdown(report: Report, title: str | None = None, *, told: Sentences | None = None) -> str:
    """The figures, verdicts and groups of a report under a title."""
    told = told or Sentences()
    words, rows = told.title(report) if title is None else title, told.rows(report)
    head = [f"## {cell(words)}", "", told.summary(report), "", *([rows, ""] if rows else [])]
    return "\n".join([*head, *parts(report, told)]) + "\n"


def parts(report: Report, told: Sentences, heading: str = "###") -> Iterator[str]:
    """The lines of a report: its table of figures, sentences, slices and groups, these under headings."""
    head = [told.word("figure"), told.word("value"), *([told.interval(report.level)] if report.intervals else [])]
    figures = report.figures.items()
    yield from table(head, ([cell(name), figure(value), *_ends(report, name, told)] for name, value in figures))
    for sentence in (cell(told.positive(report)), *told.of(report)):
        yield from ("", sentence) if sentence else ()
    if report.slices:
        yield from ("", *_slices(report, told, heading))
    for column, fairness in report.fairness.items():
        yield from ("", f"{heading} {told.word('Fairness by {column}', column=cell(column))}", "")
        rows = ([cell(each.group), *(figure(getattr(each, rate)) for rate in RATES)] for each in fairness.groups)
        yield from table([told.word("group"), *map(told.word, RATES.values())], rows)
        known = (gap for gap in fairness.gaps if gap.value is not None)
        yield from ("", *(f"- {told.gap_with_interval(gap, fairness.level)}" for gap in known))


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """The lines of a table."""
    names = list(head)
    yield f"| {' | '.join(names)} |"
    yield f"|{' --- |' * len(names)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def cell(words: str) -> str:
    """Words that make no markup and no line: of a name that a person chose, in a cell of a table."""
    marked = _MARKUP.sub(r"\\\g<0>", " ".join(words.split()))
    return _BEGINS.sub(r"\1\\\2", marked)


def _slices(report: Report, told: Sentences, heading: str) -> Iterator[str]:
    if not report.worst:
        yield told.no_slices(report)
        return
    yield from (f"{heading} {told.word('Slices that do worse')}", "")
    rows = ([cell(s.condition), str(s.rows), figure(s.loss), figure(s.others), figure(s.p)] for s in report.worst)
    yield from table([*map(told.word, ("condition", "rows", "mean loss", "other rows")), "p"], rows)


def _ends(report: Report, name: str, told: Sentences) -> list[str]:
    if not report.intervals:
        return []
    interval = report.intervals.get(name)
    return [told.ends(interval.low, interval.high) if interval else ""]
