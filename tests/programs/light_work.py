"""Light work: a kind of work of a user's own, in one file, and its process as the tests' workers spawn it; no torch."""

from __future__ import annotations

import ctypes
import os
import random
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal
from zlib import crc32

import numpy as np
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from lepton_ai.datasets.fetch import Stopped
from lepton_ai.domain.job.kinds import LogsMetrics, MakesVersion
from lepton_ai.errors import Unavailable
from lepton_ai.jobs.protocol.messages import Finished
from lepton_ai.tensors.address import objects_at
from lepton_ai.tensors.objects import ObjectStore
from lepton_ai.tensors.tensor import Array
from lepton_ai.tracing import traceparent
from lepton_ai.workers.child import main
from lepton_ai.workers.context import Context
from lepton_ai.workers.task import task

MOMENT = 0.05
"""Seconds that a step takes."""


class Light(MakesVersion, LogsMetrics):
    """What light work is asked with."""

    kind: Literal["light"] = "light"
    does: str = "finish"
    steps: int = 0


LIGHT = Light.kind_name()


@task(Light)
def light(payload: Light, work: Context) -> Finished:
    """Note that it began, do what it is told, and make a version of one tensor."""
    order, folder, does = work.order, Path(work.order.source), payload.does
    (folder / f"begun-{order.job}-{order.epoch}").write_text(str(os.getpid()))
    if does == "segfault":
        ctypes.string_at(0)
    elif does == "hog":
        held = [bytearray(os.urandom(1 << 20)) * 10 for _ in range(100)]
        time.sleep(600)
        del held
    elif does == "raise":
        raise ValueError("no such luck")
    elif does == "exit":
        os._exit(3)
    elif does == "away":
        raise Unavailable("the store is away")
    elif does == "wait":
        await_file(work, folder / f"go-{order.job}-{order.epoch}")
    elif does == "live":
        train(work, folder, payload.steps)
    elif does == "look":
        (folder / "environment").write_text(" ".join(os.environ))
    elif does == "trace":
        (folder / f"trace-{order.job}").write_text(traceparent() or "none")
    rng = np.random.default_rng(crc32(order.job.encode()))
    weights = Array.from_numpy(rng.normal(size=(100, 10)).astype("float32"))
    work.measured(1, {"loss": 0.5})
    kept = work.keep({"w": weights})
    if does == "live":
        mark(work, folder, "answering")
        time.sleep(MOMENT)
    return work.finished(work.version(kept), {"words": "so " * 400_000} if does == "boast" else {})


def train(work: Context, folder: Path, steps: int) -> None:
    """Take its time, step by step, and have the time of an upload seen, so that it can be killed at every stage."""
    mark(work, folder, "training")
    for step in range(steps):
        work.measured(step, {"loss": 1 / (step + 1)})
        if work.stopping.is_set():
            raise Stopped
        time.sleep(MOMENT)
    work.objects = Slow(work.objects, lambda: mark(work, folder, "uploading"))


def mark(work: Context, folder: Path, stage: str) -> None:
    """Let a test see that a worker is at a stage."""
    (folder / f"{stage}-{work.order.job}-{work.order.epoch}-{work.order.worker}").touch()


class Slow:
    """An object store in which an upload takes a moment, before and after its bytes are there."""

    def __init__(self, store: ObjectStore, begun: Callable[[], None]) -> None:
        self._store = store
        self._begun = begun
        self.get, self.read_into, self.size, self.stamp = store.get, store.read_into, store.size, store.stamp
        self.list, self.delete = store.list, store.delete

    def put(self, key: str, pieces: Iterable[bytes]) -> int:
        self._begun()
        time.sleep(MOMENT * random.random())
        written = self._store.put(key, pieces)
        time.sleep(MOMENT * random.random())
        return written


def await_file(work: Context, path: Path) -> None:
    """Come back once somebody made the file; leave where the worker has to."""
    while not path.exists():
        if work.stopping.is_set():
            raise Stopped
        time.sleep(0.01)


if __name__ == "__main__":
    trace.set_tracer_provider(TracerProvider())
    main(int(sys.argv[1]), objects_at)
