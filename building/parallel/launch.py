"""A training by several processes, begun by torchrun's elastic launcher and heard by whoever asked for it.

A process that dies ends all, and they begin anew where the training was last kept. Nothing listens on a network but
torch's own store of the launcher: the processes meet in a folder that is this user's alone.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import torch

from ...errors import Refused, Unavailable
from ...models.registry import build, name_of
from ...sent_errors import raised
from ..device import chosen_device
from .channel import RankListener, Talk
from .handover import DONE, STATE, read_tensors, write_labels, write_rows, write_tensors

if TYPE_CHECKING:
    from torch import Tensor

    from ...models.model import Model, OnEpoch
    from ...models.progress import Progress
    from ..plan import TrainingPlan

RESTARTS: Final = 3
"""Times that the processes begin anew after one of them died."""
KEPT_EVERY: Final = 10.0
"""Seconds between two states that are kept for that."""

log = logging.getLogger("lepton")


def check_devices(plan: TrainingPlan, device: torch.device) -> None:
    """Hold that so many processes can learn there. Raises `Refused` where they cannot."""
    if plan.batch_size < plan.devices:
        raise Refused(f"batches of {plan.batch_size} are too few for {plan.devices} processes; raise 'batch_size'")
    if plan.sharded and plan.precision == "float16":
        raise Refused("float16 does not go with 'sharded'; use 'bfloat16' or 'float32'")
    if device.type not in ("cpu", "cuda"):
        raise Refused(f"several processes learn on CUDA or on the CPU, not on {device.type}; set 'device' to 'cpu'")
    if device.type == "cuda":
        if ":" in plan.device:
            raise Refused(f"{plan.devices} processes have a device each, not {plan.device!r}; set 'device' to 'cuda'")
        if plan.devices > (here := torch.cuda.device_count()):
            raise Refused(f"{plan.devices} CUDA devices are asked for and {here} are here; lower 'devices'")


def train_together(
    model: Model,
    plan: TrainingPlan,
    data: Any,
    labels: Any,
    *,
    validation: tuple[Any, Any] | None,
    on_epoch: OnEpoch | None,
    progress: Progress | None,
) -> Mapping[str, Any]:
    """What a model becomes that several processes train: its attributes by name.

    Raises what its own training does, `Unavailable` where processes die again and again, and whatever the callbacks
    raise, which ends the processes.
    """
    device = chosen_device(plan.device)
    check_devices(plan, device)
    kind = type(model)
    if kind.__module__ == "__main__":
        raise Refused(f"other processes cannot import {kind.__qualname__} from a script; move it into a module")
    with TemporaryDirectory(prefix="lepton-training-") as name:
        folder = Path(name)
        write_rows(folder / "rows", data)
        write_labels(folder / "labels", labels)
        if validation is not None:
            write_rows(folder / "other", validation[0])
            write_labels(folder / "other-labels", validation[1])
        task = {
            "class": name_of(kind), "device": device.type, "hyperparameters": model.hyperparameters,
            "module": kind.__module__, "path": sys.path, "threads": max(1, torch.get_num_threads() // plan.devices),
            "sharded": plan.sharded, "validation": validation is not None,
        }  # fmt: skip
        (folder / "task.json").write_text(json.dumps(task))
        told = Training(folder, on_epoch, progress).by(plan.devices)
        built: Model = build(told["architecture"])
        built.load_state_dict(read_tensors(folder / DONE))
    parts = {name: value for name, value in vars(built).items() if name != "hyperparameters"}
    return parts | {name: told[name] for name in ("data", "metrics", "settings", "validation")}


class Training:
    """What the processes of one training say, and are answered."""

    def __init__(self, folder: Path, on_epoch: OnEpoch | None, progress: Progress | None) -> None:
        self._folder, self._on_epoch, self._progress = folder, on_epoch, progress
        self._listener = RankListener(folder / "socket")
        self._messages = self._listener.messages()
        self._state: str | None = None
        self._kept = time.monotonic()
        self._epochs = 0
        self._done: dict[str, Any] | None = None
        self._last = "it said nothing"

    def by(self, processes: int) -> dict[str, Any]:
        """Train by so many, and tell what the first of them said at the end."""
        launched = Thread(target=self._launch, args=(processes,), daemon=True)
        launched.start()
        try:
            with self._listener:  # its end is that of the processes
                for talk, said in self._messages:
                    self._hear(talk, said)
        finally:
            launched.join()
        if self._done is None:
            raise Unavailable(f"processes of the training died {RESTARTS + 1} times ({self._last}); try again")
        return self._done

    def _launch(self, processes: int) -> None:
        from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, Std
        from torch.distributed.launcher.api import LaunchConfig, elastic_launch

        config = LaunchConfig(
            min_nodes=1, max_nodes=1, nproc_per_node=processes, run_id=uuid4().hex, max_restarts=RESTARTS,
            rdzv_backend="static", rdzv_endpoint="127.0.0.1:0", rdzv_configs={"rank": 0, "timeout": 60},
            local_addr="127.0.0.1", logs_specs=DefaultLogsSpecs(str(self._folder / "logs"), Std.ALL),
        )  # fmt: skip
        words = logging.getLogger("torch.distributed.elastic")
        level = words.level
        words.setLevel(logging.CRITICAL)  # that processes died is told in words of our own
        try:
            elastic_launch(config, sys.executable)("-P", "-m", f"{__package__}.rank", str(self._folder))
        except Exception as error:  # noqa: BLE001 - whoever waits is told what the processes said
            log.info("the processes of a training ended: %s", error)
        finally:
            words.setLevel(level)
            self._listener.end()

    def _hear(self, talk: Talk, said: Mapping[str, Any]) -> None:
        answer: dict[str, Any] = {}
        match said["kind"]:
            case "begun":
                answer["state"] = self._begun()
            case "epoch":
                if said["epoch"] > self._epochs and self._on_epoch is not None:  # some are heard again behind a death
                    self._on_epoch(said["epoch"], said["figures"])
                self._epochs = max(self._epochs, said["epoch"])
            case "reached":
                return self._reached(talk, said["step"])
            case "kept":
                self._keep(said["state"])
            case "lost":
                self._last = raised(said["error"]).fact
            case "error":
                raise raised(said["error"])
            case _:
                self._done = dict(said)
        return talk.answer(answer)

    def _begun(self) -> str | None:
        """Where the state lies that the processes go on from."""
        if self._state is None and self._progress is not None and (begun := self._progress.begun()) is not None:
            self._state = f"{STATE}.begun"
            write_tensors(self._folder / self._state, begun)
        return self._state

    def _reached(self, talk: Talk, step: int) -> None:
        """Have the state kept where whoever asked wants it, or the processes would lose more than a few seconds."""
        captured: list[Mapping[str, Tensor]] = []

        def capture() -> Mapping[str, Tensor]:
            if not captured:
                talk.answer({"wanted": True})
                captured.append(self._captured(talk))
            return captured[0]

        try:
            if self._progress is not None:
                self._progress.reached(step, capture)
        except _BegunAnew as begun:
            self._hear(*begun.args)
        else:
            if not captured:
                talk.answer({"wanted": time.monotonic() - self._kept >= KEPT_EVERY})

    def _captured(self, talk: Talk) -> Mapping[str, Tensor]:
        for other, said in self._messages:
            if said["kind"] == "begun":
                raise _BegunAnew(other, said)
            self._hear(other, said)
            if other is talk and said["kind"] == "kept":
                return read_tensors(self._folder / said["state"])
        raise Unavailable("a process of the training died while it kept its state; try again")

    def _keep(self, state: str) -> None:
        if self._state is not None:
            (self._folder / self._state).unlink()
        self._state, self._kept = state, time.monotonic()


class _BegunAnew(Exception):
    """The processes began anew while one of them was waited for: who says so, and how."""
