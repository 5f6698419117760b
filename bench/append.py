"""Appends on SQLite at synchronous=FULL: Lepton's admission beside pyeventsourcing 9.5.6 and beside the bare insert.

Each stores events of the same size, one a transaction and a hundred a transaction, in turn, in one run. Lepton decides,
orders, hashes, seals and remembers its key besides; pyeventsourcing maps an aggregate's event to JSON and inserts it.
"""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate
from eventsourcing.domain import event as mutates
from eventsourcing.sqlite import SQLiteDatastore

from lepton_ai.domain.commands import Annotate, Commit, LogMetrics, StartRun, Stored
from lepton_ai.domain.model.recipe import Recipe
from lepton_ai.events.actor import Actor
from lepton_ai.events.run import MetricsLogged
from lepton_ai.events.sql.actors import Actors
from lepton_ai.events.sql.address import database_at
from lepton_ai.events.sql.creation import open_or_create
from lepton_ai.events.sql.store import Store
from lepton_ai.ledger import Ledger, Request
from lepton_ai.wiring import Home

SIZE = 750
"""Bytes of each stored event."""
RUNS = 5
ALONE, BATCHES, BATCH = 400, 10, 100

Act = Callable[[int], object]
"""Stores what there is to store for the nth time."""


class Noted(Aggregate):
    """pyeventsourcing's side: an aggregate with one kind of event."""

    @mutates("Annotated")
    def annotate(self, name: str, text: str) -> None:
        """Put a note."""


def lepton(folder: Path, close: ExitStack) -> dict[str, tuple[Act, int]]:
    """A command of one event; a hundred such commands in one transaction; one command of a hundred events."""
    database = database_at(f"sqlite:///{folder / 'lepton.db'}", "main", wait=10)
    close.callback(database.close)
    open_or_create(database, lambda: str(uuid4()))
    store = Store(database)
    ledger, actor = Ledger(store), Actors(database).named("bench")
    ledger.admit(_first_commit(), actor)
    ledger.admit(StartRun(run="r", model="credit"), actor)

    def note(n: int, text: str = "") -> Annotate:
        return Annotate(model="credit", version=1, annotations={"n": f"{n:012d}{text}"})

    def stored(command: Any) -> int:
        return len(store.read(ledger.admit(command, actor).events[-1].seq - 1, 1)[0].envelope)

    text = "x" * (SIZE - stored(note(-1)))
    assert stored(note(-2, text)) == SIZE

    together = batches(ledger, actor)

    return {
        "Lepton, a command of one event": (lambda n: ledger.admit(note(n, text), actor), 1),
        f"Lepton, {BATCH} commands a transaction": (
            lambda n: ledger.admit_all(Request(note(n * BATCH + m, text), actor) for m in range(BATCH)),
            BATCH,
        ),
        f"Lepton, a command of {BATCH} events": (
            lambda _: together(BATCH),
            BATCH,
        ),
    }


def batches(ledger: Ledger, actor: Actor, run: str = "r") -> Callable[[int], int]:
    """Appends that many events of `SIZE` bytes to a run as one command; returns the last `seq`."""

    def blocks(name: str, count: int) -> LogMetrics:
        now = datetime.now(UTC)
        one = [MetricsLogged(names=(name,), steps=(n,), values=(0.5,), times=(now,)) for n in range(100, 100 + count)]
        return LogMetrics(run=run, blocks=tuple(one))

    def length(name: str) -> int:
        return len(ledger.store.read(ledger.admit(blocks(name, 1), actor).events[-1].seq - 1, 1)[0].envelope)

    name = "x" * (SIZE + 1 - length("x"))
    assert length(name) == SIZE
    return lambda count: ledger.admit(blocks(name, count), actor).events[-1].seq


def lepton_events(home: Home) -> Callable[[int], int]:
    """As `batches`, on a home's ledger, whose model credit has one version."""
    work = home.workspace
    actor = work.actors.named(work.actor)
    if not home.store.stream("run/r")[0]:
        work.ledger.admit(_first_commit(), actor)
        work.ledger.admit(StartRun(run="r", model="credit"), actor)
    return batches(work.ledger, actor)


def pyeventsourcing(folder: Path, close: ExitStack) -> dict[str, tuple[Act, int]]:
    """An application that saves an aggregate with one new event, or with a hundred."""
    path = str(folder / "other.db")
    environment = {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": path}
    application: Application[Any] = Application(environment)
    close.callback(application.close)
    datastore: SQLiteDatastore = application.factory.datastore  # type: ignore[attr-defined]
    with datastore.get_connection(commit=True) as connection:
        cursor = connection.cursor()
        for pragma, expected in (("journal_mode", "wal"), ("synchronous", 2)):
            cursor.execute(f"PRAGMA {pragma}")
            assert cursor.fetchone()[0] == expected
    aggregate = Noted()
    aggregate.annotate("n", "")
    application.save(aggregate)
    empty = max(len(each.state) for each in application.recorder.select_events(aggregate.id, gt=1))
    text = "x" * (SIZE - empty - 12)

    def save(first: int, count: int) -> None:
        for n in range(first, first + count):
            aggregate.annotate("n", f"{n:012d}{text}")
        application.save(aggregate)

    return {
        "pyeventsourcing, a save of one event": (lambda n: save(n, 1), 1),
        f"pyeventsourcing, a save of {BATCH} events": (lambda n: save(n * BATCH, BATCH), BATCH),
    }


def bare(folder: Path, close: ExitStack) -> dict[str, tuple[Act, int]]:
    """sqlite3 alone, into the columns and indexes of Lepton's event table."""
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    close.callback(connection.close)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(
        "CREATE TABLE events (seq INTEGER PRIMARY KEY, stream TEXT, version INTEGER, type TEXT, leaf BLOB,"
        " envelope BLOB, key TEXT UNIQUE, digest TEXT, span INTEGER, UNIQUE (stream, version))"
    )
    seq = 0

    def insert(count: int) -> None:
        nonlocal seq
        rows = [
            (n, "model/credit", n, "a", bytes(32), bytes(SIZE), f"{n:036d}", "d" * 76, 1)
            for n in range(seq + 1, seq + count + 1)
        ]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?)", rows)
        connection.execute("COMMIT")
        seq += count

    return {
        "the bare insert of one row": (lambda _: insert(1), 1),
        f"the bare insert of {BATCH} rows": (lambda _: insert(BATCH), BATCH),
    }


def measured() -> dict[str, tuple[float, float]]:
    """Medians of wall and CPU microseconds an event; the contestants take turns."""
    figures: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder, ExitStack() as close:
        acts = {
            name: act for side in (lepton, pyeventsourcing, bare) for name, act in side(Path(folder), close).items()
        }
        for run in range(RUNS + 1):
            for name, (act, events) in acts.items():
                times = ALONE if events == 1 else BATCHES
                figure = _timed(act, range(run * times, (run + 1) * times), events)
                figures.setdefault(name, []).append(figure)
    # the first run only warms up
    return {name: _medians(runs[1:]) for name, runs in figures.items()}


def rows() -> str:
    """A Markdown table: what was stored, wall and CPU an event, medians."""
    lines = [f"| storing an event of {SIZE} bytes, SQLite, synchronous=FULL | wall | CPU |", "| --- | --- | --- |"]
    lines += [f"| {name} | {wall:,.0f} µs | {cpu:,.0f} µs |" for name, (wall, cpu) in measured().items()]
    return "\n".join(lines)


def _timed(act: Act, numbers: range, events: int) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    for n in numbers:
        act(n)
    count = len(numbers) * events
    return (time.perf_counter() - wall) / count * 1e6, (time.process_time() - cpu) / count * 1e6


def _medians(runs: list[tuple[float, float]]) -> tuple[float, float]:
    walls, cpus = zip(*runs, strict=True)
    return statistics.median(walls), statistics.median(cpus)


def _first_commit() -> Commit:
    return Commit(
        model="credit",
        branch="main",
        asked_parents=None,
        parents=(),
        tensors=f"blake3:{1:064d}",
        tensor_count=1,
        parameters=1,
        bytes=4,
        keyframe=True,
        delta=None,
        stored=Stored(),
        recipe=Recipe(),
    )


if __name__ == "__main__":
    print(rows())
