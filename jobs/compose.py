"""The order for an attempt, written from what the ledger knows."""

from __future__ import annotations

from ..domain.job.state import Job
from ..domain.model.state import Model
from ..tensors.graph import Graph, Path
from ..versions.restore import graph_of, verified_event
from ..versions.workspace import Workspace
from .protocol.orders import Base, Checkpoint, Order, Way


def compose(workspace: Workspace, name: str, job: Job, worker: str) -> Order:
    """The order for the next attempt at a job, told to nobody but the worker.

    Raises `Refused` or `Damaged` where what the job names is not there any more.
    """
    model = workspace.model(job.model)
    number = job.payload["version"] if job.kind == "evaluate" else model.head(job.payload.get("branch", "main"))
    return Order(
        job=name,
        epoch=job.epoch + 1,
        worker=worker,
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


def _base(workspace: Workspace, model: Model, number: int) -> Base:
    event = verified_event(workspace, model, number)
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
