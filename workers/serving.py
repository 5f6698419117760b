"""Serving jobs on one machine: the assigner in a thread of its own, and a worker where there is none."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Final

from ..errors import LeptonError, Unavailable
from ..events.lock import Held
from ..settings import Terms
from .assigning import Assigner
from .channel import Channel
from .working import Post, Worker

log = logging.getLogger("lepton")

_GPUS: Final = Path("/dev/nvidia0")


def assign(lock: Callable[[], Held], assigner: Callable[[], Assigner], terms: Terms, stop: Event) -> None:
    """Assign until told to stop; while another process does, wait for it to end. What is away is waited for."""
    while not stop.is_set():
        try:
            held = lock()
        except Unavailable:
            stop.wait(terms.poll * 5)
            continue
        try:
            _assign(held, assigner(), terms, stop)
        except LeptonError as error:
            log.warning("assigning: %s", error)
            stop.wait(terms.poll * 10)
        finally:
            held.release()


def _assign(held: Held, assigner: Assigner, terms: Terms, stop: Event) -> None:
    while not stop.is_set():
        held.check()
        if not assigner.step():
            stop.wait(terms.poll)


@contextmanager
def assigning(lock: Callable[[], Held], assigner: Callable[[], Assigner], terms: Terms) -> Generator[None]:
    """Have jobs assigned, by this process where no other does."""
    stop = Event()
    thread = Thread(target=assign, args=(lock, assigner, terms, stop), name="assigner", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(terms.drain)


@contextmanager
def working(post: Post, channel: Callable[[str], Channel], terms: Terms) -> Generator[None]:
    """Have a worker in this process."""
    stop = Event()
    worker = Worker(post, channel(post.incarnation), terms)
    thread = Thread(target=worker.run, args=(stop,), name="worker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(3 * terms.drain)


def post(objects: str, *, pool: str = "default", slots: int = 1, device: str = "auto") -> Post:
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
        capabilities=("train", "evaluate", "cpu", *(("cuda",) if gpu else ())),
        slots=slots,
        objects=objects,
        environment=environment,
    )
