"""`train`, `evaluate`: work on labelled rows from a file, done by a worker and recorded by itself."""

from __future__ import annotations

import csv
import json
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ...domain.names import JOB_PREFIX, called_by
from ...errors import Refused
from ...escapes import escaped
from ...results import Evaluation, Version
from ...results.description import Block, Text, dim, grid, number, title
from ...results.figures import figure
from ...results.judging.performance import performance_of
from ...results.shapes.figures import METRICS
from ...results.shapes.names import VERSION
from ...results.shapes.work import JOB
from ...results.words import say, word
from ..command import PATIENCE, Session, command, importing, keyed
from ..completion import data_names, models
from ..completion import jobs as known_jobs
from ..revision import branch_option
from .reporting import on_labelled_rows, report_options, reporting
from .reports import report_files, taken_files

if TYPE_CHECKING:
    from ...results import JobRecord

OnEpoch = Callable[[int, Mapping[str, float]], None]
F = TypeVar("F", bound=Callable[..., Any])


def selecting(function: F) -> F:
    """The options that say which columns are learnt from, and as what."""
    options = (
        click.option(
            "--type",
            "types",
            multiple=True,
            metavar="COLUMN=TYPE",
            help="What a column holds: number, text or date; may be repeated. Else it is what it seems.",
        ),
        click.option("--drop", multiple=True, metavar="COLUMN", help="A column to leave out; may be repeated."),
        click.option(
            "--columns",
            multiple=True,
            metavar="COLUMN,...",
            help="The only columns to learn from, parted by commas (a name with a comma in quotation marks).",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def directing(function: F) -> F:
    """The option that says which way metrics are better."""
    words = "Which way a metric is better, higher or lower, where nobody knows yet; may be repeated."
    return click.option("--better", multiple=True, metavar="METRIC=WAY", help=words)(function)


def limits(function: F) -> F:
    """The options of whatever a worker does."""
    options = (
        click.option("--wait/--detach", default=True, help="Wait for the end, or only ask for the work."),
        click.option(
            "--pool", default="default", show_default=True, metavar="NAME", help="The workers that may do it."
        ),
        click.option("--memory", type=click.IntRange(min=1), metavar="MB", help="Megabytes that it may take."),
        click.option("--time", "seconds", type=float, metavar="SECONDS", help="How long an attempt may take."),
        click.option(
            "--retries", type=click.IntRange(min=0), default=3, metavar="N", help="Attempts that may be lost."
        ),
        click.option(
            "--after",
            multiple=True,
            metavar="JOB",
            shell_complete=known_jobs,
            help="A job that must have finished before; may be repeated.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


@command(
    {"job": JOB, "version?": VERSION, "metrics": METRICS},
    "lepton train credit-scoring-model loans.csv --label default",
    "lepton train credit-scoring-model loans.csv --label default --set learning_rate=0.01 --set dropout_rate=0.2",
    "lepton train credit-scoring-model loans.csv --label default --type kind=text --drop debt",
    "lepton train table-model loans.csv --label default --devices 2",
    "lepton train credit-scoring-model loans.csv --label default --validation later.csv --branch risk -m new --detach",
)
@click.argument("model")
@click.argument("data", shell_complete=data_names)
@click.option("--label", metavar="COLUMN", help="The column that holds the labels; named data know theirs.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A hyperparameter; may be repeated.")
@click.option(
    "--devices", type=click.IntRange(min=1), metavar="N", help="Processes that learn together, as --set devices=N."
)
@selecting
@click.option("--validation", metavar="FILE", help="Rows to validate on; a part of DATA is held out if left out.")
@directing
@click.option(
    "--name", metavar="NAME", shell_complete=models, help="The name to keep versions under; MODEL's if left out."
)
@branch_option("The branch that gets the version.")
@click.option("-m", "--message", default="", metavar="TEXT", help="What this training is for.")
@limits
@importing
@keyed
def train(
    session: Session,
    model: str,
    data: str,
    label: str | None,
    settings: tuple[str, ...],
    devices: int | None,
    types: tuple[str, ...],
    drop: tuple[str, ...],
    columns: tuple[str, ...],
    validation: str | None,
    better: tuple[str, ...],
    name: str | None,
    branch: str,
    message: str,
    wait: bool,
    memory: int | None,
    **limits: Any,
) -> None:
    """Train a model on the rows of a file, a folder of pictures or named data, and keep it as a version.

    MODEL is one of Lepton's own, such as credit-scoring-model. A file is CSV, Parquet, Arrow or NumPy's .npz: a path,
    or an address of s3, gs, az, or of https with its digest; a folder of pictures has one for each class. All columns
    but the label's are learnt from, if none is dropped. A worker does it; where none is there, this command is one
    itself while it waits.
    """
    _check_labelled(data, label)
    chosen = dict(setting(each) for each in settings) | ({} if devices is None else {"devices": devices})
    submitted = session.manager.jobs.train(
        model,
        data,
        label,
        name=name,
        hyperparameters=chosen,
        branch=branch,
        message=message,
        **chosen_columns(types, drop, columns),
        validation=validation,
        better=dict(direction(each) for each in better),
        memory=_bytes(memory),
        **limits,
    )
    with _epochs(chosen.get("epochs")) as on_epoch:
        ended = waited(session, submitted, on_epoch) if wait else submitted
    made = ended.version
    metrics = dict(session.manager.show(f"{made.model}@{made}").metrics) if made else {}
    shown = {"job": ended.to_dict(), "version": made.to_dict() if made else None, "metrics": metrics}
    session.answer(shown, _trained(made, metrics) if made else detached(ended))


@command(
    {"job": JOB, "version?": VERSION, "name": "text", "performance?": {"NAME": "any"}, "files": ["text"]},
    "lepton evaluate main loans.csv --label default",
    "lepton evaluate main loans.csv --label default --html report.html",
    "lepton evaluate production loans.csv --label default --name production",
    "lepton evaluate main loans.csv --label default --slices --cost FN=5",
    "lepton evaluate main quarter",
    "lepton evaluate job:6b7c8d loans.csv --label default --detach",
)
@on_labelled_rows
@click.option(
    "--name",
    default="",
    metavar="TEXT",
    help="What the rows are called: validation, production, ...; figures are kept apart by it.",
)
@selecting
@directing
@reporting
@report_files
@limits
@importing
@keyed
def evaluate(
    session: Session,
    rev: str,
    data: str,
    label: str | None,
    name: str,
    types: tuple[str, ...],
    drop: tuple[str, ...],
    columns: tuple[str, ...],
    better: tuple[str, ...],
    wait: bool,
    memory: int | None,
    pool: str,
    seconds: float | None,
    retries: int,
    after: tuple[str, ...],
    key: str | None,
    **report: Any,
) -> None:
    """Judge a version on the rows of a file, a folder of pictures or named data; record figures, keep a report.

    The rows are read as what the version learnt. --type, --drop and --columns are for a version that recorded no
    columns, as one that was saved by hand. Intervals are those of a bootstrap; `lepton report` shows them again.
    """
    files = taken_files(report)
    if files.named and not wait:
        raise click.UsageError("a report is written at the end; leave --detach out", click.get_current_context())
    _check_labelled(data, label)
    manager, called = session.manager, name or called_by(data)
    judged = None if JOB_PREFIX in rev else manager.show(rev).version
    asked = chosen_columns(types, drop, columns) | {"better": dict(direction(each) for each in better)}
    asked |= {
        "pool": pool,
        "seconds": seconds,
        "retries": retries,
        "key": key,
        "memory": _bytes(memory),
        "after": after,
    }
    job = manager.jobs.evaluate(rev, data, label, name=name, **asked, **report_options(**report))
    with session.waiting("evaluating"):
        ended = waited(session, job, None) if wait else job
    judged = judged or ended.version
    performance = performance_of(ended.figures) if ended.status == "finished" else None
    kept = None
    if performance and judged:
        with suppress(Refused):  # a class that judges itself leaves none
            kept = manager.report(f"{judged.model}@{judged}", called)
    if kept is None and files.named:
        raise Refused("the figures are recorded, and there is no report to write: this version's class judges itself")
    shown = {
        "job": ended.to_dict(),
        "version": judged.to_dict() if judged else None,
        "name": called,
        "performance": performance.to_dict() if performance else None,
        "files": files.write(kept) if kept else [],
    }
    answer = Evaluation(judged, called, performance, kept) if judged and performance else detached(ended)
    session.answer(shown, answer)


def waited(session: Session, job: JobRecord, on_epoch: OnEpoch | None) -> JobRecord:
    """A job at its end. What kept it from a good one raises as `Refused`; Ctrl-C calls it off."""
    from ...jobs.record import finished

    try:
        return finished(session.manager.jobs.wait(job.job, on_epoch=on_epoch))
    except KeyboardInterrupt:
        session.manager.jobs.cancel(job.job, reason="interrupted")
        raise


def detached(job: JobRecord) -> Text:
    """What is said of a job that nobody waits for."""
    how = "job {job} is {status}; `lepton jobs` tells how it goes, `lepton worker` works on it"
    return say(how, job=title(job.job), status=word(job.status))


def _check_labelled(data: str, label: str | None) -> None:
    """Raise a usage error where rows are a file's and nobody said which column holds the labels."""
    if label is None and not called_by(data):
        here = click.get_current_context()
        raise click.UsageError("missing option '--label'", here)


def _bytes(megabytes: int | None) -> int | None:
    return None if megabytes is None else megabytes * 1_000_000


def setting(words: str) -> tuple[str, Any]:
    """A hyperparameter of --set, read as JSON where it is."""
    key, equals, value = words.partition("=")
    if not key or not equals:
        raise click.UsageError(f"--set {words!r} sets nothing; write KEY=VALUE", click.get_current_context())
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def chosen_columns(types: tuple[str, ...], drop: tuple[str, ...], columns: tuple[str, ...]) -> dict[str, Any]:
    """What the options of `selecting` say, as the manager takes it."""
    names = [name for each in columns for name in next(csv.reader([each]))] or None
    return {"types": dict(_type(each) for each in types), "drop": drop, "columns": names}


def direction(words: str) -> tuple[str, str]:
    """A metric of --better, and the way."""
    metric, equals, way = words.rpartition("=")
    if not metric or not equals:
        raise click.UsageError(f"--better {words!r} says no way; write METRIC=higher", click.get_current_context())
    return metric, way


def _type(words: str) -> tuple[str, str]:
    column, equals, kind = words.rpartition("=")
    if not column or not equals:
        raise click.UsageError(f"--type {words!r} gives no type; write COLUMN=TYPE", click.get_current_context())
    return column, kind


@contextmanager
def _epochs(total: Any) -> Generator[OnEpoch | None]:
    """What shows on a terminal how a fit goes, once it has gone on for a second."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    words = TextColumn("{task.description}", markup=False)
    bar = Progress(
        words, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=Console(stderr=True), transient=True
    )
    task, begun = bar.add_task("training", total=total if isinstance(total, int) else None), time.monotonic()

    def on_epoch(epoch: int, losses: Mapping[str, float]) -> None:
        if not bar.live.is_started and time.monotonic() - begun > PATIENCE:
            bar.start()
        shown = "  ".join(f"{escaped(name)} {value:.4f}" for name, value in losses.items())
        bar.update(task, completed=epoch, description=f"training  {shown}")

    try:
        yield on_epoch
    finally:
        bar.stop()


def _trained(made: Version, metrics: Mapping[str, float]) -> Iterator[Block]:
    names = {"version": number(made), "model": title(made.model), "branch": made.branch}
    yield say("version {version} of {model} on {branch}", **names)
    yield grid(((dim(name), figure(value)) for name, value in sorted(metrics.items())), indent=2)
