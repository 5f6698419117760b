"""Orders: what a worker is told to do, with all that it needs to know; it asks neither the ledger nor its database."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from ..domain.commands import job_stream
from ..domain.job import Job
from ..domain.model import Model
from ..errors import Malformed
from ..events.job import JobAssigned
from ..tensors.graph import Edge, Graph, Path
from .restoring import graph_of, verified_event
from .workspace import Workspace

log = logging.getLogger("lepton")


class Way(BaseModel):
    """How tensors are restored: from a keyframe over deltas, out of these packs, each of which tells what it holds."""

    model_config = ConfigDict(frozen=True)

    tensors: str
    start: str
    start_bytes: int
    edges: tuple[tuple[str, str, str, int, bool], ...] = ()
    packs: tuple[str, ...]

    def graph(self) -> Graph:
        """The part of the model's graph that leads to the tensors."""
        return Graph({self.start: self.start_bytes}, tuple(Edge(*edge) for edge in self.edges))


class Base(BaseModel):
    """A version that the work goes on from, or looks at."""

    model_config = ConfigDict(frozen=True)

    version: int
    way: Way
    architecture: dict[str, Any]
    hyperparameters: dict[str, Any]
    settings: dict[str, Any]
    data: dict[str, Any] | None
    metrics: dict[str, float]


class Checkpoint(BaseModel):
    """What an earlier attempt had come to."""

    model_config = ConfigDict(frozen=True)

    step: int
    way: Way


class Order(BaseModel):
    """One attempt, as its worker is told of it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    job: str
    epoch: int
    worker: str
    kind: str
    model: str
    payload: dict[str, Any]
    source: str
    needs: tuple[str, ...] = ()
    memory: int | None = None
    seconds: float | None = None
    base: Base | None = None
    checkpoint: Checkpoint | None = None
    traceparent: str | None = None


def compose(workspace: Workspace, name: str, assigned: JobAssigned) -> Order:
    """The order that an assignment becomes, told to nobody but the worker.

    Raises `Refused` or `Damaged` where what the job names is not there any more.
    """
    job = cast(Job, workspace.ledger.state(job_stream(name)))
    model = workspace.model(job.model)
    number = job.payload["version"] if job.kind == "evaluate" else model.head(job.payload.get("branch", "main"))
    return Order(
        job=name,
        epoch=assigned.epoch,
        worker=assigned.worker,
        kind=job.kind,
        model=job.model,
        payload=dict(job.payload),
        source=workspace.opened(job.actor, job.source),
        needs=job.needs,
        memory=job.memory,
        seconds=job.seconds,
        base=None if number is None else _base(workspace, model, number),
        checkpoint=None
        if job.checkpoint is None
        else _checkpoint(workspace, job.checkpoint.step, job.checkpoint.tensors),
        traceparent=job.traceparent,
    )


def decoded(raw: bytes) -> Order:
    """The order in its bytes. Raises `Malformed` on anything else."""
    try:
        return Order.model_validate_json(raw)
    except ValidationError as error:
        raise Malformed(f"this is no order ({error.error_count()} faults); the ledger writes them") from error


def read(raw: bytes) -> Order | None:
    """The order in its bytes; what is none, such as a newer Lepton's, is nobody's here."""
    try:
        return decoded(raw)
    except Malformed as error:
        log.warning("%s", error)
        return None


def addressed(worker: str, raws: Iterable[bytes]) -> list[Order]:
    """The orders among messages that are for one worker."""
    return [order for raw in raws if (order := read(raw)) is not None and order.worker == worker]


def _base(workspace: Workspace, model: Model, number: int) -> Base:
    event = verified_event(model, number)
    return Base(
        version=number,
        way=_way(workspace, event.tensors, graph_of(model)),
        architecture=event.architecture,
        hyperparameters=event.hyperparameters,
        settings=event.settings,
        data=event.data,
        metrics=event.metrics,
    )


def _checkpoint(workspace: Workspace, step: int, tensors: str) -> Checkpoint:
    size = workspace.vault.manifest(tensors).size
    return Checkpoint(step=step, way=_way(workspace, tensors, Graph({tensors: size}, ())))


def _way(workspace: Workspace, tensors: str, graph: Graph) -> Way:
    path: Path = graph.cheapest(tensors)
    edges = [edge for edge, _ in path.steps]
    return Way(
        tensors=tensors,
        start=path.start,
        start_bytes=graph.keyframes[path.start],
        edges=tuple((edge.base, edge.new, edge.digest, edge.bytes, edge.two_way) for edge in edges),
        packs=tuple(sorted(workspace.vault.packs_behind(tensors, graph))),
    )
