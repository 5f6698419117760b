"""The read model: rebuilt from 200,000 events of every type, searched over 100,000 runs, opened for one question."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from lepton_ai.events import chain, job, ledger, model, objects, outside, run, study, suite, token
from lepton_ai.events.catalogue import CATALOGUE
from lepton_ai.events.data import DataNamed
from lepton_ai.events.envelope import Origin, encoder
from lepton_ai.events.event import Event
from lepton_ai.events.log import Row
from lepton_ai.events.merkle import leaf_hash
from lepton_ai.projections.projector import Projection
from lepton_ai.projections.queries.query import query
from lepton_ai.projections.schema import schema

EVENTS, RUNS, REPEATS = 200_000, 100_000, 5
START = datetime(2026, 1, 1, tzinfo=UTC)
CHANCE = random.Random(2026)

SEARCH = """
    SELECT h.run, f1.value
    FROM hyperparameters AS h
    JOIN (SELECT run, arg_max(value, step) AS value FROM metrics WHERE name = 'f1' GROUP BY run) AS f1 ON f1.run = h.run
    WHERE h.name = 'lr' AND h.number = 0.01 AND f1.value > 0.8
    ORDER BY f1.value DESC LIMIT 100
"""


class Log:
    """A log in memory, which costs next to nothing to read."""

    ledger_id = "0190-bench"

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows

    def end(self) -> int:
        return len(self.rows)

    def read(self, after: int, limit: int) -> Sequence[Row]:
        return self.rows[after : after + limit]


def log_of(past: Iterator[tuple[str, Event]], count: int) -> Log:
    """The first `count` events of a past as rows."""
    rows: list[Row] = []
    lengths: dict[str, int] = {}
    for seq, (stream, event) in zip(range(1, count + 1), past, strict=False):
        now = START + timedelta(seconds=seq)
        origin = Origin(
            f"actor-{seq % 20}", now, uuid(), f"hmac-sha256:{CHANCE.getrandbits(256):064x}", correlation=uuid()
        )
        lengths[stream] = lengths.get(stream, 0) + 1
        raw = encoder(f"/lepton/{Log.ledger_id}", origin, now)(event, stream, lengths[stream], seq, uuid())
        rows.append(Row(seq, leaf_hash(raw), raw))
    return Log(rows)


def uuid() -> str:
    return str(UUID(int=CHANCE.getrandbits(128)))


def digest(algorithm: str = "sha256") -> str:
    return f"{algorithm}:{CHANCE.getrandbits(256):064x}"


def lives(models: int = 50) -> Iterator[tuple[str, Event]]:
    """Models trained version by version, each by a run of 20 points, tagged, noted, promoted, sometimes rolled back."""
    yield "ledger", ledger.LedgerCreated(ledger=Log.ledger_id, format=1)
    names = [f"team/model-{i}" for i in range(models)]
    for name in names:
        yield f"model/{name}", model.ModelRegistered(model=name)
    for turn in range(10**9):
        yield from _turn(names[turn % models], turn // models + 1)


def _turn(name: str, number: int) -> Iterator[tuple[str, Event]]:
    stream, ran, manifest, data = f"model/{name}", uuid(), digest("blake3"), {"digest": digest(), "rows": 1000}
    chosen = {"lr": CHANCE.choice([0.1, 0.01]), "dropout": CHANCE.random(), "layers": 3, "optimiser": "adam"}
    yield f"run/{ran}", run.RunStarted(run=ran, model=name, hyperparameters=chosen, data=data)
    for start in (0, 5):
        yield f"run/{ran}", logged(5, start)
    yield f"run/{ran}", run.RunCheckpointed(tensors=manifest, step=10)
    yield f"run/{ran}", run.FileLogged(name="curve.png", media_type="image/png", digest=manifest, bytes=20_000, step=10)
    if number % 10 == 0:
        yield f"run/{ran}", run.RunLost(heard=START)
        yield f"run/{ran}", run.RunResumed()
        yield from _judged_by(name, number // 10, data)
    yield f"run/{ran}", run.RunFinished(status="finished", points=20)
    yield "objects", objects.PackWritten(pack=f"packs/{ran}", bytes=4000, entries=8, index=digest("blake3"))
    yield "objects", _manifest(manifest)
    yield stream, _version(name, number, manifest, chosen, data, ran)
    if number > 1:
        yield (
            stream,
            model.DeltaRecorded(
                from_version=number - 1,
                to_version=number,
                digest=digest("blake3"),
                bytes=900,
                elements=90,
                tensors=8,
                two_way=True,
            ),
        )
    yield stream, model.EvaluationRecorded(version=number, data=data, name="holdout", metrics={"f1": CHANCE.random()})
    yield stream, model.MetricsRecorded(version=number, metrics={"latency": CHANCE.random()})
    yield stream, model.VersionAnnotated(version=number, annotations={"ticket": f"RISK-{number % 99}", "checked": True})
    yield stream, model.TagCreated(tag=f"v{number}", version=number)
    yield stream, model.AliasMoved(alias="production", from_version=number - 1 or None, to_version=number)
    if number % 10 == 0:
        for event in _seldom(number, data):
            yield ("objects" if isinstance(event, objects.PackRepacked | objects.ObjectsCondemned) else stream), event
        yield "ledger", ledger.LedgerUpgraded(format=1)
        yield from _work(name, number)
        yield from _told(name, number, data)


def _work(name: str, number: int) -> Iterator[tuple[str, Event]]:
    """Three jobs: one that needs a second attempt, and two that wait for it, of which one fails, one is called off."""
    needed: tuple[str, ...] = ()
    ends = (job.JobFinished(epoch=2, version=number), job.JobFailed(epoch=2, error="Lost"), job.JobCancelled(epoch=2))
    for end in ends:
        id = uuid()
        stream = f"job/{id}"
        yield stream, job.JobSubmitted(job=id, kind="train", model=name, payload={"label": "default"}, after=needed)
        if needed:
            yield stream, job.JobReleased()
        for epoch in (1, 2):
            yield stream, job.JobAssigned(epoch=epoch, worker=uuid(), deadline=START)
            yield stream, job.JobStarted(epoch=epoch)
            yield stream, job.JobCheckpointed(epoch=epoch, step=5, tensors=digest("blake3"))
            if epoch == 1:
                yield stream, job.JobWarned(epoch=1, said="measured", points=3)
                yield stream, job.JobRequeued(epoch=1, error="LeaseLost", until=START)
        yield stream, end
        needed = needed or (id,)


def _told(name: str, number: int, data: dict[str, object]) -> Iterator[tuple[str, Event]]:
    """What other services tell."""
    yield "dataset/loans", outside.DatasetRecorded.model_validate({"data": data})
    seen = {"model": name, "version": number, "since": START, "until": START, "rows": 100}
    yield "endpoint/eu", outside.ObservationRecorded.model_validate(seen | {"metrics": {"latency": CHANCE.random()}})
    yield f"model/{name}", outside.VersionOffered(source="sealed:s", digest=digest(), metrics={"f1": CHANCE.random()})


def logged(steps: int, start: int = 0) -> run.MetricsLogged:
    """Two metrics over some steps."""
    return run.MetricsLogged(
        names=("f1", "loss") * steps,
        steps=tuple(start + i for i in range(steps) for _ in "12"),
        values=tuple(CHANCE.random() for _ in range(2 * steps)),
        times=(START,) * (2 * steps),
    )


def _manifest(manifest: str) -> objects.ManifestWritten:
    return objects.ManifestWritten(
        manifest=manifest,
        page=0,
        names=tuple(f"layers.{i}.weight" for i in range(8)),
        dtypes=("float32",) * 8,
        shapes=((10, 10),) * 8,
        bytes=(400,) * 8,
        digests=tuple(digest("blake3") for _ in range(8)),
    )


def _version(
    name: str, number: int, manifest: str, chosen: dict[str, object], data: dict[str, object], ran: str
) -> Event:
    return model.VersionCommitted.model_validate(
        {
            "version": number,
            "digest": digest(),
            "branch": "main",
            "parents": [{"model": name, "version": number - 1}] if number > 1 else [],
            "tensors": manifest,
            "tensor_count": 8,
            "parameters": 800,
            "bytes": 3200,
            "keyframe": number == 1,
            "recipe": digest(),
            "hyperparameters": chosen,
            "architecture": {"kind": "mlp", "layers": [10, 10, 2]},
            "data": data,
            "environment": {"python": "3.11", "torch": "2.15"},
            "code": {"commit": "a" * 40, "dirty": False},
            "metrics": {"f1": CHANCE.random(), "precision": CHANCE.random()},
            "run": ran,
            "message": "sealed:" + "x" * 40,
        }
    )


def _seldom(number: int, data: dict[str, object]) -> Iterator[Event]:
    """What happens to a model at every tenth version."""
    back = {"from_version": number, "to_version": number - 1}
    yield model.RollbackRehearsed.model_validate(
        {
            **back,
            "data": data,
            "metrics_from": {"f1": 0.7},
            "metrics_to": {"f1": 0.8},
            "difference": {"f1": 0.1},
            "worse": False,
        }
    )
    yield model.BranchRolledBack(branch="main", **back, replayed=(digest("blake3"),), reason="sealed:" + "x" * 20)
    yield model.AliasRolledBack(alias="production", **back, replayed=(digest("blake3"),))
    yield model.BranchCreated(branch="trial", version=number)
    yield model.BranchDeleted(branch="trial", version=number)
    yield model.TagDeleted(tag=f"v{number}", version=number)
    yield model.AliasDeleted(alias="production", from_version=number - 1)
    yield model.VersionDescribed(version=number, description="sealed:" + "x" * 60)
    yield model.ModelDescribed(description="sealed:" + "x" * 60)
    yield model.VersionCleared(version=number, reason="sealed:" + "x" * 20)
    yield model.MetricDefined(name="fid", better="lower")
    yield model.GateJudged(
        version=number,
        against=number - 1,
        requirements=(model.JudgedRequirement(text="f1 >= against.f1 - 0.01", holds=True),),
        metrics={"f1": 0.8},
        metrics_against={"f1": 0.7},
        rows=(digest("sha256"),),
        passed=True,
    )
    yield model.AliasProtected(alias="production", requirements=("f1 >= against.f1 - 0.01",), against="production")
    yield model.AliasUnprotected(alias="production", reason="sealed:" + "x" * 20)
    yield model.ModelArchived()
    yield model.ModelUnarchived()
    yield objects.PackRepacked(pack=f"packs/{number}", into=(f"packs/{number}-again",))
    yield objects.ObjectsCondemned(packs=(f"packs/{number}",), delete_after=START)


def _judged_by(name: str, number: int, data: dict[str, Any]) -> Iterator[tuple[str, Event]]:
    """Rows that are named, and a suite on them that is defined and retired."""
    named = f"{name.replace('/', '-')}-rows"
    yield f"data/{named}", DataNamed(version=number, data=data, label="default", source="sealed:" + "x" * 20)
    told = {"data": data, "named": f"{named}@{number}", "label": "default", "evaluation": named}
    yield f"suite/{named}", suite.SuiteDefined(suite=named, **told, requirements=("f1 >= 0.7",), model=name)
    yield f"suite/{named}", suite.SuiteRetired(reason="sealed:" + "x" * 20)
    steps = (chain.ChainStepPlan(step="train", kind="train", digest="0" * 16),)
    yield f"chain/{named}", chain.ChainDefined(chain=named, steps=steps)
    yield f"chain/{named}", chain.ChainAdvanced(step="train", model=name, version=1)
    yield from _searched_by(name)
    held = uuid()
    yield f"token/{held}", token.TokenCreated(token=held, owner=uuid(), scopes=("read", "move"), models=(name,))
    yield f"token/{held}", token.TokenRevoked(reason="sealed:" + "x" * 20)


def _searched_by(name: str) -> Iterator[tuple[str, Event]]:
    """A study of three trials, which is deleted in the end."""
    stream = f"study/{uuid()}"
    yield stream, study.StudyCreated(study=stream.removeprefix("study/"), directions=("maximize",), model=name)
    yield stream, study.StudyAnnotated(user={"ticket": "RISK-12"})
    for number in range(3):
        drawn = {"value": CHANCE.random(), "distribution": {"kind": "float", "low": 0.0, "high": 1.0}}
        yield stream, study.TrialBegun(trial=number, status="waiting")
        yield stream, study.TrialStarted(trial=number)
        yield stream, study.TrialSuggested.model_validate({"trial": number, "parameters": {"lr": drawn}})
        yield stream, study.TrialReported(trial=number, steps=(1,), values=(CHANCE.random(),))
        yield stream, study.TrialQueued(trial=number)
        yield stream, study.TrialStarted(trial=number)
        yield stream, study.TrialAnnotated(trial=number, user={"host": "gpu"})
        yield stream, study.TrialEnded(trial=number, status="complete", values=(CHANCE.random(),))
    yield stream, study.StudyStopped()
    yield stream, study.StudyResumed()
    yield stream, study.StudyDeleted()


def many_runs() -> Iterator[tuple[str, Event]]:
    """Runs with four hyperparameters and ten points of two metrics each."""
    while True:
        ran = uuid()
        chosen = {"lr": CHANCE.choice([0.1, 0.01]), "dropout": CHANCE.random(), "layers": 3, "optimiser": "adam"}
        yield f"run/{ran}", run.RunStarted(run=ran, model="credit", hyperparameters=chosen)
        yield f"run/{ran}", logged(5)


def timed(act: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - wall, time.process_time() - cpu


def median(act: Callable[[], object]) -> tuple[float, float]:
    """Medians of wall and CPU seconds, after one call that is not counted."""
    act()
    walls, cpus = zip(*(timed(act) for _ in range(REPEATS)), strict=True)
    return statistics.median(walls), statistics.median(cpus)


def rows() -> str:
    """A Markdown table: what was measured, its figure, CPU of all threads."""
    past = log_of(lives(), EVENTS)
    told = {row.envelope.split(b'"type":"', 1)[1].split(b'"', 1)[0].decode() for row in past.rows}
    assert told == CATALOGUE.keys(), CATALOGUE.keys() - told
    with tempfile.TemporaryDirectory() as folder:
        lines = [_rebuilt(Path(folder) / "a", past), *_opened(Path(folder) / "a", past)]
        lines.append(_searched(Path(folder) / "b"))
    return "\n".join(["| what | figure | CPU |", "| --- | --- | --- |", *lines])


def _rebuilt(folder: Path, past: Log) -> str:
    size = sum(len(row.envelope) for row in past.rows) / past.end()
    with Projection(folder, past) as held:
        wall, cpu = median(held.rebuild)
        count = sum(
            query(held, f"SELECT count(*) AS n FROM store.{table.name}")["n"][0].as_py() for table in schema().tables
        )
    what = (
        f"rebuild of {len(schema().tables)} tables, {past.end():,} events of {len(CATALOGUE)} types, "
        f"{size:.0f} bytes and {count / past.end():.1f} rows an event"
    )
    return f"| {what} | {past.end() / wall:,.0f} events/s | {cpu / past.end() * 1e6:.1f} µs an event |"


def _opened(folder: Path, past: Log) -> Iterator[str]:
    import duckdb

    def ask() -> None:
        with Projection(folder, past) as held:
            held.catch_up()
            query(held, "SELECT alias, version FROM aliases WHERE model = 'team/model-7'")

    wall, cpu = median(ask)
    yield f"| open, catch up with nothing new, a small query, close | {wall * 1e3:.1f} ms | {cpu * 1e3:.1f} ms |"
    (path,) = folder.glob("*.duckdb")
    wall, cpu = median(lambda: duckdb.connect(path).close())
    yield f"| of that DuckDB alone: open the file, close it | {wall * 1e3:.1f} ms | {cpu * 1e3:.1f} ms |"
    wall, cpu = median(lambda: duckdb.connect(":memory:").close())
    yield f"| of that DuckDB without a file | {wall * 1e3:.1f} ms | {cpu * 1e3:.1f} ms |"
    with Projection(folder, past) as held:
        wall, cpu = median(lambda: query(held, "SELECT alias, version FROM aliases WHERE model = 'team/model-7'"))
    yield f"| the small query alone | {wall * 1e3:.1f} ms | {cpu * 1e3:.1f} ms |"


def _searched(folder: Path) -> str:
    with Projection(folder, log_of(many_runs(), 2 * RUNS)) as held:
        held.catch_up()
        found = query(held, SEARCH)
        assert found.num_rows == 100
        wall, cpu = median(lambda: query(held, SEARCH))
        points = query(held, "SELECT count(*) AS n FROM metrics")["n"][0].as_py()
    what = f"search over {RUNS:,} runs and {points:,} points: a metric and a parameter, ordered, first 100"
    return f"| {what} | {wall * 1e3:.1f} ms | {cpu * 1e3:.1f} ms |"


if __name__ == "__main__":
    print(rows())
