"""Files of runs whose bytes were uploaded: put together of their chunks, then kept as those of a script here are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, cast

from blake3 import blake3

from ...domain.commands import run_stream
from ...domain.names import checked_file
from ...domain.run.state import RunState
from ...errors import Malformed
from ...events.bounds import SIGNED
from ...events.run import FileLogged
from ...plain import whole
from ...tensors.digest import named
from ..runs.run_file import RunFile, check_count, check_size
from ..spool.ledger import LedgerDestination
from ..spool.outbox import fresh_key
from ..workspace import Workspace
from .saving import Blob, contents, writable
from .staging import StagedChunks, Staging


class SentFile(NamedTuple):
    """A file of a run whose chunks were uploaded."""

    name: str
    content: Blob
    step: int | None


def log_files(
    workspace: Workspace,
    staging: Staging,
    run: str,
    files: Sequence[SentFile],
    key: str | None,
    time: datetime | None,
    writer: str | None,
) -> tuple[str, ...]:
    """Keep files of a run: the digests of their bytes. Those that are sent again under their key lie in the store.

    Raises `MissingChunks` where some of it is not here by now, `Malformed` where it is not what its digest says.
    """
    check_count(len(files))
    if len({checked_file(file.name) for file in files}) < len(files):
        raise Malformed("two of the files have one name; name each once")
    staged = staging.of(writable(workspace, _model(workspace, run)).name)
    before = {each.event.digest for each in workspace.known(key) if isinstance(each.event, FileLogged)}
    with staged.folder_for_files() as folder:
        kept = [
            RunFile(
                file.name,
                workspace.vault.blob(file.content.digest)
                if file.content.digest in before
                else _assembled(staged, file, folder / str(number)),
                None if file.step is None else whole(file.step, "the step", SIGNED),
            )
            for number, file in enumerate(files)
        ]
        digests = LedgerDestination(workspace).log_files(run, kept, key or fresh_key(), time=time, writer=writer)
    staged.drop([chunk for file in files for chunk in file.content.chunks])
    return digests


def _model(workspace: Workspace, run: str) -> str:
    return cast(RunState, workspace.ledger.state(run_stream(run))).model


def _assembled(staged: StagedChunks, file: SentFile, path: Path) -> Path:
    """A file put together of its chunks."""
    size, hasher = 0, blake3()
    with path.open("xb") as written:
        for piece in contents(staged, file.content):
            written.write(piece)
            hasher.update(piece)
            size += len(piece)
            check_size(file.name, size)
    if (found := named(hasher)) != file.content.digest:
        raise Malformed(f"the chunks of {file.name!r} come to {found}, not to {file.content.digest}; send what it says")
    return path
