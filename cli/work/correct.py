"""`calibrate`: a version of the same parameters whose probabilities are corrected on labelled rows."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Literal

import click

from ...escapes import escaped
from ...results.description import number, title
from ...results.figures import figure
from ...results.words import say
from ..command import Session, command, keyed
from ..completion import revisions
from ..revision import branch_option
from ..shapes import VERSION


@command(
    {"version": VERSION, "method": "text", "before": "number", "after": "number", "rows": "number"},
    "lepton calibrate production later.csv --label default --branch calibrated",
    "lepton calibrate production later.csv --label default --branch calibrated --method isotonic -m 'on June'",
)
@click.argument("rev", shell_complete=revisions)
@click.argument("data")
@click.option("--label", required=True, metavar="COLUMN", help="The column that holds the labels.")
@click.option(
    "--method",
    type=click.Choice(["temperature", "isotonic"]),
    default="temperature",
    show_default=True,
    help="One number that logits are divided by, or a rising line, which needs more rows.",
)
@branch_option("The branch that gets the version.")
@click.option("-m", "--message", default="", metavar="TEXT", help="What was done.")
@keyed
def calibrate(
    session: Session,
    rev: str,
    data: str,
    label: str,
    method: Literal["temperature", "isotonic"],
    branch: str,
    message: str,
    key: str | None,
) -> None:
    """Correct a version's probabilities on the rows of a CSV, Parquet or Arrow file, and keep that as a version.

    The new version has REV as its parent and the same parameters, of which no byte is written again. What it calls each
    row stays as it was; its probabilities are corrected wherever it is loaded. The error after is measured on rows that
    the correction was not fitted on. Give rows that REV never learnt from.
    """
    with session.waiting("calibrating"), remarked():
        made = session.manager.calibrate(rev, data, label, method=method, branch=branch, message=message, key=key)
    notes = session.manager.show(f"{made.model}@{made}").annotations
    before, after, rows = (notes[name] for name in ("ece_before", "ece_after", "calibrated_on"))
    told: dict[str, Any] = {"method": method, "before": before, "after": after, "rows": rows}
    words = (
        "expected calibration error {before} before and {after} after, kept on {branch} of {model} as version {version}"
    )
    names: dict[str, Any] = {"branch": branch, "model": title(made.model), "version": number(made)}
    session.answer({"version": made.to_dict()} | told, say(words, before=figure(before), after=figure(after), **names))


@contextmanager
def remarked() -> Generator[None]:
    """What is suspicious about rows that are read meanwhile is said on stderr, a sentence each."""
    from ...datasets.examination import noted

    with noted() as remarks:
        yield
    for remark in remarks:
        click.echo(f"{click.style('lepton:', fg='yellow')} {escaped(remark)}", err=True)
