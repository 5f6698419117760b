"""A training by several processes, as whoever asked for it goes through it, be they here or on a Ray cluster.

A process that dies ends all, and they begin anew where the training was last kept.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import torch

from ...errors import Refused, Unavailable
from ...models.registry import build, name_of
from ...sent_errors import raised
from .cluster import VARIABLE, ray_address
from .elastic import ThisMachine
from .handover import DONE, STATE, read_tensors, write_labels, write_rows, write_tensors
from .over_ray import RayCluster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from ...models.model import Model, OnEpoch
    from ...models.progress import Progress
    from ..plan import TrainingPlan
    from .ports import Launcher, Ranks, RankTalk

RESTARTS: Final = 3
"""Times that the processes begin anew after one of them died."""
KEPT_EVERY: Final = 10.0
"""Seconds between two states that are kept for that."""


def check_devices(plan: TrainingPlan, device: torch.device) -> None:
    """Hold that so many processes can learn on such a device. Raises `Refused` where they cannot."""
    if plan.batch_size < plan.processes:
        raise Refused(f"batches of {plan.batch_size} are too few for {plan.processes} processes; raise 'batch_size'")
    if plan.sharded and plan.precision == "float16":
        raise Refused("float16 does not go with 'sharded'; use 'bfloat16' or 'float32'")
    if device.type not in ("cpu", "cuda"):
        raise Refused(f"several processes learn on CUDA or on the CPU, not on {device.type}; set 'device' to 'cpu'")
    if device.type == "cuda" and ":" in plan.device:
        raise Refused(f"{plan.processes} processes have a device each, not {plan.device!r}; set 'device' to 'cuda'")


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

    Raises what its own training does, `Unavailable` where processes die again and again or Ray is away, and whatever
    the callbacks raise, which ends the processes.
    """
    kind = type(model)
    if kind.__module__ == "__main__":
        raise Refused(f"other processes cannot import {kind.__qualname__} from a script; move it into a module")
    launcher = _launcher(plan)
    with launcher, TemporaryDirectory(prefix="lepton-training-") as name:
        device = launcher.device(plan)
        check_devices(plan, device)
        folder = Path(name)
        write_rows(folder / "rows", data)
        write_labels(folder / "labels", labels)
        if validation is not None:
            write_rows(folder / "other", validation[0])
            write_labels(folder / "other-labels", validation[1])
        task = {
            "class": name_of(kind), "device": device.type, "hyperparameters": model.hyperparameters,
            "module": kind.__module__, "path": sys.path, "sharded": plan.sharded, "validation": validation is not None,
        }  # fmt: skip
        told = Training(folder, on_epoch, progress).by(launcher.ranks(folder, task, plan, RESTARTS))
        built: Model = build(told["architecture"])
        built.load_state_dict(read_tensors(folder / DONE))
    parts = {name: value for name, value in vars(built).items() if name != "hyperparameters"}
    return parts | {name: told[name] for name in ("data", "metrics", "settings", "validation")}


def _launcher(plan: TrainingPlan) -> Launcher:
    """This machine, or, for more than it has, the Ray cluster that this process was told of."""
    address = ray_address()
    wants_cuda = plan.device == "cuda" or (plan.device == "auto" and torch.cuda.is_available())
    beyond = plan.nodes > 1 or (wants_cuda and plan.devices > torch.cuda.device_count())
    if address is not None and beyond:
        return RayCluster(address)
    if plan.nodes > 1:
        raise Refused(
            f"{plan.nodes} nodes are asked for, and this process knows no Ray cluster",
            python=f"set {VARIABLE} to its address, such as auto, or leave 'nodes' out",
            cli="start a worker with `lepton worker --ray ADDRESS`, or leave 'nodes' out",
        )
    return ThisMachine()


class Training:
    """What the processes of one training say, and are answered."""

    def __init__(self, folder: Path, on_epoch: OnEpoch | None, progress: Progress | None) -> None:
        self._folder, self._on_epoch, self._progress = folder, on_epoch, progress
        self._messages: Iterator[tuple[RankTalk, dict[str, Any]]] = iter(())
        self._state: str | None = None
        self._kept = time.monotonic()
        self._epochs = 0
        self._done: dict[str, Any] | None = None
        self._last = "it said nothing"

    def by(self, ranks: Ranks) -> dict[str, Any]:
        """Have these processes train, and tell what the first of them said at the end."""
        with ranks:
            self._messages = ranks.messages()
            for talk, said in self._messages:
                self._hear(talk, said)
        if self._done is None:
            raise Unavailable(f"processes of the training died {RESTARTS + 1} times ({self._last}); try again")
        return self._done

    def _hear(self, talk: RankTalk, said: Mapping[str, Any]) -> None:
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

    def _reached(self, talk: RankTalk, step: int) -> None:
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

    def _captured(self, talk: RankTalk) -> Mapping[str, Tensor]:
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
