"""`train`, `evaluate`: work on labelled rows from a file, recorded by itself."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from ..errors import Refused
from ..results import Evaluation, Version
from .command import PATIENCE, Session, command
from .shapes import METRICS, VERSION
from .tables import labelled
from .text import columns, dim, figure, title, version

OnEpoch = Callable[[int, Mapping[str, float]], None]


@command(
    {"version": VERSION, "metrics": METRICS},
    "lepton train credit-scoring-model loans.csv --label default",
    "lepton train credit-scoring-model loans.csv --label default --set learning_rate=0.01 --set dropout_rate=0.2",
    "lepton train credit-scoring-model loans.csv --label default --branch risk -m 'with the new columns'",
)
@click.argument("model")
@click.argument("data")
@click.option("--label", required=True, metavar="COLUMN", help="The column that holds the labels.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A hyperparameter; may be repeated.")
@click.option("--name", metavar="NAME", help="The name to keep versions under; MODEL's if left out.")
@click.option("--branch", default="main", show_default=True, metavar="NAME", help="The branch that gets the version.")
@click.option("-m", "--message", default="", metavar="TEXT", help="What this training is for.")
def train(
    session: Session,
    model: str,
    data: str,
    label: str,
    settings: tuple[str, ...],
    name: str | None,
    branch: str,
    message: str,
) -> None:
    """Train a model on the rows of a CSV or Parquet file, and keep it as a version.

    MODEL is one of Lepton's own, such as credit-scoring-model. All columns but the label's are learnt from.
    """
    chosen = [_setting(each) for each in settings]
    rows, labels = labelled(data, label)
    untrained = _untrained(model)
    for key, value in chosen:
        untrained.add_hyperparameter(key, value)
    with _epochs(untrained.hyperparameters.get("epochs")) as on_epoch:
        made = session.manager.train(
            untrained, rows, labels, name=name or untrained.name, branch=branch, message=message, on_epoch=on_epoch
        )
    metrics = dict(session.manager.show(f"{made.model}@{made}").metrics)
    session.answer({"version": made.to_dict(), "metrics": metrics}, lambda: _trained(made, metrics))


@command(
    {"version": VERSION, "name": "text", "performance": {"NAME": "number?"}},
    "lepton evaluate main loans.csv --label default",
    "lepton evaluate production loans.csv --label default --name production",
)
@click.argument("rev")
@click.argument("data")
@click.option("--label", required=True, metavar="COLUMN", help="The column that holds the labels.")
@click.option(
    "--name",
    default="",
    metavar="TEXT",
    help="What the rows are called: validation, production, ...; figures are kept apart by it.",
)
def evaluate(session: Session, rev: str, data: str, label: str, name: str) -> None:
    """Judge a version on the rows of a CSV or Parquet file, and record the figures."""
    rows, labels = labelled(data, label)
    with session.waiting("evaluating"):
        found = session.manager.evaluate(rev, rows, labels, name=name)
    shown = {"version": found.version.to_dict(), "name": found.name, "performance": found.performance.to_dict()}
    session.answer(shown, lambda: _evaluated(found))


def _untrained(name: str) -> Any:
    from difflib import get_close_matches

    from ..models.registry import OWN, registered

    if name not in OWN:
        near = get_close_matches(name, OWN, 1)
        hint = f"did you mean {near[0]}?" if near else f"Lepton knows {', '.join(sorted(OWN))}"
        raise Refused(f"there is no model {name!r} to train; {hint}")
    return registered(name)()


def _setting(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise click.UsageError(f"--set {text!r} sets nothing; write KEY=VALUE", click.get_current_context())
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


@contextmanager
def _epochs(total: Any) -> Generator[OnEpoch | None]:
    """What shows on a terminal how a fit goes, once it has gone on for a second."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    words = TextColumn("{task.description}")
    bar = Progress(
        words, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=Console(stderr=True), transient=True
    )
    task, begun = bar.add_task("training", total=total if isinstance(total, int) else None), time.monotonic()

    def on_epoch(epoch: int, losses: Mapping[str, float]) -> None:
        if not bar.live.is_started and time.monotonic() - begun > PATIENCE:
            bar.start()
        told = "  ".join(f"{name} {value:.4f}" for name, value in losses.items())
        bar.update(task, completed=epoch, description=f"training  {told}")

    try:
        yield on_epoch
    finally:
        bar.stop()


def _trained(made: Version, metrics: Mapping[str, float]) -> Iterator[str]:
    yield f"version {version(made)} of {title(made.model)} on {made.branch}"
    yield from columns([(dim(name), figure(value)) for name, value in sorted(metrics.items())], indent=2)


def _evaluated(found: Evaluation) -> Iterator[str]:
    yield f"version {version(found.version)} of {title(found.version.model)}: {found.performance}"
    figures = found.performance.to_dict()
    yield from columns([(dim(name), figure(value)) for name, value in figures.items()], indent=2)
