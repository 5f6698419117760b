"""Assignment: a job given to one worker, by an order that only that worker can read and the log names."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from ..domain.job.commands import AssignJob, Ready
from ..domain.job.kinds import payload_of
from ..domain.job.state import JobCheckpoint, JobState
from ..domain.model.state import ModelState
from ..errors import LeptonError, Unavailable
from ..events.sql.leases import Lease, Leases
from ..isolation import unforeseen
from ..settings import Terms
from ..tensors.graph import Graph
from ..versions.deltas import graph_of
from ..versions.restore import verified_event
from ..versions.workspace import Workspace
from .endings import Endings
from .intake.results import Receiver
from .protocol.orders import Base, Order, RestorePlan, ResumePoint, SealedOrder, sealed
from .protocol.ports import Orders

log = logging.getLogger("lepton.assigner")


class Assignment:
    """Writes orders, assigns by their digests and sends them; `until` is when a term ends that begins now."""

    def __init__(
        self,
        workspace: Workspace,
        leases: Leases,
        orders: Orders,
        receiver: Receiver,
        endings: Endings,
        terms: Terms,
        now: Callable[[], datetime],
    ) -> None:
        self._workspace = workspace
        self._leases = leases
        self._orders = orders
        self._receiver = receiver
        self._endings = endings
        self._terms = terms
        self._now = now

    def give(self, name: str, job: JobState, worker: Ready, key: str, until: Callable[[], int]) -> bool | Unavailable:
        """Whether the worker was given the job; or what its order needs and is away, such as the object store.

        An order that gets lost on its way costs its job the term to begin. What no order can be written for ends its
        attempt. Raises `Unavailable` where the ledger is away.
        """
        order, fault = self._order(name, job, worker.incarnation, key)
        if isinstance(fault, Unavailable):
            return fault
        if not self._admitted(name, job, worker, order):
            return False
        with self._leases.change() as change:
            change.lease(Lease(name, job.epoch + 1, worker.incarnation, until()))
        if order is not None:
            self._send(name, order)
        elif fault is not None:
            self._endings.give_up(name, job.epoch + 1, fault)
        return True

    def _admitted(self, name: str, job: JobState, worker: Ready, order: SealedOrder | None) -> bool:
        command = AssignJob(
            job=name,
            ready=(worker,),
            now=self._now(),
            within=self._terms.start,
            epoch=job.epoch + 1,
            order=order.digest if order else None,
        )
        actor = self._receiver.actor_of(job)
        try:
            return bool(self._workspace.ledger.admit(command, actor, traceparent=job.traceparent).events)
        except Unavailable:
            raise
        except LeptonError as error:
            log.info("%s", error)  # it was cancelled meanwhile, or its events are damaged
            return False

    def _order(self, name: str, job: JobState, worker: str, key: str) -> tuple[SealedOrder | None, LeptonError | None]:
        """The order for the next attempt, sealed for its worker; or why there can be none."""
        try:
            return sealed(compose(self._workspace, name, job, worker), key), None
        except LeptonError as error:
            return None, error
        except Exception as error:  # noqa: BLE001 - one job's payload must not keep the others from being assigned
            return None, unforeseen(error)

    def _send(self, name: str, order: SealedOrder) -> None:
        try:
            self._orders.send(order.raw)
        except Unavailable as error:
            log.warning("the order for job %s was not sent: %s", name, error)


def compose(workspace: Workspace, name: str, job: JobState, worker: str) -> Order:
    """The order for the next attempt at a job, told to nobody but the worker.

    Raises `Refused` or `Damaged` where what the job names is not there any more.
    """
    model = workspace.model(job.model)
    payload = payload_of(job.kind, job.payload)
    number, named = payload.base(model), getattr(payload, "named", None)
    return Order(
        job=name,
        epoch=job.epoch + 1,
        worker=worker,
        kind=job.kind,
        model=job.model,
        payload=dict(job.payload),
        source=workspace.opened(job.actor, job.source),
        validation_source=workspace.opened(job.actor, job.validation_source),
        rows=_whole(workspace, named.kept) if named and named.kept else None,
        needs=job.needs,
        memory=job.memory,
        seconds=job.seconds,
        base=None if number is None else _base(workspace, model, number),
        checkpoint=None if job.checkpoint is None else _resume_point(workspace, job.checkpoint),
        traceparent=job.traceparent,
    )


def _base(workspace: Workspace, model: ModelState, number: int) -> Base:
    event = verified_event(workspace, model, number)
    return Base(
        version=number,
        way=_plan(workspace, event.tensors, graph_of(model, event.tensors)),
        architecture=event.architecture,
        hyperparameters=event.hyperparameters,
        settings=event.settings,
        data=event.data,
        metrics=event.metrics,
    )


def _resume_point(workspace: Workspace, checkpoint: JobCheckpoint) -> ResumePoint:
    return ResumePoint(step=checkpoint.step, way=_whole(workspace, checkpoint.tensors))


def _whole(workspace: Workspace, tensors: str) -> RestorePlan:
    """How tensors are restored that were kept whole."""
    size = workspace.vault.manifest(tensors).size
    return _plan(workspace, tensors, Graph({tensors: size}, ()))


def _plan(workspace: Workspace, tensors: str, graph: Graph) -> RestorePlan:
    path = graph.cheapest(tensors)
    edges = [edge for edge, _ in path.steps]
    return RestorePlan(
        tensors=tensors,
        start=path.start,
        start_bytes=graph.keyframes[path.start],
        edges=tuple((edge.base, edge.new, edge.digest, edge.bytes, edge.two_way) for edge in edges),
        packs=tuple(sorted(workspace.vault.packs_behind(tensors, graph))),
    )
