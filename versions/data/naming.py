"""Naming rows: read once, described by fingerprint and profile, kept where asked, recorded by one command."""
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false
# (pyarrow ships no types)

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Callable, Generator, Iterable
from contextlib import closing, contextmanager, suppress
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any, Final

from ...addresses import checked_source
from ...datasets.selection import Selection
from ...domain.data.commands import NameData
from ...domain.data.state import DataState
from ...domain.names import checked_data
from ...errors import Condemned, Malformed, Unavailable
from ...plain import words_of
from ..save import UPLOADS, placed, stored
from ..workspace import Workspace
from .named_data import Opened, opened, state_of
from .uploaded import UploadedFile

if TYPE_CHECKING:
    from ...datasets.profiles.survey import Survey
    from ...tensors.vault import SavedTensors

MOST: Final = 2_000_000_000
"""Bytes of Parquet that are kept of one data set: whoever reads them back has them in memory at once."""


def add(
    begun: Callable[[], Workspace],
    name: str,
    data: Any,
    labels: Any,
    *,
    chosen: Selection,
    keep: bool,
    message: str,
    key: str | None,
) -> None:
    """Give rows a name. Nothing is recorded, kept or opened (`begun`) where they cannot be read.

    Nothing is recorded, nor kept, where they bear it already.
    """
    checked_data(name)
    pieces, label, source = _read(data, labels, chosen)
    with _parquet(keep) as file:
        found = _surveyed(pieces, label, file)
        workspace = begun()
        state = state_of(workspace, name)
        same = _standing(state, found)
        if same is not None and same.event.kept:
            file = None
        was = Opened("", "") if same is None else opened(workspace, same)
        asked: dict[str, Any] = {
            "name": name,
            "data": found.fingerprint,
            "label": label,
            "selection": chosen.to_dict(),
            "profile": found.profile,
            "source": "" if keep else source or was.source,
            "moved": not keep and source not in ("", was.source),
            "described": message not in ("", was.message),
            "message": message or was.message,
            "asked": {"keep": keep},
        }
        _admit(workspace, asked, file, key)


def _admit(workspace: Workspace, asked: dict[str, Any], file: Any, key: str | None) -> None:
    """Keep the bytes, if any, and send the command; anew where a pack was condemned meanwhile that they rely on."""
    for _ in range(UPLOADS):
        with suppress(Condemned):
            return _sent(workspace, asked, file, key)
    return _sent(workspace, asked, file, key)


def _sent(workspace: Workspace, asked: dict[str, Any], file: Any, key: str | None) -> None:
    if file is None:
        workspace.admit(NameData(**asked), key)
        return
    kept = _kept(workspace, file)
    manifest = kept.manifest
    command = NameData(**asked, kept=manifest.digest, bytes=manifest.size, stored=stored(kept))
    workspace.admit(command, key, placed(kept))


def _kept(workspace: Workspace, file: Any) -> SavedTensors:
    import numpy as np

    from ...datasets.named_rows import KEPT
    from ...tensors.graph import Graph
    from ...tensors.tensor import Array

    rows = np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)
    tensors = {KEPT: Array("uint8", rows.shape, rows)}
    return workspace.vault_to_save().keep(tensors, base=None, graph=Graph({}, ()))


def _surveyed(pieces: Iterable[Any], label: str | None, file: Any) -> Survey:
    from ...datasets.profiles.survey import RowsWriter, survey

    if file is None:
        return survey(pieces, label)
    with closing(RowsWriter(file, MOST)) as writer:
        found = survey(pieces, label, writer)
        writer.finish()
    file.flush()
    return found


def _standing(state: DataState, found: Survey) -> Any:
    """What the name stands for, where that is the very same rows."""
    newest = state.newest
    return newest if newest and newest.event.data.get("digest") == found.fingerprint["digest"] else None


def _read(data: Any, labels: Any, chosen: Selection) -> tuple[Iterable[Any], str | None, str]:
    """The rows in pieces, the column of labels, and the address where they lie, if they lie anywhere."""
    if isinstance(data, UploadedFile):
        from ...datasets.profiles.pieces import file_pieces

        return file_pieces(data.path, labels, chosen), labels, ""
    if isinstance(data, str | PathLike):
        from ...datasets.profiles.pieces import file_pieces
        from ...datasets.read import located
        from ...datasets.sources.web import is_web

        if labels is not None and not isinstance(labels, str):
            raise Malformed(f"the labels of a file are the name of its column, not {words_of(labels)}; give the name")
        address = located(fspath(data))
        if not address.startswith("file://") and not is_web(address):
            checked_source(address)
        return file_pieces(fspath(data), labels, chosen), labels, address
    from ...datasets.tables import labelled_table

    table, label = labelled_table(data, labels, chosen)
    return (table,), label, ""


@contextmanager
def _parquet(keep: bool) -> Generator[Any]:
    """A file without a name for the rows that are kept; None where none are."""
    if not keep:
        yield None
        return
    try:
        file = tempfile.TemporaryFile()  # noqa: SIM115 - closed below
    except OSError as error:
        raise Unavailable(f"the rows cannot be written down ({error.strerror}); make room in TMPDIR") from None
    with file:
        yield file
