"""Files of runs: kept by one command, and listed."""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# (pyarrow ships no types)

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from ...domain.commands import LogFiles, Stored
from ...errors import Condemned
from ...events.objects import packs_written
from ...events.run import FileLogged
from ...events.sql.rows import PlacementRow
from ...media import media_type
from ...results import RunFileRecord, RunFileRecords
from ..save import UPLOADS
from ..workspace import Workspace
from .found_file import found as found
from .run_file import RunFile, check_size

_LISTED: Final = (
    "SELECT run, name, step, recorded AS time, media_type, bytes, digest FROM run_files "
    "WHERE run = ? AND (? IS NULL OR name = ?) ORDER BY name, step NULLS FIRST"
)


def keep(
    workspace: Workspace, run: str, files: Sequence[RunFile], key: str, time: datetime | None = None
) -> tuple[str, ...]:
    """Keep files of a run: the digests of their bytes, which are synced before the ledger hears of them."""
    for _ in range(UPLOADS):
        with suppress(Condemned):
            return _kept(workspace, run, files, key, time)
    return _kept(workspace, run, files, key, time)


def _kept(workspace: Workspace, run: str, files: Sequence[RunFile], key: str, time: datetime | None) -> tuple[str, ...]:
    saved = workspace.vault_to_save().keep_files({file.name: file.content for file in files})
    kept = {file.name: file for file in saved.files}
    for each in saved.files:
        check_size(each.name, each.bytes)
    logged = tuple(
        FileLogged(
            name=file.name,
            media_type=media_type(file.name),
            digest=kept[file.name].digest,
            bytes=kept[file.name].bytes,
            step=file.step,
        )
        for file in files
    )
    stored = Stored(packs=packs_written(saved.packs), relies_on=saved.relies_on)
    placements = tuple(PlacementRow(*place) for place in saved.placements)
    workspace.admit(LogFiles(run=run, files=logged, stored=stored), key, placements, time)
    return tuple(file.digest for file in logged)


def listed(ask: Callable[[str, Sequence[Any]], Any], run: str, name: str | None) -> RunFileRecords:
    """The files of a run, or those of a name, by name and step."""
    return RunFileRecords(RunFileRecord(**row) for row in ask(_LISTED, [run, name, name]).to_pylist())
