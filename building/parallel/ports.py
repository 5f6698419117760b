"""How the processes of a training and whoever asked for it speak, whatever carries their words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    import torch
    from torch import Tensor

    from ..plan import TrainingPlan


class Asker(Protocol):
    """Whoever asked, as a process of the training sees it."""

    def ask(self, kind: str, **said: Any) -> dict[str, Any]:
        """Say something, and wait for the answer."""
        ...

    def rows(self, name: str) -> Any:
        """The rows that were handed over under a name, an Arrow table."""
        ...

    def tensors(self, name: str) -> dict[str, Tensor]:
        """The tensors of a name, on the CPU."""
        ...

    def hand(self, name: str, tensors: Mapping[str, Tensor]) -> None:
        """Hand tensors over under a name."""
        ...


class RankTalk(Protocol):
    """One process's words, and how it is answered."""

    def answer(self, said: Mapping[str, Any]) -> None:
        """Answer the last message; one that is gone hears nothing."""
        ...


class Ranks(AbstractContextManager[Any], Protocol):
    """The processes of one training, as whoever asked sees them: begun by entering, ended by leaving."""

    def messages(self) -> Iterator[tuple[RankTalk, dict[str, Any]]]:
        """What is said, with whom to answer, until all have ended."""
        ...


class Launcher(AbstractContextManager[Any], Protocol):
    """Where processes of a training are begun; entered before it is asked."""

    def device(self, plan: TrainingPlan) -> torch.device:
        """The device that each process has one of. Raises `Refused` where there are too few."""
        ...

    def ranks(self, folder: Path, task: Mapping[str, Any], plan: TrainingPlan, restarts: int) -> Ranks:
        """The processes of a task, which its files in a folder are handed to, and what they hand over comes into it.

        After one of them died all begin anew, so many times.
        """
        ...
