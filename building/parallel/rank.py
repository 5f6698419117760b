"""One of the processes that learn together: it trains its share, and the first of them says what comes of it."""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor, distributed

from ...errors import DataWarning, LeptonError, Refused
from ...models.memory import is_out_of_memory
from ...models.registry import registered
from ...sent_errors import told
from .channel import RankChannel
from .group import join
from .handover import DONE, STATE

if TYPE_CHECKING:
    from ..neural import NeuralModel
    from .ports import Asker

PAUSE: Final = 0.5
"""Seconds between two questions whether what was come to is to be kept."""


def main(folder: Path) -> None:
    """Train as the folder says."""
    task: dict[str, Any] = json.loads((folder / "task.json").read_text())
    learn(task, RankChannel(folder), lambda: _meet(task, folder))


def learn(task: Mapping[str, Any], asker: Asker, meet: Callable[[], None]) -> None:
    """Train with the others that `meet` makes a process group with, and tell whoever asked what comes of it."""
    try:
        meet()
        _train(task, asker)
    except LeptonError as error:
        asker.ask("error", error=told(error))
    except Exception as error:
        text = f"{type(error).__name__}: {error}".partition("\n")[0][:500]
        # a process that died takes its neighbours' connections with it; all else would come again
        lost = isinstance(error, RuntimeError) and not is_out_of_memory(error)
        asker.ask("lost" if lost else "error", error=told(Refused(f"a process of the training failed ({text})")))
        raise


def _meet(task: Mapping[str, Any], folder: Path) -> None:
    """Make a process group of the processes that the elastic launcher began."""
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    torch.set_num_threads(task["threads"])
    if task["device"] == "cuda":
        torch.cuda.set_device(rank)
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo0" if sys.platform == "darwin" else "lo")
    distributed.init_process_group(
        "nccl" if task["device"] == "cuda" else "gloo",
        init_method=f"file://{folder}/meeting.{os.environ['TORCHELASTIC_RESTART_COUNT']}",
        rank=rank,
        world_size=size,
    )


def _train(task: Mapping[str, Any], asker: Asker) -> None:
    join(sharded=task["sharded"])
    sys.path += [each for each in task["path"] if each not in sys.path]
    import_module(task["module"])
    model: NeuralModel[Any, Any, Any] = registered(task["class"])()
    model.hyperparameters |= task["hyperparameters"] | {"device": task["device"]}
    progress = RankProgress(asker, distributed.get_rank())
    validation = (asker.rows("other"), asker.rows("other-labels")) if task["validation"] else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # whoever asked has said it
        model.train(
            asker.rows("rows"), asker.rows("labels"), validation=validation, on_epoch=progress.epoch,
            progress=progress,
        )  # fmt: skip
    asker.hand(DONE, model.state_dict())
    asker.ask(
        "done", architecture=model.architecture(), data=model.data, metrics=model.metrics, settings=model.settings,
        validation=model.validation,
    )  # fmt: skip


class RankProgress:
    """A fit's progress, of which the first process tells; all stand at the same step whenever it is asked about."""

    def __init__(self, asker: Asker, rank: int) -> None:
        self._asker, self._rank = asker, rank
        self._next, self._asked, self._step = 0, time.monotonic(), 0
        self._ended = False

    def begun(self) -> Mapping[str, Tensor] | None:
        """What the processes before these had come to."""
        name: str | None = self._asker.ask("begun")["state"]
        return None if name is None else self._asker.tensors(name)

    def epoch(self, epoch: int, figures: Mapping[str, float]) -> None:
        """An epoch is over."""
        self._ended = True
        if not self._rank:
            self._asker.ask("epoch", epoch=epoch, figures=dict(figures))

    def reached(self, step: int, capture: Callable[[], Mapping[str, Tensor]]) -> None:
        """Ask, at the end of an epoch and about twice a second, whether to keep it; all processes keep it together."""
        if not self._ended and step < self._next:
            return
        self._ended = False
        answer = torch.zeros(2, dtype=torch.int64)
        if not self._rank:
            wanted = self._asker.ask("reached", step=step)["wanted"]
            answer = torch.tensor([int(wanted), step + self._steps(step)])
        wanted, self._next = _from_the_first(answer)
        if wanted:
            state = capture()
            if not self._rank:
                name = f"{STATE}.{step}"
                self._asker.hand(name, state)
                self._asker.ask("kept", step=step, state=name)

    def _steps(self, step: int) -> int:
        """So many took about that pause."""
        now = time.monotonic()
        steps = max(1, round(PAUSE * (step - self._step) / max(now - self._asked, 1e-6)))
        self._asked, self._step = now, step
        return steps


def _from_the_first(value: Tensor) -> tuple[int, ...]:
    here = value.to("cpu" if distributed.get_backend() == "gloo" else "cuda")
    distributed.broadcast(here, 0)
    return tuple(map(int, here))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
