"""Workers on this machine: what it takes to be one, and one in a thread of this process."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Any, Final

from ..building.parallel.cluster import CAPABILITY, ray_address, ray_package
from ..building.parallel.cluster import VARIABLE as RAY
from ..domain.job.kinds import SEARCH, SEARCHES
from ..jobs.protocol.identity import WorkerKeys
from ..jobs.protocol.ports import Channel
from ..models.imports import VARIABLE, announced, imported
from ..settings import Terms
from ..supervised import Supervised
from .attempt import NOT_TOLD
from .task import TASKS
from .worker import Post, Worker

_GPUS: Final = Path("/dev/nvidia0")
SEARCHES_AT_ONCE: Final = 8
"""Searches that one process runs at a time; their trials are done by workers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """What it takes to be a worker: the way to the ledger, and the object store."""

    channel: Callable[[WorkerKeys], Channel]
    """A worker's way to the ledger."""
    objects: Mapping[str, Any]
    """Where the object store is: what `tensors.address.objects_at` takes."""
    terms: Terms
    secret: str | None = field(default=None, repr=False)
    """What the ledger knows its workers by, where it was given one."""

    def post(self, *, pool: str = "default", slots: int = 1, device: str = "auto", ray: str | None = None) -> Post:
        """What a worker on this machine is. `device` is auto, cpu, or cuda:N for one GPU of several.

        It knows the classes and metrics of the modules that were imported by `models.imports`, and so do its processes;
        `ray` is the address of the cluster that trainings may go to. Raises `Refused` where Ray is not installed.
        """
        environment: dict[str, str] = {VARIABLE: ",".join(imported())} if imported() else {}
        if device == "cpu":
            environment |= {"CUDA_VISIBLE_DEVICES": ""}
        elif device.startswith("cuda:"):
            environment |= {"CUDA_VISIBLE_DEVICES": device.removeprefix("cuda:")}
        if ray := ray or ray_address():
            ray_package()
            environment |= {RAY: ray}
        gpu = device.startswith("cuda") or (device == "auto" and _GPUS.exists())
        return Post(
            identity=WorkerKeys(),
            secret=self.secret,
            pool=pool,
            capabilities=(*TASKS, "cpu", *(("cuda",) if gpu else ()), *((CAPABILITY,) if ray else ()), *announced()),
            slots=slots,
            objects=self.objects,
            environment=environment,
        )

    def searcher(self, home: Path) -> Post:
        """What runs the searches of the ledger in a home: its processes have the ledger, and run no trial."""
        ledger = {name: os.environ[name] for name in NOT_TOLD if name in os.environ}
        post = self.post(pool=SEARCHES, slots=SEARCHES_AT_ONCE)
        environment = {**post.environment, **ledger, "LEPTON_HOME": str(home)}
        return replace(post, capabilities=(SEARCH,), program="lepton_ai.cli.search", environment=environment)

    def worker(self, post: Post) -> Worker:
        """A worker that has still to begin."""
        return Worker(post, self.channel(post.identity), self.terms)

    def working(self, post: Post) -> Supervised:
        """Have a worker in this process, and let it leave in good order; each that begins anew is another."""

        def work(stop: Event) -> None:
            self.worker(replace(post, identity=WorkerKeys())).run(stop)

        return Supervised(work, "worker", 4 * self.terms.drain)
