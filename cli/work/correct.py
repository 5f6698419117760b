"""`calibrate`, `threshold`, `robustness`: a version mended on labelled rows, and tried on rows that are perturbed."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Literal

import click

from ...escapes import escaped
from ...results.description import number, title
from ...results.figures import figure
from ...results.shapes.judging import ROBUSTNESS
from ...results.shapes.names import VERSION
from ...results.words import say
from ..command import Session, command, importing, keyed
from ..revision import branch_option
from .reporting import cost, on_labelled_rows


@command(
    {"version": VERSION, "method": "text", "before": "number", "after": "number", "rows": "number"},
    "lepton calibrate production later.csv --label default --branch calibrated",
    "lepton calibrate production later.csv --label default --branch calibrated --method isotonic -m 'on June'",
)
@on_labelled_rows
@click.option(
    "--method",
    type=click.Choice(["temperature", "isotonic"]),
    default="temperature",
    show_default=True,
    help="One number that logits are divided by, or a rising line, which needs more rows.",
)
@branch_option("The branch that gets the version.")
@click.option("-m", "--message", default="", metavar="TEXT", help="What was done.")
@importing
@keyed
def calibrate(
    session: Session,
    rev: str,
    data: str,
    label: str | None,
    method: Literal["temperature", "isotonic"],
    branch: str,
    message: str,
    key: str | None,
) -> None:
    """Correct a version's probabilities on the rows of a file or of named data, and keep that as a version.

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


@command(
    {"version": VERSION, "threshold": "number", "before": "number", "after": "number", "rows": "number"},
    "lepton threshold production later.csv --label default --cost FN=5 --branch cheaper",
)
@on_labelled_rows
@click.option(
    "--cost",
    "costs",
    multiple=True,
    required=True,
    metavar="KIND=COST",
    help="Of FP, FN, TP or TN; may be repeated. An error that is not named costs 1.",
)
@branch_option("The branch that gets the version.")
@click.option("-m", "--message", default="", metavar="TEXT", help="What was done.")
@keyed
def threshold(
    session: Session,
    rev: str,
    data: str,
    label: str | None,
    costs: tuple[str, ...],
    branch: str,
    message: str,
    key: str | None,
) -> None:
    """Move a version's threshold to the one that costs least on labelled rows, and keep that as a version.

    The new version has REV as its parent and differs from it in its threshold alone, as credit models have one. The
    costs told are of these rows, on which the threshold was chosen.
    """
    asked: dict[str, Any] = {"costs": dict(map(cost, costs)), "branch": branch, "message": message, "key": key}
    with session.waiting("looking for the threshold"), remarked():
        made = session.manager.best_threshold(rev, data, label, **asked)
    record = session.manager.show(f"{made.model}@{made}")
    before, after, rows = (record.annotations[name] for name in ("cost_before", "cost_after", "chosen_on"))
    told = {"threshold": record.settings["threshold"], "before": before, "after": after, "rows": rows}
    words = "a row costs {before} before and {after} after, kept on {branch} of {model} as version {version}"
    names: dict[str, Any] = {"branch": branch, "model": title(made.model), "version": number(made)}
    session.answer({"version": made.to_dict()} | told, say(words, before=figure(before), after=figure(after), **names))


@command(
    ROBUSTNESS,
    "lepton robustness production loans.csv --label default --draws 50",
    "lepton robustness 4 loans.csv --label default --draws 50 --metric roc_auc",
)
@on_labelled_rows
@click.option("--metric", metavar="NAME", help="The figure to look at; else the one that stands for the task.")
@click.option(
    "--draws",
    type=click.IntRange(2, 100_000),
    default=200,
    show_default=True,
    metavar="N",
    help="Draws of the bootstrap that gives intervals.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N", help="Of chance.")
@importing
def robustness(
    session: Session, rev: str, data: str, label: str | None, metric: str | None, draws: int, seed: int
) -> None:
    """Show how a version does on labelled rows whose inputs are wrong, the worst first.

    Values go missing at random and each column whole, numbers are shifted, rescaled and noisy by fractions of their
    spread, categories are unknown or swapped. Differences are to the same rows as they are, by paired bootstraps, and
    chances are corrected for all that was tried. Nothing is recorded.
    """
    with session.waiting("perturbing"), remarked():
        found = session.manager.robustness(rev, data, label, metric=metric, draws=draws, seed=seed)
    session.answer(found.to_dict(), found)


@contextmanager
def remarked() -> Generator[None]:
    """What is suspicious about rows that are read meanwhile is said on stderr, a sentence each."""
    from ...datasets.examination import noted

    with noted() as remarks:
        yield
    for remark in remarks:
        click.echo(f"{click.style('lepton:', fg='yellow')} {escaped(remark)}", err=True)
