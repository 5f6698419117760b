"""`report`, `card`: what is known of how a version does, as people and other programs read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from ...errors import Refused
from ...results.shapes.names import VERSION
from ...results.words import say
from ..command import Session, command
from ..completion import revisions
from ..output import check_place, show, write

if TYPE_CHECKING:
    from ...results import Report

F = TypeVar("F", bound=Callable[..., Any])

ENDINGS: Final = {
    "html": (".html", ".htm"),
    "markdown": (".md", ".markdown"),
    "plot": (".svg", ".png", ".html", ".json"),
}
"""What a file's name may end in, by the option that names it."""


@dataclass(frozen=True)
class ReportFiles:
    """The files that a report is written to, whole or not at all."""

    html: str | None = None
    markdown: str | None = None
    plot: str | None = None
    chart: str | None = None
    force: bool = False

    @property
    def named(self) -> dict[str, str]:
        """Each file, by its option."""
        return {name: path for name in ENDINGS if (path := getattr(self, name)) is not None}

    def check(self) -> None:
        """Refuse what cannot be written, before any work is done."""
        if self.chart is not None and self.plot is None:
            raise click.UsageError("--chart says what --plot draws; name a file", click.get_current_context())
        for option, path in self.named.items():
            if PurePath(path).suffix.lower() not in ENDINGS[option]:
                raise Refused(f"--{option} {path} has another ending; end it in {', '.join(ENDINGS[option])}")
            check_place(path, force=self.force)
        if self.html is not None or self.plot is not None:
            from ...results.pages.drawing import check_drawing

            check_drawing()

    def write(self, report: Report) -> list[str]:
        """Write them all, made first, so that none is there where one cannot be; their names."""
        from ...results.pages.saving import chart_file

        made: dict[str, Callable[[str], bytes]] = {
            "html": lambda _: report.html().encode(),
            "markdown": lambda _: report.markdown().encode(),
            "plot": lambda path: chart_file(report, path, self.chart),
        }
        contents = {path: made[option](path) for option, path in self.named.items()}
        for path, content in contents.items():
            write(content, path, force=self.force)
        return [*contents]


def report_files(function: F) -> F:
    """The options that name files for a report."""
    options = (
        click.option("--html", metavar="FILE", help="One page with charts, that needs no network."),
        click.option("--markdown", metavar="FILE", help="Markdown, as a pull request shows it."),
        click.option("--plot", metavar="FILE", help="The charts alone: .svg, .png, .html or .json (Vega-Lite)."),
        click.option("--chart", metavar="NAME", help="The one chart that --plot draws: roc, confusion, residuals, ..."),
        click.option("--force", is_flag=True, help="Replace a FILE where it is there already."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def taken_files(options: dict[str, Any]) -> ReportFiles:
    """The files among a command's options, which are taken out of them; checked."""
    files = ReportFiles(**{each.name: options.pop(each.name) for each in fields(ReportFiles)})
    files.check()
    return files


@command(
    {"version": VERSION, "name?": "text", "report": {"NAME": "any"}, "files": ["text"]},
    "lepton report main",
    "lepton report production --name holdout --html report.html",
    "lepton report main --plot roc.svg --chart roc",
)
@click.argument("rev", default="main", shell_complete=revisions)
@click.option("--name", metavar="TEXT", help="The evaluation's name; else the newest that has a report.")
@report_files
def report(session: Session, rev: str, name: str | None, **options: Any) -> None:
    """Show the report that is kept of a version's evaluation, or write it to files.

    It has the figures with their intervals, and what was asked for with them: calibration, costs, slices, fairness.
    `lepton evaluate` makes one.
    """
    files = taken_files(options)
    version = session.manager.show(rev).version
    kept = session.manager.report(f"{version.model}@{version}", name)
    written = files.write(kept)
    answer = {"version": version.to_dict(), "name": name, "report": kept.to_dict(), "files": written}
    session.answer(answer, say("{files} written", files=", ".join(written)) if written else kept)


@command(
    {"version": VERSION, "language": "text", "metadata": {"NAME": "any"}, "markdown": "text", "file": "text?"},
    "lepton card main",
    "lepton card production -o README.md",
)
@click.argument("rev", default="main", shell_complete=revisions)
@click.option("-o", "--output", metavar="FILE", help="A file, written whole or not at all; else stdout.")
@click.option("--force", is_flag=True, help="Replace FILE where it is there already.")
def card(session: Session, rev: str, output: str | None, force: bool) -> None:
    """Write the model card of a version, in Hugging Face's format, filled from the ledger.

    What it is for, what it learnt from (never values), how it was trained, how it does on which rows with intervals,
    where it came from and its digests. `lepton annotate REV intended_use=... out_of_scope=... limitations=...
    license=...` says what nobody but you knows. No actor and no path is named.
    """
    if output is not None:
        check_place(output, force=force)
    made = session.manager.card(rev)
    answer = made.to_dict() | {"file": output}
    if output is not None:
        write(made.markdown.encode(), output, force=force)
        session.answer(answer, say("{files} written", files=output))
    elif session.as_json:
        session.answer(answer, ())
    else:
        show(made.markdown.encode())
