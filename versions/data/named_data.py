"""Data by its name: what a name stands for, and the rows that it names, wherever rows are asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from os import PathLike, fspath
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from ...datasets.selection import Selection, selection
from ...domain.data.state import DataState, NamedRows
from ...domain.names import DATA_PREFIX, JOB_PREFIX
from ...domain.streams import data_stream
from ...errors import Damaged, Malformed, Refused, UnknownRevision
from ...events.actor import FORGOTTEN
from ...tensors.graph import Graph
from ..rows import LabelledFile
from ..workspace import Workspace

if TYPE_CHECKING:
    from ...datasets.columns import Kind
    from ...datasets.named_rows import NamedSource

_NAME: Final = re.compile(r"[^@]+(@[1-9][0-9]*)?")


class Opened(NamedTuple):
    """The texts of named data as their reader sees them."""

    source: str
    message: str


class KnownData(NamedTuple):
    """A version of a name."""

    name: str
    version: int
    rows: NamedRows

    @property
    def words(self) -> str:
        """The name with its version."""
        return f"{self.name}@{self.version}"


@dataclass(frozen=True)
class NamedFile(LabelledFile):
    """Rows that bear a name, read once for each schema as a file's are."""

    source: NamedSource | None = field(default=None, compare=False)

    def _rows(self, label: str, schema: Mapping[str, Kind], chosen: Selection) -> tuple[Any, Any]:
        assert self.source is not None
        return self.source.split(label, chosen, schema)

    def columns(self, names: Sequence[str] | None) -> Any:
        assert self.source is not None
        return self.source.columns(names)


def rows_of(workspace: Workspace, data: Any, labels: Any = None) -> tuple[Any, Any, str]:
    """Data and labels as they are given, or those that a name stands for; and what the rows are called, if anything.

    A name is `data:NAME`, or NAME where no file is called so; `NAME@2` is an earlier version of it. The labels may be
    left out where the name knows them. Raises `Refused` where NAME is both, `UnknownRevision` where it is neither.
    """
    if (known := find(workspace, data)) is None:
        if data is not None and labels is None:
            raise Malformed(
                "nobody said what the labels of the rows are",
                python="give labels, or of a file the name of its column of labels",
                cli="say which column holds them by --label",
            )
        return _read_once(data, labels), labels, ""
    source = source_of(workspace, known)
    if labels is None and source.label is None:
        raise _unlabelled(known)
    if labels is not None and not isinstance(labels, str):
        return source.split()[0], labels, known.name
    if labels is not None and source.label not in (None, labels):
        raise source.other_labels(labels)
    return NamedFile(path=known.words, source=source), labels or source.label, known.name


def _read_once(data: Any, labels: Any) -> Any:
    """A file's path as what is read once however many versions are judged on it; anything else as it is."""
    if not isinstance(labels, str) or not isinstance(data, str | PathLike):
        return data
    return LabelledFile(fspath(cast("str", data)))


def find(workspace: Workspace, data: Any) -> KnownData | None:
    """What data is given by its name, None where it is given otherwise; raises as `rows_of` does."""
    if not isinstance(data, str):
        return None
    if data.startswith(DATA_PREFIX):
        return known_data(workspace, data)
    path = PurePath(data)
    if "://" in data or path.name != data or not _NAME.fullmatch(data):
        return None
    name, _ = _parts(data)
    named = state_of(workspace, name).newest is not None
    if not named and (path.suffix or Path(data).exists()):
        return None
    if named and Path(data).is_file():
        raise Refused(f"{data!r} is named data and a file in this folder; write data:{data} or ./{data}")
    return known_data(workspace, data)


def known_data(workspace: Workspace, words: str) -> KnownData:
    """The version that NAME or NAME@N means. Raises `UnknownRevision` with the names that are near."""
    name, number = _parts(words)
    state = state_of(workspace, name)
    if state.newest is None:
        names_known = names(workspace)
        near = get_close_matches(name, names_known, 1)
        hint = f"did you mean {near[0]}?" if near else "`lepton data list` lists the names, `lepton data add` gives one"
        raise UnknownRevision(f"there is no data named {name!r}, and no file; {hint}")
    return KnownData(name, number or len(state.versions), state.version(number))


def asked_of_worker(workspace: Workspace, data: str, label: str | None) -> tuple[str, str, dict[str, Any]]:
    """Where a worker finds rows, the column of their labels, and what its payload says of them if they bear a name.

    The address is empty where the object store has them. Raises as `rows_of` does, `Malformed` without a label.
    """
    if data.startswith(JOB_PREFIX):
        raise Malformed(
            f"{data[:80]!r} names no rows: no kind of work makes data; name rows or a file, and say `after`"
        )
    if (known := find(workspace, data)) is None:
        if label is None:
            raise Malformed(
                "which column of the file holds the labels was not said",
                python="give label=",
                cli="give --label COLUMN",
            )
        return data, label, {}
    source, event = source_of(workspace, known), known.rows.event
    if label is not None and source.label not in (None, label):
        raise source.other_labels(label)
    if (label := label or source.label) is None:
        raise _unlabelled(known)
    named = {"name": known.name, "version": known.version, "digest": source.digest, "rows": source.rows}
    named |= {"label": event.label, "kept": event.kept, **source.chosen.to_dict()}
    return source.path, label, {"named": named}


def names(workspace: Workspace) -> list[str]:
    """The names that data goes by, in order. They belong to no model: whoever may read any, may read them."""
    workspace.rights.check("read")
    return [stream.removeprefix("data/") for stream in workspace.ledger.store.streams("data/")]


def state_of(workspace: Workspace, name: str) -> DataState:
    """What a name stands for; nothing where nobody gave it."""
    workspace.rights.check("read")
    return cast(DataState, workspace.ledger.state(data_stream(name)))


def opened(workspace: Workspace, rows: NamedRows) -> Opened:
    """Where rows lie and what they are for, as whoever may read it does."""
    actors = workspace.actors.all() if rows.event.source or rows.event.message else {}
    source, message = (workspace.opened(rows.actor, text, actors) for text in (rows.event.source, rows.event.message))
    return Opened("" if source == FORGOTTEN else source, "" if message == FORGOTTEN else message)


def selected_as(rows: NamedRows) -> Selection:
    """The selection that rows were named by."""
    told: dict[str, Any] = dict(rows.event.selection)
    types = {"category": "text"}
    return selection(
        {name: str(types.get(kind, kind)) for name, kind in told.get("types", {}).items()},
        told.get("drop", ()),
        told.get("columns"),
    )


def source_of(workspace: Workspace, known: KnownData) -> NamedSource:
    """How the rows of a name are read. Raises `Refused` where they lie nowhere that anybody knows."""
    from ...datasets.named_rows import NamedSource

    event = known.rows.event
    path = "" if event.kept else opened(workspace, known.rows).source
    if not event.kept and not path:
        forgotten = "whoever named them was forgotten, and with them where they lie"
        why = forgotten if event.source else "they were named from memory"
        raise Refused(
            f"the rows of {known.words} cannot be read, for {why}, and they were not kept",
            python=f"name them anew, add_data({known.name!r}, ..., keep=True)",
            cli=f"name them anew, `lepton data add {known.name} FILE --keep`",
        )
    return NamedSource(
        words=known.words,
        digest=str(event.data["digest"]),
        rows=cast("int", event.data["rows"]),
        label=event.label,
        chosen=selected_as(known.rows),
        path=path,
        kept=(lambda: kept_bytes(workspace, str(event.kept))) if event.kept else None,
    )


def kept_bytes(workspace: Workspace, manifest: str) -> Any:
    """The Parquet file that was kept, verified. Raises `Damaged`."""
    from ...datasets.named_rows import KEPT

    size = workspace.vault.manifest(manifest).size
    tensors = workspace.vault.restore(manifest, Graph({manifest: size}, ()))
    if KEPT not in tensors:
        raise Damaged(f"the rows kept as {manifest}", expected=f"a tensor {KEPT}", found=", ".join(tensors))
    return memoryview(cast("Any", tensors[KEPT].raw()))


def _unlabelled(known: KnownData) -> Refused:
    return Refused(
        f"{known.words} was named without labels; say which of its columns holds them",
        python="give that one's name",
        cli="give it as --label COLUMN",
    )


def _parts(words: str) -> tuple[str, int | None]:
    name, at, number = words.removeprefix(DATA_PREFIX).partition("@")
    if not at:
        return name, None
    if not number.isdecimal() or not 0 < int(number) < 2**31:
        raise UnknownRevision(f"{words!r} names no data; write NAME, or NAME@2 for an earlier version of it")
    return name, int(number)
