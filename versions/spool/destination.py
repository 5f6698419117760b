"""Where saves, runs and metrics go: the port of a ledger that is opened here, or that a server has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from ..runs.run_file import RunFile
from ..save_request import Save
from ..source import Subject
from .entries import RunCommand

if TYPE_CHECKING:
    from ...domain.commands import ResumeRun
    from ...results import Version
    from ...tensors.tensor import Tensor


class Destination(Protocol):
    """A ledger as outbox and delivery need it.

    Each act raises `Unavailable` while the ledger is away, and acts once under its key. `time` is when it happened, if
    not now. With `writer` a run must be that writer's still, else `RunTaken` is raised.
    """

    def acting(self, actor: str) -> Destination:
        """The same ledger, told in the name of another."""
        ...

    def check_open(self, key: str) -> None:
        """Raise `Unavailable` where it takes nothing now: before tensors are written to it in vain."""
        ...

    def save(
        self, subject: Subject, save: Save, key: str, *, time: datetime | None = None, writer: str | None = None
    ) -> Version:
        """Keep a save that is filled in, and whose pending versions have their numbers."""
        ...

    def send(self, command: RunCommand, key: str, *, time: datetime | None = None, writer: str | None = None) -> None:
        """Tell a run's command."""
        ...

    def checkpoint(
        self,
        run: str,
        tensors: Mapping[str, Tensor],
        step: int | None,
        key: str,
        *,
        architecture: Mapping[str, Any] | None = None,
        time: datetime | None = None,
        writer: str | None = None,
    ) -> str:
        """Keep a run's tensors on the way: the digest of their manifest."""
        ...

    def log_files(
        self, run: str, files: Sequence[RunFile], key: str, *, time: datetime | None = None, writer: str | None = None
    ) -> tuple[str, ...]:
        """Keep files of a run: the digests of their bytes."""
        ...

    def load_checkpoint(self, run: str, step: int | None, into: Any, optimizer: Any) -> Any:
        """What a run kept at a step, or last."""
        ...

    def resume(self, run: str, writer: str, command: ResumeRun, key: str) -> None:
        """Go on with a run in the place of whoever logged to it before."""
        ...

    def beat(self, run: str, writer: str) -> bool:
        """Let a run be heard of: False where it has ended, or somebody else goes on with it."""
        ...

    def number_under(self, key: str) -> int | None:
        """The version that a save under a key made or changed; None where no event tells."""
        ...

    def version(self, model: str, number: int) -> Version:
        """A version as callers hold it."""
        ...

    def head(self, model: str, branch: str) -> int | None:
        """The version that a branch of a model stands on."""
        ...

    def parents(self, model: str, save: Save) -> tuple[int, ...]:
        """The parents of the same model that a save would get; none where one of them is refused."""
        ...

    def free_tags(self, model: str, save: Save) -> tuple[str, ...]:
        """Those of a save's tags that name nothing yet."""
        ...

    def check_savable(self, model: str, branch: str, tags: tuple[str, ...], *, named: bool) -> None:
        """Raise `Refused` where a save would be refused whatever its bytes; tell of a model that nobody named."""
        ...
