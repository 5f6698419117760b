"""The process in which a job's work is done: it knows its order and the object store, and nothing else."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from threading import Thread
from typing import Final

from ..datasets.fetch import Stopped
from ..domain.job.kinds import payload_of
from ..errors import Malformed, Refused, Unavailable, recorded
from ..jobs.protocol.messages import Failed, Finished
from ..jobs.protocol.orders import Order
from ..models.imports import import_modules, named_in
from ..models.memory import is_out_of_memory
from ..tensors.objects import ObjectStore
from ..tracing import span
from .context import Context
from .task import TASKS

DEATH: Final = 9


def main(pipe: int, store: Callable[..., ObjectStore]) -> None:
    """Do what stdin asks for, and answer on a pipe."""
    _die_with_the_worker()
    task = json.loads(sys.stdin.buffer.readline())
    order = Order.model_validate(task["order"])
    _limit(order)
    context = Context(order, store(**task["objects"]), pipe)
    Thread(target=_listen, args=(context,), daemon=True).start()
    with span(f"lepton {order.kind}", order.traceparent):
        answer = _answer(context)
        context.flush()
        _say(context, answer)


def _say(context: Context, answer: Finished | Failed) -> None:
    try:
        context.say(answer.model_copy(update={"points": context.points, **context.next()}))
    except Malformed as error:
        context.say(Failed(**context.next(), error="Malformed", reason=recorded(error), points=context.points))


def _answer(context: Context) -> Finished | Failed:
    """The final answer: what came of the context, or whatever it raised."""
    order = context.order
    try:
        import_modules(named_in())
        if order.kind not in TASKS:
            raise Refused(f"this worker knows no work of kind {order.kind!r}")
        return TASKS[order.kind](payload_of(order.kind, order.payload), context)
    except Stopped:
        return Failed(job=order.job, epoch=order.epoch, n=0, error="Drained", again=True, counted=False)
    except Exception as error:  # noqa: BLE001 - whatever the work raises is its answer
        name, again, reason = type(error).__name__, isinstance(error, Unavailable), recorded(error)[:2000]
        if is_out_of_memory(error):
            name, reason = "OutOfMemory", "it took more memory than its limit, or than there is"
        return Failed(job=order.job, epoch=order.epoch, n=0, error=name, reason=reason, again=again)


def _listen(context: Context) -> None:
    """Hear the worker: it says stop, or it is gone, and then nobody wants the work any more."""
    while line := sys.stdin.buffer.readline():
        if line == b"stop\n":
            context.stopping.set()
    os.killpg(0, DEATH)


def _die_with_the_worker() -> None:
    """Have Linux do it too: a thread that listens may wait for ever behind one that computes."""
    if sys.platform == "linux":
        import ctypes

        set_parents_death_signal = 1
        ctypes.CDLL(None).prctl(set_parents_death_signal, DEATH, 0, 0, 0)


def _limit(order: Order) -> None:
    """Have the kernel refuse memory beyond the limit; a GPU's driver maps far more than it uses, so not beside one."""
    if order.memory is not None and "cuda" not in order.needs:
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (order.memory, resource.RLIM_INFINITY))
