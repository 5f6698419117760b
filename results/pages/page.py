"""A report as one self-contained page of HTML, in Chinese or English."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..figures import figure
from ..judging.report import Report
from ..judging.sentences import RATES, Sentences
from . import charts, drawing
from .markdown import cell

if TYPE_CHECKING:
    from jinja2 import Environment


def page(report: Report, title: str | None = None, *, told: Sentences | None = None, drawn: bool = True) -> str:
    """One page that needs no network: styles and charts stand in it, readable on light and dark.

    `drawn` draws the charts, which needs the extra `plot`. Raises `Unavailable` where it is not installed.
    """
    parts = _parts(report, title, told or Sentences(), drawn=drawn)
    return templates().get_template("report.html.j2").render(parts, fonts=drawing.FONTS)


def body(report: Report, figures: Iterable[str] = ()) -> str:
    """What that page says, for a page that has styles of its own: HTML without a style or a script.

    `figures` are its charts, as HTML of that page.
    """
    parts = _parts(report, None, Sentences(), drawn=False)
    return templates().get_template("report_body.html.j2").render(parts | {"figures": list(figures)})


def _parts(report: Report, title: str | None, told: Sentences, *, drawn: bool) -> dict[str, Any]:
    names = charts.charts_of(report) if drawn else ()
    svgs = {name: drawing.svg([charts.chart(report, name, told)]) for name in names}
    shown = [(name, told.word(charts.TITLES[name]), image) for name, image in svgs.items()]
    words = {"title": told.title(report) if title is None else title, "subtitle": told.rows(report)}
    return {"report": report, **words, "told": told, "charts": shown, "figures": (), "rates": RATES}


@lru_cache
def templates() -> Environment:
    """The templates beside this module: HTML, where all words are escaped, and Markdown, which escapes by `cell`."""
    from jinja2 import Environment, PackageLoader

    made = Environment(
        loader=PackageLoader("lepton_ai.results.pages"),
        autoescape=lambda name: name is None or ".html" in name,  # noqa: S701 - Markdown is no HTML
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"figure": figure, "cell": cell, "digits": "{:,}".format}
    return made
