"""Processes of a training on a Ray cluster: Ray Train begins them where there is room, and anew where one died.

Rows lie in Ray's object store, once a machine, and states come back as messages; so the machines need no common disk.
"""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit
from uuid import uuid4

import numpy as np
import torch

from ...errors import Unavailable
from .cluster import ray_package
from .handover import packed, read_rows, unpacked
from .mailbox import Mailbox

if TYPE_CHECKING:
    from torch import Tensor

    from ..plan import TrainingPlan

ANSWERS: Final = 10.0
"""Seconds for a cluster to take a connection."""
GRACE: Final = 30.0
"""Seconds for processes that were ended to be gone."""
ROOM: Final = 300
"""Seconds for Ray to find room for the processes and to begin them, before it tries anew."""
ROWS: Final = ("rows", "labels", "other", "other-labels")

log = logging.getLogger("lepton")


class RayCluster:
    """The cluster at an address; a connection that this process has already is taken and left."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._ray = ray_package()
        self._own = False

    def __enter__(self) -> Self:
        self._own = not self._ray.is_initialized()
        if self._own:
            try:
                _check_answers(self._address)
                self._ray.init(address=self._address, log_to_driver=False, logging_level=logging.ERROR)
            except Exception as error:
                why = f"{type(error).__name__}: {error}".partition("\n")[0][:200]
                raise Unavailable(f"there is no Ray cluster at {self._address!r} ({why}); see that it runs") from error
        return self

    def __exit__(self, *_: object) -> None:
        if self._own:
            self._ray.shutdown()

    def device(self, plan: TrainingPlan) -> torch.device:
        """The device of the plan; of 'auto' CUDA, where the cluster has so many GPUs now."""
        if plan.device != "auto":
            return torch.device(plan.device)
        return torch.device("cuda" if self._ray.cluster_resources().get("GPU", 0) >= plan.processes else "cpu")

    def ranks(self, folder: Path, task: Mapping[str, Any], plan: TrainingPlan, restarts: int) -> RayRanks:
        """As many as the plan's nodes have devices."""
        group = {
            "processes": plan.processes, "cuda": task["device"] == "cuda", "restarts": restarts,
            "placement": "SPREAD" if plan.nodes > 1 else "PACK",
        }  # fmt: skip
        return RayRanks(self._ray, folder, task, group)


def _check_answers(address: str) -> None:
    """Raise `OSError` where nothing listens at host:port, which Ray itself would wait for many minutes for."""
    where = urlsplit(address if "://" in address else f"//{address}")
    if where.hostname and where.port:
        socket.create_connection((where.hostname, where.port), ANSWERS).close()


class RayRanks:
    """Workers of a TorchTrainer, whose run is a task of its own beside a mailbox: ended, it takes them with it."""

    def __init__(self, ray: Any, folder: Path, task: Mapping[str, Any], group: Mapping[str, Any]) -> None:
        self._ray, self._folder, self._task, self._group = ray, folder, dict(task), dict(group)
        self._talks: dict[str, MailTalk] = {}

    def __enter__(self) -> Self:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        ray = self._ray
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        beside: dict[str, Any] = {"num_cpus": 0, "scheduling_strategy": here}
        self._mailbox = ray.remote(**beside)(Mailbox).remote()
        files = {name: self._folder / name for name in ROWS}
        rows = {name: ray.put(np.memmap(path, mode="r")) for name, path in files.items() if path.exists()}
        config = {"task": self._task, "mailbox": self._mailbox, "rows": rows}
        self._run = ray.remote(**beside, max_retries=0)(run_group).remote(self._group, config)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(self._ray.exceptions.RayError):
            self._ray.cancel(self._run, force=True)
            self._ray.wait([self._run], timeout=GRACE)
            self._ray.kill(self._mailbox)

    def messages(self) -> Iterator[tuple[MailTalk, dict[str, Any]]]:
        """What they say, until all have ended. Raises `Unavailable` where Ray does not begin them, or is lost."""
        try:
            while True:
                heard = self._mailbox.hear.remote()
                if heard not in self._ray.wait([heard, self._run])[0]:
                    break
                yield from self._served(*self._ray.get(heard))
            if trouble := self._ray.get(self._run):
                raise Unavailable(f"Ray did not begin the processes of the training ({trouble}); try again")
        except self._ray.exceptions.RayError as error:
            why = f"{type(error).__name__}: {error}".partition("\n")[0][:200]
            raise Unavailable(f"the Ray cluster lost the training ({why}); try again") from error

    def _served(self, number: int, who: str, said: Mapping[str, Any]) -> Iterator[tuple[MailTalk, dict[str, Any]]]:
        """A message, or none where a file of the folder was handed over or asked for."""
        talk = self._talks.setdefault(who, MailTalk(self._mailbox))
        talk.number = number
        match said:
            case {"file": name, "data": data}:
                (self._folder / name).write_bytes(data)
                talk.send(None)
            case {"wanted": name}:
                talk.send((self._folder / name).read_bytes())
            case _:
                yield talk, json.loads(said["line"])


class MailTalk:
    """One process's words, and how it is answered."""

    def __init__(self, mailbox: Any) -> None:
        self._mailbox = mailbox
        self.number = 0
        """That of its last words."""

    def answer(self, said: Mapping[str, Any]) -> None:
        """Answer the last message; one that is gone hears nothing."""
        self.send(json.dumps(said))

    def send(self, said: Any) -> None:
        """Send what its last words asked for."""
        self._mailbox.answer.remote(self.number, said)


class MailAsker:
    """Whoever asked, as a process on the cluster sees them."""

    def __init__(self, ray: Any, mailbox: Any, rows: Mapping[str, Any]) -> None:
        self._ray, self._mailbox, self._rows = ray, mailbox, rows
        self._name = uuid4().hex

    def ask(self, kind: str, **said: Any) -> dict[str, Any]:
        """Say something, and wait for the answer."""
        return json.loads(self._asked({"line": json.dumps({"kind": kind, **said})}))

    def rows(self, name: str) -> Any:
        """An Arrow table over the machine's object store, which its processes share."""
        return read_rows(self._ray.get(self._rows[name]))

    def tensors(self, name: str) -> dict[str, Tensor]:
        """The tensors of a name, on the CPU."""
        return unpacked(self._asked({"wanted": name}))

    def hand(self, name: str, tensors: Mapping[str, Tensor]) -> None:
        """Send tensors under a name."""
        self._asked({"file": name, "data": packed(tensors)})

    def _asked(self, said: Mapping[str, Any]) -> Any:
        return self._ray.get(self._mailbox.ask.remote(self._name, said))


def run_group(group: Mapping[str, Any], config: Mapping[str, Any]) -> str | None:
    """Run a training by Ray Train, in a process of Ray's; what kept it from beginning, None where it began.

    That processes died again and again is told by whoever heard them.
    """
    from ray.train import ControllerError, FailureConfig, RunConfig, ScalingConfig, TrainingFailedError
    from ray.train.torch import TorchTrainer

    os.environ.setdefault("RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S", str(ROOM))
    # nothing is reported to Ray Train, so nothing is kept there but its own marks
    with TemporaryDirectory(prefix="lepton-training-") as folder:
        failures = FailureConfig(max_failures=group["restarts"], controller_failure_limit=group["restarts"])
        trainer = TorchTrainer(
            learn_on_ray,
            train_loop_config=dict(config),
            scaling_config=ScalingConfig(
                num_workers=group["processes"], use_gpu=group["cuda"], placement_strategy=group["placement"]
            ),
            run_config=RunConfig(name="training", storage_path=folder, failure_config=failures),
        )
        try:
            trainer.fit()
        except ControllerError as error:
            return str(error.controller_failure).partition("\n")[0][:500]
        except TrainingFailedError as error:
            log.info("the processes of a training ended: %s", error)
    return None


def learn_on_ray(config: Mapping[str, Any]) -> None:
    """Train, as one of the processes of a group that Ray Train has made."""
    import ray
    from ray.train.torch import get_device

    from .rank import learn

    def meet() -> None:
        device = get_device()
        if device.type == "cuda":
            torch.cuda.set_device(device)

    with suppress(SystemExit):  # all but the first process end so
        learn(config["task"], MailAsker(ray, config["mailbox"], config["rows"]), meet)
