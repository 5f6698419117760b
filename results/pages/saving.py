"""What a report is written as: a page, Markdown, JSON or its charts, by the ending of a file's name."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Final

from ...errors import Malformed
from ..judging.report import Report
from ..judging.sentences import Sentences
from . import charts, drawing


def content(report: Report, path: str | os.PathLike[str], title: str | None = None) -> bytes:
    """What a file of that name holds. Raises `Malformed` on another ending than KINDS has."""
    ending = PurePath(path).suffix.lower()
    if ending not in KINDS:
        raise Malformed(f"{PurePath(path).name} does not say what it is to hold; end it in {', '.join(KINDS)}")
    return KINDS[ending](report, title)


def chart_file(report: Report, path: str | os.PathLike[str], name: str | None = None) -> bytes:
    """A file of one chart, or of all of them. Raises as `charts.chart` and `drawing.draw`."""
    told = Sentences()
    drawn = charts.whole(report, told) if name is None else charts.chart(report, name, told)
    return drawing.drawn(drawing.spec_of([drawn]), drawing.kind_of(PurePath(path)))


def _page(report: Report, title: str | None) -> bytes:
    return report.html(title).encode()


def _markdown(report: Report, title: str | None) -> bytes:
    return report.markdown(title).encode()


def _json(report: Report, _: str | None) -> bytes:
    return json.dumps(report.to_dict(), indent=2, ensure_ascii=False, allow_nan=False).encode()


KINDS: Final[Mapping[str, Callable[[Report, str | None], bytes]]] = {
    ".html": _page,
    ".md": _markdown,
    ".json": _json,
    ".svg": lambda report, _: chart_file(report, "charts.svg"),
    ".png": lambda report, _: chart_file(report, "charts.png"),
}
