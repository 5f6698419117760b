"""Serving jobs on one machine: the assigner in a thread of its own, and a worker where there is none."""

from __future__ import annotations

import logging
import os
import time
import uuid
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

from ..errors import LeptonError, Unavailable
from ..events.leases import Heard, Leases
from ..events.lock import Held
from ..settings import Terms
from .assigning import Assigner
from .channel import Channel
from .working import Post, Worker

log = logging.getLogger("lepton")

RETRY: Final = 0.5
"""Seconds before it is tried again to be the assigner."""
_GPUS: Final = Path("/dev/nvidia0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """What it takes to be a worker: the way to the ledger, and the object store."""

    channel: Callable[[str], Channel]
    """A worker's way to the ledger, by its incarnation."""
    objects: Mapping[str, Any]
    """Where the object store is: what `tensors.address.objects_at` takes."""
    terms: Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where jobs are given out: what it takes to be the assigner of one ledger."""

    lock: Callable[[], Held]
    """The lock of the one who assigns; raises `Unavailable` at once where another does."""
    assigner: Callable[[], AbstractContextManager[Assigner]]
    leases: Leases
    waiting: Callable[[Post], bool]
    """Whether there is an open job that a worker could take."""
    workplace: Workplace
    """What a worker beside it needs."""
    terms: Terms

    def ready(self) -> int:
        """How many workers were heard of within a lease's term, by this machine's clock."""
        return len(heard_of(self.leases, self.terms))


def heard_of(leases: Leases, terms: Terms) -> list[Heard]:
    """The workers that were heard of within a lease's term, by this machine's clock."""
    return leases.workers(int((time.time() - terms.lease) * 1_000_000))


@contextmanager
def assigning(desk: Desk) -> Generator[None]:
    """Have jobs assigned, by this process where no other does."""
    with _beside(lambda stop: assign(desk, stop), "assigner", desk.terms.drain):
        yield


@contextmanager
def working(workplace: Workplace, post: Post) -> Generator[None]:
    """Have a worker in this process, and let it leave in good order."""
    with _beside(worker(workplace, post).run, "worker", 4 * workplace.terms.drain):
        yield


def worker(workplace: Workplace, post: Post) -> Worker:
    """A worker that has still to begin."""
    return Worker(post, workplace.channel(post.incarnation), workplace.terms)


def assign(desk: Desk, stop: Event) -> None:
    """Assign until told to stop; while another process does, wait for it to end. What is away is waited for."""
    while not stop.is_set():
        try:
            _assign(desk, stop)
        except LeptonError as error:
            log.warning("assigning: %s", error)
        except Exception:
            log.exception("assigning is begun anew")  # without it every job would wait for ever
        stop.wait(RETRY)


def _assign(desk: Desk, stop: Event) -> None:
    try:
        held = desk.lock()
    except Unavailable:  # another process assigns, which is as good
        return
    try:
        with desk.assigner() as assigner:
            while not stop.is_set():
                held.check()
                if not assigner.step():
                    stop.wait(desk.terms.poll)
    finally:
        held.release()


@contextmanager
def _beside(work: Callable[[Event], None], name: str, patience: float) -> Generator[None]:
    """Have work done in a thread meanwhile; it ends when its event is set."""
    stop = Event()
    thread = Thread(target=work, args=(stop,), name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(patience)


def post(workplace: Workplace, *, pool: str = "default", slots: int = 1, device: str = "auto") -> Post:
    """What a worker on this machine is. `device` is auto, cpu, or cuda:N for one GPU of several."""
    environment: Mapping[str, str] = {}
    if device == "cpu":
        environment = {"CUDA_VISIBLE_DEVICES": ""}
    elif device.startswith("cuda:"):
        environment = {"CUDA_VISIBLE_DEVICES": device.removeprefix("cuda:")}
    gpu = device.startswith("cuda") or (device == "auto" and _GPUS.exists())
    return Post(
        incarnation=str(uuid.UUID(bytes=os.urandom(16), version=4)),
        pool=pool,
        capabilities=("train", "evaluate", "verify", "cpu", *(("cuda",) if gpu else ())),
        slots=slots,
        objects=workplace.objects,
        environment=environment,
    )
