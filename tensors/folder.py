"""A store of objects in a folder."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Generator, Hashable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

from ..errors import Damaged, LeptonError, Refused, Unavailable
from ..permissions import CLOSED, DENIED, UNWAITED, file_mode, make_folder, set_mode
from .objects import check_key

_TEMPORARY = ".lepton-"  # no key begins with a dot, so what a crashed write left is never taken for an object


class FolderStore:
    """Objects as files under `path`, which the first put makes unless objects are known to lie there already.

    An object is written under a temporary name, synced, then linked to its own, which fails if that exists: so it is
    visible only when whole, and never replaced. The folder is synced too, else power loss could forget the name.
    A folder that was replaced by another while this store is in use is away, unless what was used last is there too.
    """

    block = 2 << 20

    def __init__(self, path: Path | str, *, filled: bool = False) -> None:
        self._root = Path(path)
        self._filled = filled
        self._folder: os.stat_result | None = None
        """The folder as it was when it was used first."""
        self._last: str | None = None
        """The key that was used last."""

    def put(self, key: str, pieces: Iterable[bytes]) -> int:
        check_key(key)
        place = self._root / key
        with _translated(f"object {key}"):
            if not self._filled:
                make_folder(self._root)
            self._check_there()
            _make_folder(place.parent)
            temporary = place.parent / f"{_TEMPORARY}{secrets.token_hex(8)}"
            try:
                written = write_synced(temporary, pieces)
                os.link(temporary, place)
            except FileExistsError:
                raise Refused(f"object {key} stands already, and a key is used once; take a fresh key") from None
            finally:
                with suppress(FileNotFoundError):
                    temporary.unlink()
            sync_folder(place.parent)
            self._check_there()
        self._filled, self._last = True, key
        return written

    def get(self, key: str, offset: int = 0, length: int | None = None) -> bytes:
        check_key(key)
        with self._opened(key) as file:
            wanted = max(os.fstat(file).st_size - offset, 0) if length is None else length
            # Asked before reading, so that a damaged index cannot make us ask for more memory than there are bytes.
            there = min(wanted, max(os.fstat(file).st_size - offset, 0))
            data = _read(file, offset, there)
        if len(data) != wanted:
            raise Damaged(f"pack {key}", expected=f"{wanted} bytes from {offset}", found=f"{len(data)}")
        return data

    def read_into(self, key: str, offset: int, into: memoryview) -> None:
        check_key(key)
        left = into
        with self._opened(key) as file:
            while left and (read := _read_into(file, left, offset)):
                left, offset = left[read:], offset + read
        if left:
            raise Damaged(f"pack {key}", expected=f"{len(left)} bytes from {offset}", found="its end")

    def size(self, key: str) -> int:
        check_key(key)
        with self._opened(key) as file:
            return os.fstat(file).st_size

    def stamp(self, key: str) -> Hashable:
        check_key(key)
        with self._opened(key) as file:
            found = os.fstat(file)
            return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns

    def list(self, prefix: str) -> Iterator[str]:
        if not self._filled and not self._root.exists():
            return iter(())
        with _translated("the object folder"):
            files = (path for path in self._files() if not path.name.startswith(_TEMPORARY))
            keys = sorted(path.relative_to(self._root).as_posix() for path in files)
        return (key for key in keys if key.startswith(prefix))

    def leftovers(self) -> list[Path]:
        """What writes that never ended have left; safe to remove once no writer is at work."""
        with _translated("the object folder"):
            return sorted(path for path in self._files() if path.name.startswith(_TEMPORARY))

    def delete(self, key: str) -> None:
        check_key(key)
        with _translated(f"object {key}"), suppress(FileNotFoundError):
            (self._root / key).unlink()
            sync_folder((self._root / key).parent)

    def _files(self) -> Iterator[Path]:
        for folder, _, names in os.walk(self._root, onerror=_raise):
            yield from (Path(folder, name) for name in names)

    def _check_there(self) -> None:
        """An unmounted disk is no damage, and what would be written in its place would be hidden by it."""
        try:
            now = self._root.stat()
        except (FileNotFoundError, NotADirectoryError):
            raise Unavailable("the object folder is away; mount it, then try again") from None
        another = self._folder is not None and not os.path.samestat(now, self._folder)
        if another and self._last is not None and not (self._root / self._last).exists():
            raise Unavailable(
                f"the object folder was replaced by one that lacks object {self._last}; bring the right one back, "
                "then try again"
            )
        self._folder = now

    @contextmanager
    def _opened(self, key: str) -> Generator[int]:
        with _translated(f"object {key}"):
            try:
                # a pipe in its place would be waited for without end
                file = os.open(self._root / key, os.O_RDONLY | CLOSED | UNWAITED)
            except (FileNotFoundError, NotADirectoryError):
                self._check_there()
                raise Damaged(f"pack {key}", expected="present", found="missing") from None
            except OSError as error:
                if error.errno not in (errno.ENXIO, errno.ELOOP):
                    raise
                raise Damaged(f"pack {key}", expected="a file", found="something else") from None
            try:
                if not stat.S_ISREG(os.fstat(file).st_mode):
                    raise Damaged(f"pack {key}", expected="a file", found="something else")
                yield file
            finally:
                os.close(file)


def _read(file: int, offset: int, length: int) -> bytes:
    data = _read_at(file, length, offset)
    if len(data) == length:
        return data
    parts = [data]  # one pread returns at most 2 GiB
    while parts[-1]:
        done = sum(map(len, parts))
        parts.append(_read_at(file, length - done, offset + done) if done < length else b"")
    return b"".join(parts)


def _read_at(file: int, length: int, offset: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(file, length, offset)
    os.lseek(file, offset, os.SEEK_SET)  # on Windows; no two threads share a descriptor here
    return os.read(file, min(length, _AT_ONCE))


def _read_into(file: int, into: memoryview, offset: int) -> int:
    if hasattr(os, "preadv"):
        return os.preadv(file, [into], offset)
    data = _read_at(file, min(len(into), _AT_ONCE), offset)
    into[: len(data)] = data
    return len(data)


def _make_folder(folder: Path) -> None:
    """Make a folder and its parents, each synced into its own parent."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    make_folder(folder)
    sync_folder(folder.parent)


def _raise(error: OSError) -> None:
    raise error


@contextmanager
def _translated(thing: str) -> Generator[None]:
    """Tell what the operating system says as `Unavailable`, without the path, which is nobody else's business."""
    try:
        yield
    except LeptonError:
        raise
    except OSError as error:
        reason = errno.errorcode.get(error.errno or 0, "OSError")
        what = "see to the folder"
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            what = "make room"
        elif error.errno in DENIED:
            what = "have whoever owns the folder give the right, or mount it for writing"
        raise Unavailable(f"{thing} cannot be reached ({reason}: {error.strerror}); {what}, then try again") from error


_ENOUGH: Final = 8 << 20
"""Bytes that are worth a sync of their own while more are made."""


_TOGETHER: Final = 1 << 20
"""Bytes written by one call, which takes them from where they lie."""


_AT_ONCE: Final = 1 << 30
"""Bytes that Windows reads or writes by one call at most."""


_PIECES: Final = 512
"""Pieces written by one call, which may take no more than 1024."""


def write_synced(path: Path, pieces: Iterable[bytes], mode: Literal["wb", "xb"] = "xb") -> int:
    """Write a file, a new one unless `mode` says otherwise, and sync its bytes; returns how many."""
    written = 0
    with path.open(mode, buffering=0) as file, _Ahead(file.fileno()) as ahead:
        set_mode(file.fileno(), file_mode(path.parent), path.parent)
        for together in _gathered(pieces):
            size = _write(file.fileno(), together)
            written += size
            ahead.wrote(size)
        ahead.finish()
        os.fsync(file.fileno())
    return written


def _gathered(pieces: Iterable[bytes]) -> Iterator[list[memoryview]]:
    """Pieces by the megabyte, to be written by one call each."""
    together: list[memoryview] = []
    size = 0
    for piece in pieces:
        if piece:
            together.append(memoryview(piece))
            size += len(piece)
        if size >= _TOGETHER or len(together) == _PIECES:
            yield together
            together, size = [], 0
    if together:
        yield together


def _write(file: int, pieces: list[memoryview]) -> int:
    """Write all of some pieces, none of them empty; returns their bytes."""
    size, first = sum(map(len, pieces)), 0
    while first < len(pieces):
        written = os.writev(file, pieces[first:]) if hasattr(os, "writev") else os.write(file, pieces[first][:_AT_ONCE])
        while first < len(pieces) and written >= len(pieces[first]):
            written -= len(pieces[first])
            first += 1
        if written:  # the system took a part of one
            pieces[first] = pieces[first][written:]
    return size


class _Ahead:
    """Syncs a long file while more of it is being made, so that little is left to wait for at its end."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._unsynced = 0
        self._threads = ExitStack()
        self._thread: ThreadPoolExecutor | None = None
        self._syncing: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._threads.close()

    def wrote(self, size: int) -> None:
        """Note bytes written; raises what the last sync did, for the system tells an error once."""
        self._unsynced += size
        if self._unsynced >= _ENOUGH and (self._syncing is None or self._syncing.done()):
            self.finish()
            self._thread = self._thread or self._threads.enter_context(ThreadPoolExecutor(1, "lepton-sync"))
            self._syncing, self._unsynced = self._thread.submit(os.fsync, self._file), 0

    def finish(self) -> None:
        """Wait for what is being synced; raises its error."""
        if self._syncing is not None:
            self._syncing.result()


def sync_folder(folder: Path) -> None:
    """Sync the names in a folder, else power loss could forget one. Windows opens no folder, and journals names."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | CLOSED)
    try:
        os.fsync(file)
    finally:
        os.close(file)
