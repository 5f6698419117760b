"""`gate`: a version held against requirements before it goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ...results.shapes.judging import GATE
from ..command import Session, command, importing, keyed
from ..completion import data_names, revisions, suites
from ..output import check_place, write
from ..revision import of_model, which_model

F = TypeVar("F", bound=Callable[..., Any])


def requiring(function: F) -> F:
    """The option that says what a version must meet."""
    return click.option(
        "--require",
        multiple=True,
        metavar="EXPR",
        help="What must hold, as docs/expressions.md has it: 'f1 >= against.f1 - 0.01'; may be repeated.",
    )(function)


@command(
    GATE,
    "lepton gate 4 --against production --require 'f1 >= against.f1 - 0.5' --data loans.csv --label default",
    "lepton gate main --require 'f1 > 0.5' --require 'f1 >= parent.f1 - 0.3' --data loans.csv --label default "
    "--name holdout --junit gate.xml --markdown gate.md",
)
@click.argument("rev", shell_complete=revisions)
@click.option(
    "--against", metavar="REV", shell_complete=revisions, help="The version that against. stands for in --require."
)
@requiring
@click.option(
    "--data",
    metavar="DATA",
    shell_complete=data_names,
    help="Judge all sides on these rows first, a file's or named data, and record the figures.",
)
@click.option("--label", metavar="COLUMN", help="The column that holds the labels; named data know theirs.")
@click.option(
    "--name", default="", metavar="TEXT", help="What the rows are called: figures go by it, and are recorded under it."
)
@click.option("--suite", metavar="NAME", shell_complete=suites, help="The gate of this suite, on its rows.")
@click.option("--junit", metavar="FILE", help="Write the gate as JUnit XML, replacing what is there.")
@click.option("--markdown", metavar="FILE", help="Write it as Markdown, as a pull request shows it.")
@which_model
@importing
@keyed
def gate(
    session: Session,
    rev: str,
    against: str | None,
    require: tuple[str, ...],
    data: str | None,
    label: str | None,
    name: str,
    suite: str | None,
    junit: str | None,
    markdown: str | None,
    model: str | None,
    key: str | None,
) -> None:
    """Hold a version against requirements on its figures, and record how that went; exit with 4 if one is not met.

    All sides are judged on the same rows: those of --data, else those that all of them have figures of, by an
    evaluation called --name if one is named; where there are none it exits with 1. parent. stands for the version's
    first parent. What hangs on a figure that is missing is not met. With --suite it is that suite's gate.
    """
    if data is None and label is not None:
        raise click.UsageError("--label is a column of --data; give both", click.get_current_context())
    for place in filter(None, (junit, markdown)):
        check_place(place, force=True)
    asked: dict[str, Any] = {"require": require, "name": name, "suite": suite, "key": key}
    with session.waiting("judging") as progress:
        if data is not None:
            asked |= {"data": data, "labels": label, "progress": progress}
        judged = session.manager.gate(of_model(rev, model), against=of_model(against, model), **asked)
    for place, content in ((junit, judged.junit), (markdown, judged.markdown)):
        if place is not None:
            write(content().encode(), place, force=True)
    session.answer(judged.to_dict(), judged)
    judged.check()
