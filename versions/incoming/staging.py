"""The staging of a home: chunks that were uploaded and wait for the save that names them.

A chunk is a file named by its digest, in a folder of its model, written under another name and renamed: whole or not
there. Nothing is synced, for a chunk that is lost is uploaded again: whoever saves verifies all bytes.
"""

from __future__ import annotations

import math
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from ...errors import Refused
from ...permissions import denied, file_mode, make_folder
from ...tensors.digest import digest_of
from ...tensors.frames import Frame

ROOM: Final = 256 << 30
"""Bytes that may be staged for one model."""
KEPT: Final = 86400.0
"""Seconds after which what nobody named in a save is taken away."""
_BETWEEN: Final = 600.0
"""Seconds between two looks for what is to be taken away."""
_PART: Final = "."


class Staging:
    """The folder of a ledger's staged chunks. Threads and processes may write to it at once."""

    def __init__(
        self, folder: Path, ready: Callable[[], None] = lambda: None, *, room: int = ROOM, kept: float = KEPT
    ) -> None:
        self._folder = folder
        self._ready = ready
        self._room = room
        self._kept = kept
        self._swept = 0.0
        self._lock = threading.Lock()

    def of(self, model: str) -> StagedChunks:
        """The chunks of a model, whether there are any or not."""
        name = digest_of(model.encode()).removeprefix("blake3:")
        return StagedChunks(self._folder / name, self._begin, self._room)

    def sweep(self) -> None:
        """Take away what was staged long ago, and folders to which nothing came for as long."""
        oldest = time.time() - self._kept
        for entry in _entries(self._folder):
            idle = _changed(entry) < oldest  # asked first: what is taken away changes it
            for each in _entries(Path(entry.path)):
                with suppress(OSError):
                    if _changed(each) < oldest:
                        shutil.rmtree(each.path) if each.is_dir(follow_symlinks=False) else Path(each.path).unlink()
            if idle:
                with suppress(OSError):  # only where it is empty
                    Path(entry.path).rmdir()

    def _begin(self, folder: Path) -> None:
        """Make a model's folder, which then stays for as long as a chunk; now and then see to what is old."""
        self._ready()
        with self._lock:  # no folder is taken away that another thread has just found
            if time.monotonic() - self._swept > _BETWEEN or not self._swept:
                self.sweep()
                self._swept = time.monotonic()
            make_folder(folder)
            os.utime(folder)


class StagedChunks:
    """The staged chunks of one model."""

    def __init__(self, folder: Path, begin: Callable[[Path], None], room: int) -> None:
        self._folder = folder
        self._begin = begin
        self._room = room

    def upload(self) -> Upload:
        """Something to be put here: a folder that is ready, with the room that is left in it."""
        try:
            self._begin(self._folder)
            taken = sum(_size(entry) for entry in _entries(self._folder))
            return Upload(self._folder, file_mode(self._folder), self._room - taken)
        except OSError as error:
            raise denied(error, "the staging of the home", "written") from error

    def among(self, digests: Iterable[str]) -> set[str]:
        """Those that are staged; they stay for as long as if they had been put there now."""
        found: set[str] = set()
        for digest in digests:
            with suppress(OSError):
                os.utime(self._place(digest))
                found.add(digest)
        return found

    def read_into(self, digest: str, into: memoryview) -> bool:
        """Read a chunk of so many bytes, whatever they are; False where there is none of that size."""
        try:
            file = os.open(self._place(digest), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return False
        try:
            return os.fstat(file).st_size == len(into) and os.preadv(file, [into], 0) == len(into)
        finally:
            os.close(file)

    def read(self, digest: str) -> bytes | None:
        """A chunk, if it is there and what its digest says; one that is not is taken away."""
        with suppress(OSError):
            data = self._place(digest).read_bytes()
            if digest_of(data) == digest:
                return data
            self.drop((digest,))
        return None

    @contextmanager
    def folder_for_files(self) -> Generator[Path]:
        """A folder for what is put together of chunks; it is gone afterwards."""
        try:
            self._begin(self._folder)
            folder = TemporaryDirectory(prefix=_PART, dir=self._folder, ignore_cleanup_errors=True)
        except OSError as error:
            raise denied(error, "the staging of the home", "written") from error
        with folder as name:
            yield Path(name)

    def drop(self, digests: Collection[str]) -> None:
        """Take chunks away."""
        for digest in digests:
            with suppress(OSError):
                self._place(digest).unlink()

    def _place(self, digest: str) -> Path:
        return self._folder / digest.removeprefix("blake3:")


class Upload:
    """Chunks being put into a model's folder."""

    def __init__(self, folder: Path, mode: int, room: int) -> None:
        self._folder = folder
        self._mode = mode
        self._room = room

    def put(self, frame: Frame) -> None:
        """Stage a chunk. Raises `Malformed` where it is not what its digest says, `Refused` where there is no room."""
        frame.check()
        place, data = self._folder / frame.digest.removeprefix("blake3:"), frame.data
        part = self._folder / f"{_PART}{secrets.token_hex(8)}"
        try:
            with suppress(FileNotFoundError):
                os.utime(place)
                return
            if len(data) > self._room:
                raise Refused(
                    "the chunks staged for this model take all the room there is; save what is uploaded first"
                )
            self._room -= len(data)
            file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, self._mode)
            try:
                while data:
                    data = data[os.write(file, data) :]
            finally:
                os.close(file)
            part.rename(place)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise denied(error, "the staging of the home", "written") from error


def _changed(entry: os.DirEntry[str]) -> float:
    """When an entry changed; it never did where it is gone."""
    try:
        return entry.stat(follow_symlinks=False).st_mtime
    except OSError:
        return math.inf


def _size(entry: os.DirEntry[str]) -> int:
    """Bytes of an entry; none where it is gone, as a part is that was given its name meanwhile."""
    try:
        return entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        return 0


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    with suppress(OSError), os.scandir(folder) as entries:
        yield from entries
