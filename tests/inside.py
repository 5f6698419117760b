"""Attempts without a process of their own: torch is loaded once, and not for every job that a test asks for."""

from __future__ import annotations

import json
import os
import subprocess
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest

from lepton_ai.tensors.address import objects_at
from lepton_ai.workers import attempt
from lepton_ai.workers.child import attend
from lepton_ai.workers.handlers import HANDLERS
from lepton_ai.workers.orders import Order
from lepton_ai.workers.work import Work


class Inside:
    """Stands for the process that an attempt spawns: it is told the same, does the same, and answers the same way."""

    pid = 2**31 - 1
    """Of no process: to kill it does nothing."""

    def __init__(self, command: list[str], **_: Any) -> None:
        theirs, ours = os.pipe()
        self.stdin = os.fdopen(ours, "wb")
        self._told = os.fdopen(theirs, "rb")
        self._pipe = os.dup(int(command[-1]))
        self._thread = Thread(target=self._work, daemon=True)
        self._thread.start()

    @property
    def returncode(self) -> int | None:
        return self.poll()

    def poll(self) -> int | None:
        return None if self._thread.is_alive() else 0

    def wait(self) -> None:
        self._thread.join()

    def _work(self) -> None:
        try:
            with self._told:
                task = json.loads(self._told.readline())
            order = Order.model_validate(task["order"])
            attend(Work(order, objects_at(**task["objects"]), self._pipe), HANDLERS)
        finally:
            os.close(self._pipe)


def attempts_inside(patch: pytest.MonkeyPatch) -> None:
    """Have every worker of this process do its work here."""
    patch.setattr(attempt, "subprocess", SimpleNamespace(PIPE=subprocess.PIPE, Popen=Inside))
