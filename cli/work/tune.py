"""`tune`, `studies`: searches of hyperparameters, gone on with where they stopped, and how they stand."""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ...building.search.names import PRUNERS, SAMPLERS
from ...errors import Malformed
from ...permissions import denied
from ...results.shapes.work import STUDIES_OR_ONE, STUDY
from ..command import Session, command, importing, keyed
from ..completion import data_names, models
from ..revision import branch_option
from .train import chosen_columns, directing, direction, selecting, setting


@command(
    STUDY,
    "lepton tune credit-scoring-model loans.csv --label default --trials 3",
    "lepton tune credit-scoring-model loans.csv --label default --space space.toml --trials 2 --keep 2 --study small",
    "lepton tune credit-scoring-model loans.csv --label default --metric f1 --metric brier --trials 2 --study two",
)
@click.argument("model")
@click.argument("data", shell_complete=data_names)
@click.option("--label", metavar="COLUMN", help="The column that holds the labels; named data know theirs.")
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="What is searched for; may be repeated.")
@click.option(
    "--trials", type=int, metavar="N", help="Trials that the study has in the end, 50 where nothing bounds it."
)
@click.option("--budget", metavar="TIME", help="No trial begins after it: 90s, 10m, 2h.")
@click.option("--workers", type=int, default=0, metavar="N", help="Trials at a time, as jobs that workers do.")
@click.option("--space", type=click.Path(dir_okay=False), metavar="FILE", help="What is searched, in TOML or JSON.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A hyperparameter that is not searched.")
@click.option("--sampler", type=click.Choice(SAMPLERS), default="tpe", show_default=True, help="What draws trials.")
@click.option("--pruner", type=click.Choice(PRUNERS), default="none", show_default=True, help="What ends some early.")
@click.option("--seed", type=int, default=0, show_default=True, metavar="N", help="Of the draws.")
@click.option("--warm", type=int, default=0, metavar="N", help="Begin with the N newest versions of the model.")
@click.option("--keep", type=int, default=1, show_default=True, metavar="N", help="The best trials become versions.")
@click.option("--study", metavar="NAME", help="The study's name; the model's if left out.")
@selecting
@click.option("--validation", metavar="FILE", help="Rows to validate on; a part of DATA is held out if left out.")
@directing
@click.option(
    "--name", metavar="NAME", shell_complete=models, help="The name to keep versions under; MODEL's if left out."
)
@branch_option("The branch that gets the versions.")
@click.option("-m", "--message", default="", metavar="TEXT", help="What this search is for.")
@importing
def tune(
    session: Session,
    model: str,
    data: str,
    label: str | None,
    metrics: tuple[str, ...],
    budget: str | None,
    space: str | None,
    settings: tuple[str, ...],
    types: tuple[str, ...],
    drop: tuple[str, ...],
    columns: tuple[str, ...],
    better: tuple[str, ...],
    **asked: Any,
) -> None:
    """Search the hyperparameters of a model for the best metric, and keep the best trial as a version.

    MODEL and DATA are as `lepton train` has them. Without --space that is searched which `lepton library MODEL` says.
    Run again it goes on where it stopped, whatever stopped it. With --workers each trial is a job.
    """
    record = session.manager.tune(
        model,
        data,
        label,
        metric=metrics or None,
        budget=bare_seconds(budget),
        space=None if space is None else _space(space),
        hyperparameters=dict(setting(each) for each in settings),
        **chosen_columns(types, drop, columns),
        better=dict(direction(each) for each in better),
        on_trial=trial_told if sys.stderr.isatty() else None,
        **asked,
    )
    session.answer(record.to_dict(), record)


@command(
    STUDIES_OR_ONE,
    "lepton studies",
    "lepton studies credit-scoring-model",
    "lepton studies credit-scoring-model --stop",
)
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--stop", is_flag=True, help="End its search behind the trials that are at work.")
@keyed
def studies(session: Session, name: str | None, stop: bool, key: str | None) -> None:
    """List the searches, the newest first, or show the trials of one.

    A search that is stopped waits for its trials at work, keeps its best and says so. `lepton tune` goes on with it.
    """
    if name is None:
        if stop:
            raise Malformed("nothing says which search is to end; give the study's name")
        records = session.manager.studies()
        session.answer({**records.to_dict(), "study": None}, records)
    else:
        record = session.manager.stop_study(name, key=key) if stop else session.manager.show_study(name)
        session.answer({"studies": None, "study": record}, record)


def trial_told(number: int, status: str, values: Sequence[float] | None) -> None:
    """One line a trial on a terminal, beside what is answered."""
    figures = ", ".join(f"{value:.5g}" for value in values or ())
    click.echo(f"trial {number} {status}{': ' if figures else ''}{figures}", err=True)


def bare_seconds(budget: str | None) -> float | str | None:
    """A budget as the manager takes it: a bare number is seconds."""
    try:
        return None if budget is None else float(budget)
    except ValueError:
        return budget


def _space(path: str) -> Any:
    """What a file says is searched. Raises `Malformed` where it is no TOML or JSON."""
    try:
        text = Path(path).read_text("utf-8")
    except OSError as error:
        raise denied(error, path, "read") from error
    except UnicodeDecodeError:
        raise Malformed(f"{path} is no text; write the space as TOML or JSON") from None
    try:
        return json.loads(text) if path.endswith(".json") else tomllib.loads(text)
    except ValueError as error:
        raise Malformed(f"{path} is no {'JSON' if path.endswith('.json') else 'TOML'}: {error}") from None
