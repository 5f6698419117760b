"""Many versions within a second: commands as a save sends them, admitted by the hundred."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from lepton_ai import ModelManager
from lepton_ai.domain import commands
from lepton_ai.ledger import Request


class Many:
    """Adds versions to the model `net`, of the tensors of its first two by turns; its Nth has `f1` N / 1,000,000."""

    def __init__(self, manager: ModelManager) -> None:
        self._workspace: Any = manager._home.workspace
        self._commits = self._caught(manager)
        self.count = 2

    def add(self, count: int) -> None:
        """Add some more."""
        first, self.count = self.count + 1, self.count + count
        waiting = iter(self._numbered(range(first, self.count + 1)))
        actor = self._workspace.actors.named("ada")
        while batch := [Request(command, actor) for command in islice(waiting, 200)]:
            for answer in self._workspace.ledger.admit_all(batch):
                assert not isinstance(answer, Exception), answer

    def _numbered(self, numbers: Iterable[int]) -> Iterable[commands.Commit]:
        for number in numbers:
            commit, metrics = self._commits[number % 2 - 1], {"f1": number / 1_000_000}
            yield replace(commit, follows_head=True, stored=commands.Stored(), metrics=metrics, message=f"n{number}")

    def _caught(self, manager: ModelManager) -> list[commands.Commit]:
        caught: list[commands.Commit] = []
        admit = self._workspace.admit

        def watched(command: Any, *more: Any, **named: Any) -> Any:
            if isinstance(command, commands.Commit):
                caught.append(command)
            return admit(command, *more, **named)

        self._workspace.admit = watched
        for number in (1, 2):
            weights = {"w": np.full(3, number, "float32")}
            manager.save_version(weights, name="net", metrics={"f1": number / 1_000_000})
        self._workspace.admit = admit
        return caught
