"""`build`: the best model of a table, found and kept by one command."""

from __future__ import annotations

import sys
from typing import Any

import click

from ...results.shapes.work import BUILD
from ..command import Session, command, importing
from ..completion import data_names, models
from ..revision import branch_option
from .train import chosen_columns, directing, direction, selecting
from .tune import bare_seconds, trial_told


@command(
    BUILD,
    "lepton build loans.csv --label default --trials 2 --candidate linear",
    "lepton build loans.csv --label default --name loans --task binary --metric roc_auc --budget 5s --folds 3",
)
@click.argument("data", shell_complete=data_names)
@click.option("--label", metavar="COLUMN", help="The column that holds the labels; named data know theirs.")
@click.option("--name", metavar="NAME", shell_complete=models, help="What is built; the file's name if left out.")
@click.option(
    "--task", type=click.Choice(("auto", "binary", "multiclass", "regression")), default="auto", show_default=True,
    help="What is predicted; auto goes by the labels.",
)  # fmt: skip
@click.option("--positive", metavar="LABEL", help="Of two classes the positive one; of texts the rarer if left out.")
@click.option("--metric", metavar="NAME", help="What is best: roc_auc, macro_f1 or rmse if left out.")
@directing
@click.option("--budget", metavar="TIME", help="For all of it: 90s, 10m, 2h; 10m where --trials says nothing either.")
@click.option("--trials", type=int, metavar="N", help="Settings that are tried in the end.")
@click.option("--workers", type=int, default=0, metavar="N", help="Trials at a time, as jobs that workers do.")
@click.option("--candidate", "candidates", multiple=True, metavar="KIND", help="Try this kind alone; may be repeated.")
@click.option("--folds", type=int, metavar="N", help="Parts that are judged in turn; 5, of many rows fewer.")
@click.option("--groups", metavar="COLUMN", help="Its values are held out whole; it is not learnt.")
@click.option("--time", metavar="COLUMN", help="Rows are judged by earlier ones; it is not learnt.")
@click.option("--seed", type=int, default=0, show_default=True, metavar="N", help="Of folds, draws and fits.")
@selecting
@branch_option("The branch that gets the version.")
@click.option("-m", "--message", default="", metavar="TEXT", help="What this build is for.")
@importing
def build(
    session: Session,
    data: str,
    label: str | None,
    positive: str | None,
    budget: str | None,
    candidates: tuple[str, ...],
    types: tuple[str, ...],
    drop: tuple[str, ...],
    columns: tuple[str, ...],
    better: tuple[str, ...],
    **asked: Any,
) -> None:
    """Look at a table, find the model that predicts its label best, and keep it as a version.

    Linear models, random forests, gradient boosting and nets are searched and cross-validated on the same folds within
    one budget; the best is fitted to all rows. Run again on the same rows it goes on where it stopped.
    """
    record = session.manager.build(
        data,
        label,
        positive=positive,
        budget=bare_seconds(budget),
        candidates=candidates or None,
        **chosen_columns(types, drop, columns),
        better=dict(direction(each) for each in better),
        on_trial=trial_told if sys.stderr.isatty() else None,
        **asked,
    )
    session.answer(record.to_dict(), record)
