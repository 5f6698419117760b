"""Kept folds of streams: files from which a fresh process folds on. They may be deleted at any moment.

A kept fold is believed where its digest is right, it was written by this very code, and the log has the event that it
was made at. What it says of single events is read from the log when it is asked for, and checked there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

import uuid_utils
from blake3 import blake3
from pydantic_core import from_json, to_json

from ..domain.model.kept_fold import PlainModel, Read, complete, plain_model, recalled_model
from ..domain.model.state import ModelState
from ..domain.state import Aggregate, Objects
from ..domain.streams import OBJECTS
from ..errors import Damaged
from ..events.envelope import Recorded, decode
from ..events.sql.store import Store
from ..permissions import make_folder, open_file, read_file
from ..settings import log
from .pages import Pages, packed

EVERY: Final = 1000
"""Events of a stream after which its fold is kept anew."""
_LARGEST: Final = 1 << 30
_AGED: Final = 3600
"""Seconds after which nobody writes to a part any more."""
_CODE: Final = ("domain/state.py", "events/event.py", "events/model.py", "events/objects.py", "events/upcast.py")
"""Beside domain/model the code that decides what a state is."""


class At(NamedTuple):
    """An aggregate as of a version of its stream."""

    state: Aggregate
    version: int
    leaf: bytes | None = None
    """The leaf of the event of that version, None where it is not known."""


class Folds:
    """The kept folds of a ledger, in a folder of their own; `ready` tells whether it may be made."""

    def __init__(self, folder: Path, store: Store, ready: Callable[[], bool]) -> None:
        self._folder = folder
        self._store = store
        self._ready = ready

    def read(self, stream: str) -> tuple[Aggregate, int, bytes] | None:
        """A stream's aggregate, the version that it is of and the leaf of that one's event.

        None where none is kept that can be believed.
        """
        if not _kept(stream):
            return None
        try:
            raw = read_file(self._path(stream), _LARGEST)
            whole, begin = memoryview(raw), raw.index(b"\n") + 1  # megabytes of many versions, never copied
            if blake3(whole[begin:]).hexdigest().encode() != raw[: begin - 1]:
                return None
            end = raw.index(b"\n", begin)
            told = from_json(raw[begin:end])
            if told["code"] != _code() or told["stream"] != stream or told["ledger"] != self._store.ledger_id:
                return None
            leaf = bytes.fromhex(told["leaf"])
            if self._store.leaf(stream, told["version"]) != leaf:
                return None
            pages = [Pages(index, whole[end + 1 :]) for index in told["pages"]]
            return _made(stream, told["facts"], pages, self._event), told["version"], leaf
        except (OSError, LookupError, TypeError, ValueError, AttributeError):
            return None

    def write(self, stream: str, state: Aggregate, version: int, leaf: bytes | None) -> None:
        """Keep a stream's aggregate as of a version, where it can be kept; what goes wrong is only logged.

        Nothing is kept where the log has another event there than the one folded last: it was set back meanwhile.
        """
        if not _kept(stream) or not version or leaf is None:
            return
        try:
            if self._store.leaf(stream, version) != leaf or not self._ready():
                return
            facts, mappings = _plain(state)
            indexes, blobs, start = list[Any](), list[bytes](), 0
            for numbered, rows in mappings:
                index, pages = packed(rows, start, numbered=numbered)
                indexes.append(index)
                blobs += pages
                start += sum(map(len, pages))
            told = {"code": _code(), "ledger": self._store.ledger_id, "stream": stream, "version": version}
            head = to_json(told | {"leaf": leaf.hex(), "facts": facts, "pages": indexes})
            rest = b"\n".join((head, b"".join(blobs)))
            self._put(self._path(stream), blake3(rest).hexdigest().encode() + b"\n" + rest)
        except (OSError, ValueError) as error:
            log.debug("the fold of %s was not kept: %s", stream, error)

    def _event(self, seq: int) -> Recorded:
        for row in self._store.read(seq - 1, 1):
            return decode(row.envelope, row.leaf, row.seq)
        raise Damaged(f"event {seq}", expected="its row", found="none")

    def _path(self, stream: str) -> Path:
        return self._folder / f"{sha256(stream.encode()).hexdigest()[:32]}.json"

    def _put(self, path: Path, content: bytes) -> None:
        """Put a file in the place of another at once; it is not synced, for its digest tells if it was torn."""
        make_folder(path.parent)
        part = path.with_name(f"{path.stem}.{uuid_utils.uuid7()}.part")
        try:
            with os.fdopen(open_file(part, os.O_WRONLY), "wb") as file:
                file.write(content)
            part.replace(path)
            for stale in path.parent.glob(f"{path.stem}.*.part"):  # of whoever was killed
                if time.time() - stale.stat().st_mtime > _AGED:
                    stale.unlink()
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise


def _kept(stream: str) -> bool:
    return (stream.startswith("model/") and complete()) or stream == OBJECTS


def _plain(state: Aggregate) -> PlainModel:
    if isinstance(state, ModelState):
        return plain_model(state)
    assert isinstance(state, Objects)
    return PlainModel({"condemned": sorted(state.condemned)}, ())


def _made(stream: str, facts: Any, pages: Sequence[Pages], read: Read) -> Aggregate:
    return Objects(frozenset(facts["condemned"])) if stream == OBJECTS else recalled_model(facts, pages, read)


@cache
def _code() -> str:
    """The digest of all code that decides what a state is."""
    root, said = Path(__file__).parent.parent, sha256()
    for path in (*(root / name for name in _CODE), *sorted((root / "domain" / "model").glob("*.py")), Path(__file__)):
        said.update(path.read_bytes())
    said.update(Path(__file__).with_name("pages.py").read_bytes())
    return said.hexdigest()
