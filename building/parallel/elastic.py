"""Processes of a training on this machine, begun by torchrun's elastic launcher.

Nothing listens on a network but torch's own store of the launcher: the processes meet in a folder that is this user's
alone.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

import torch

from ...errors import Refused
from ..device import chosen_device
from .channel import RankListener, Talk

if TYPE_CHECKING:
    from ..plan import TrainingPlan

log = logging.getLogger("lepton")


class ThisMachine(nullcontext[None]):
    """Where processes share the CPU's threads, or have a CUDA device each."""

    def device(self, plan: TrainingPlan) -> torch.device:
        """The device of the plan. Raises `Refused` where there are too few."""
        device = chosen_device(plan.device)
        one_each = device.type == "cuda" and ":" not in plan.device
        if one_each and plan.devices > (here := torch.cuda.device_count()):
            raise Refused(f"{plan.devices} CUDA devices are asked for and {here} are here; lower 'devices'")
        return device

    def ranks(self, folder: Path, task: Mapping[str, Any], plan: TrainingPlan, restarts: int) -> LocalRanks:
        """As many as the plan has devices."""
        threads = max(1, torch.get_num_threads() // plan.devices)
        (folder / "task.json").write_text(json.dumps({**task, "threads": threads}))
        return LocalRanks(folder, plan.devices, restarts)


class LocalRanks:
    """So many processes, which begin anew so many times after one of them died."""

    def __init__(self, folder: Path, processes: int, restarts: int) -> None:
        self._folder, self._processes, self._restarts = folder, processes, restarts
        self._listener = RankListener(folder / "socket")
        self._launched = Thread(target=self._launch, daemon=True)

    def messages(self) -> Iterator[tuple[Talk, dict[str, Any]]]:
        """What they say, until all have ended."""
        return self._listener.messages()

    def __enter__(self) -> Self:
        self._launched.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.__exit__()  # its end is that of the processes
        self._launched.join()

    def _launch(self) -> None:
        from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, Std
        from torch.distributed.launcher.api import LaunchConfig, elastic_launch

        config = LaunchConfig(
            min_nodes=1, max_nodes=1, nproc_per_node=self._processes, run_id=uuid4().hex, max_restarts=self._restarts,
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
