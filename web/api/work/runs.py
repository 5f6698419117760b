"""Runs: listed, looked at, and told of by the scripts that they are of."""

# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false
# (pyarrow ships no types)

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from starlette.responses import Response

from ....events.run import MetricsLogged
from ....results.shapes.ledger import TABLE
from ....results.shapes.work import CHECKPOINTS, HEARD, POINTS, PROGRESS, RUN, RUNS
from ....results.work.runs import RunRecords
from ....versions.runs.open_runs import MOST_POINTS
from ...caller import Call
from ...cursors import USUAL, Cursor, Most, paging
from ...described import TABLES, answers
from ...routing import Router
from ...tables import of_table, tabled

router = Router("runs")

Json = dict[str, Any]
OfModel = Annotated[str | None, Query(description="Those of this model.")]
Status = Annotated[Literal["running", "finished", "failed", "lost"] | None, Query(description="Those that stand so.")]
Starter = Annotated[str | None, Query(description="Those that this actor started.")]
Before = Annotated[str | None, Query(description="Those begun before this run, named by its id.")]
Metric = Annotated[str | None, Query(description="The points of this metric alone.")]
Writer = Annotated[str, Field(min_length=1, max_length=100, description="an id of whoever logs to the run")]


class ToldOfRun(BaseModel):
    """What is told of a run, by whom and since when it is so."""

    model_config = ConfigDict(extra="forbid")

    writer: Writer | None = None
    time: AwareDatetime | None = Field(None, description="when it happened, if not now")


class RunBegun(ToldOfRun):
    """A training script began."""

    model: str
    run: str | None = Field(None, description="the run's id, one of the script's own; else one is given")
    hyperparameters: Json = {}
    data: Json | None = Field(None, description="fingerprint of the training data")
    environment: Json = {}
    code: Json = {}
    name: str | None = Field(None, description="what people call it")
    tags: tuple[str, ...] = ()


class PointLogged(BaseModel):
    """A figure of a training; NaN and infinities as strings."""

    model_config = ConfigDict(extra="forbid")

    name: str
    value: float
    step: int | None = None
    time: AwareDatetime | None = Field(None, description="when it was measured, if not now")


class PointColumns(BaseModel):
    """Up to 1,000 points as columns of one length."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["lepton.metrics.logged.v1"] = "lepton.metrics.logged.v1"
    names: tuple[str, ...] = Field(max_length=1000)
    steps: tuple[int | None, ...]
    values: tuple[float, ...]
    times: tuple[AwareDatetime, ...]

    @model_validator(mode="after")
    def _columns_have_one_length(self) -> PointColumns:
        if not len(self.names) == len(self.steps) == len(self.values) == len(self.times):
            raise ValueError("the columns differ in length")
        return self


class PointsLogged(ToldOfRun):
    """Points of a run's metrics: one by one, or as columns."""

    points: list[PointLogged] | None = Field(None, max_length=MOST_POINTS)
    blocks: list[PointColumns] | None = Field(None, max_length=100)

    @model_validator(mode="after")
    def _one_form(self) -> PointsLogged:
        if (self.points is None) == (self.blocks is None):
            raise ValueError("points are told one by one in points, or as columns in blocks: give one of the two")
        return self


class RunEnded(ToldOfRun):
    """A training script came to its end."""

    error: str | None = Field(None, description="the name of what went wrong, where the run failed")
    reason: str = ""
    points: int = Field(0, ge=0, description="how many points it logged")


class RunGoneOnWith(BaseModel):
    """A run goes on, logged to by this writer from now on."""

    model_config = ConfigDict(extra="forbid")

    writer: Writer
    environment: Json = {}
    code: Json = {}


class RunHeardOf(BaseModel):
    """A run is at work."""

    model_config = ConfigDict(extra="forbid")

    writer: Writer


@router.get("/runs", summary="The runs", responses=answers(RUNS, page=True))
def runs(
    call: Call,
    model: OfModel = None,
    status: Status = None,
    actor: Starter = None,
    before: Before = None,
    most: Most = USUAL,
    cursor: Cursor = None,
) -> Response:
    """The runs of training scripts, the newest first."""
    asked = paging(call, most, cursor)
    some = call.manager.runs(model, status=status, actor=actor, most=most + 1, before=asked.after or before)
    page = asked.page(some, lambda run: run.run)
    response = call.read(RunRecords(page.rows), body=page.body("runs"))
    response.headers.update(page.headers)
    return response


@router.post("/runs", summary="Begin a run", status_code=201, responses=answers(RUN, status=201, place=True))
def start(call: Call, told: RunBegun) -> Response:
    """Open a run of a training script; it is to be heard of every few seconds (`beat`), else it is taken for lost."""
    return call.wrote(
        lambda: call.manager.open_runs.start(**dict(told), key=call.key),
        tell=lambda then, run: then.show_run(run),
        status=201,
        location=lambda record: f"/api/v1/runs/{record.run}",
    )


@router.get("/runs/{run}", summary="A run", responses=answers(RUN))
def run(call: Call, run: str) -> Response:
    """All that is known of a run, its checkpoints among it; named by its id, or the id's beginning or end."""
    return call.read(call.manager.show_run(run))


@router.get("/runs/{run}/metrics", summary="The points of a run's metrics", responses=answers(TABLE, also=TABLES))
def metrics(call: Call, run: str, name: Metric = None) -> Response:
    """Every point that the run logged, in their order: name, step, value, time; as JSON, CSV, Arrow or Parquet."""
    return tabled(call, of_table(call.manager.run_metrics(run, name)))


@router.get("/runs/{run}/progress", summary="How far a run came", responses=answers(PROGRESS))
def progress(call: Call, run: str) -> Response:
    """How many points a run logged, and their greatest step: where a script goes on with it."""
    points, step = call.manager.run_progress(run)
    return call.read({"points": points, "step": step})


@router.get("/runs/{run}/checkpoints", summary="A run's checkpoints", responses=answers(CHECKPOINTS))
def checkpoints(call: Call, run: str) -> Response:
    """What the run kept on its way, the oldest first."""
    kept = call.manager.checkpoints(run)
    return call.read(kept, body={"checkpoints": kept})


@router.post("/runs/{run}/metrics", summary="Log points to a run", responses=answers(POINTS))
def log(call: Call, run: str, told: PointsLogged) -> Response:
    """Note figures of the training: 10,000 points at most at a time."""

    def act() -> int:
        by: dict[str, Any] = {"writer": told.writer, "time": told.time, "key": call.key}
        if told.points is not None:
            points = [(each.name, each.step, each.value, each.time) for each in told.points]
            return call.manager.open_runs.log_each(run, points, **by)
        columns = [MetricsLogged.model_validate(block.model_dump()) for block in told.blocks or ()]
        return call.manager.open_runs.log(run, columns, **by)

    return call.wrote(act, body=lambda count: {"points": count})


@router.post("/runs/{run}/finish", summary="End a run", responses=answers(RUN))
def finish(call: Call, run: str, told: RunEnded) -> Response:
    """Close a run; with an error it failed."""
    finish = call.manager.open_runs.finish
    return call.wrote(lambda: finish(run, **dict(told), key=call.key), tell=lambda then, _: then.show_run(run))


@router.post("/runs/{run}/resume", summary="Go on with a run", responses=answers(RUN))
def resume(call: Call, run: str, told: RunGoneOnWith) -> Response:
    """Go on with a run that was lost, failed or is open, in the place of whoever logged to it before."""
    resume = call.manager.open_runs.resume
    return call.wrote(lambda: resume(run, **dict(told), key=call.key), tell=lambda then, _: then.show_run(run))


@router.post("/runs/{run}/beat", summary="Let a run be heard of", responses=answers(HEARD))
def beat(call: Call, run: str, told: RunHeardOf) -> Response:
    """Every 20 seconds, or the run is taken for lost. `open` is false where it has ended or another goes on with it."""
    return call.wrote(lambda: call.manager.open_runs.beat(run, told.writer), body=lambda alive: {"open": alive})
