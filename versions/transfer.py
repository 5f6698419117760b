"""What a server does for clients that send and fetch bytes: uploads staged and saved, stored bytes read by ranges."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..domain.model.state import ModelVersion
from ..results import Version
from .export import restoring, weights
from .incoming import run_files, saving
from .incoming.run_files import SentFile
from .incoming.saving import Missing, Uploaded
from .incoming.staging import Staging, Upload
from .workspace import Workspace


@dataclass(frozen=True)
class Transfer:
    """The bytes of a ledger's versions, as far as who asks may read and write them."""

    workspace: Workspace
    staging: Staging
    resolved: Callable[[str], ModelVersion]

    def missing(
        self,
        model: str,
        chunks: Sequence[str],
        files: Sequence[str] = (),
        *,
        branch: str = "main",
        parents: Sequence[str] = (),
        run: str | None = None,
    ) -> Missing:
        """What a save of a model would lack of these chunks and files."""
        return saving.missing(
            self.workspace,
            self.staging,
            model,
            chunks,
            files,
            branch=branch,
            parents=parents,
            run=run and self._run(run),
        )

    def upload(self, model: str) -> Upload:
        """Where chunks for a model are put."""
        return saving.upload(self.workspace, self.staging, model)

    def save(
        self, asked: Mapping[str, Any], uploaded: Uploaded, key: str | None = None, time: datetime | None = None
    ) -> Version:
        """Make a version of what was uploaded."""
        return saving.save(self.workspace, self.staging, asked, uploaded, key, time)

    def checkpoint(
        self,
        run: str,
        uploaded: Uploaded,
        key: str | None = None,
        time: datetime | None = None,
        *,
        step: int | None = None,
        architecture: Mapping[str, Any] | None = None,
    ) -> str:
        """Keep what was uploaded as a run's checkpoint: the digest of its manifest."""
        return saving.checkpoint(
            self.workspace, self.staging, self._run(run), uploaded, key, time, step=step, architecture=architecture
        )

    def log_files(
        self,
        run: str,
        files: Sequence[SentFile],
        key: str | None = None,
        time: datetime | None = None,
        writer: str | None = None,
    ) -> tuple[str, ...]:
        """Keep what was uploaded as files of a run: the digests of their bytes."""
        return run_files.log_files(self.workspace, self.staging, self._run(run), files, key, time, writer)

    def restorable(self, rev: str, since: str | None = None) -> restoring.Restorable:
        """What a restore of a version rests on; with `since` the deltas alone that lead there from another."""
        model, number = self.resolved(rev)
        start = None if since is None else self.workspace.resolve(since, model.name).number
        return restoring.restorable(self.workspace, model, number, start)

    def restorable_checkpoint(self, run: str, step: int | None) -> restoring.Restorable:
        """What a restore of a checkpoint rests on."""
        return restoring.restorable_checkpoint(self.workspace, self._run(run), step)

    def tensors(self, rev: str) -> weights.Tensors:
        """The tensors of a version, to be read by ranges."""
        return weights.tensors(self.workspace, *self.resolved(rev))

    def checkpoint_tensors(self, run: str, step: int | None) -> weights.Tensors:
        """The tensors of a checkpoint, to be read by ranges."""
        return weights.checkpoint_tensors(self.workspace, self._run(run), step)

    def files(self, rev: str) -> list[dict[str, Any]]:
        """The files kept beside a version."""
        model, number = self.resolved(rev)
        return [
            {"name": each.name, "digest": each.digest, "bytes": each.bytes}
            for each in model.version(number).event.files
        ]

    def file(self, digest: str) -> bytes:
        """The content of a file that `files` listed."""
        return self.workspace.vault.blob(digest)

    def _run(self, words: str) -> str:
        return self.workspace.named("run", words)
