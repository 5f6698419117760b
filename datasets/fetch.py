"""Fetching: a file that somebody else keeps, copied in pieces and held against its digest on the way."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from io import RawIOBase
from pathlib import Path, PurePosixPath
from threading import Event
from typing import IO, Final
from urllib.parse import unquote, urlsplit

from ..addresses import CLOUDS, checked_source, local_path, within
from ..errors import Refused, Unavailable
from .bounds import Bounds

PIECE: Final = 8 << 20
WAIT: Final = 30.0
"""Seconds that a bucket may keep us waiting."""


@contextmanager
def fetched(source: str, digest: str, stopping: Event, bounds: Bounds | None = None) -> Generator[str]:
    """The path of a copy that nobody else can change, there as long as the context is, whatever ends this process.

    With `bounds` the file must lie in one of their places, links followed, and be no larger than they say.

    Raises `Refused` where there is no such file or its digest is another, `Unavailable` where its store is away or
    the copy finds no room; never with its address. Raises `Stopped` between two pieces.
    """
    if bounds is not None and not within(checked_source(source), bounds.places):
        raise _outside()
    name, size, pieces = _opened(checked_source(source), bounds)
    if bounds is not None and size > bounds.bytes:
        raise Refused(f"{name} has {size:,} bytes of the {bounds.bytes:,} that an offer may have; offer it in parts")
    with _copy() as copy:
        hasher, length = sha256(), 0
        for piece in pieces:
            if stopping.is_set():
                raise Stopped
            hasher.update(piece)
            length += len(piece)
            if length > size:
                break
            _written(copy, piece)
        if length != size:
            raise Unavailable(f"{name} had {size:,} bytes and gave {length:,}; it changed while it was read")
        if (actual := f"sha256:{hasher.hexdigest()}") != digest:
            differs = f"the digest {actual}, not" if bounds is None else "another digest than"
            raise Refused(f"{name} has {differs} {digest}; offer it by the digest of its bytes")
        yield f"/dev/fd/{copy.fileno()}"


def _opened(source: str, bounds: Bounds | None) -> tuple[str, int, Iterator[bytes]]:
    """The name that messages may tell, the bytes that its store says it has, and these in pieces."""
    parts = urlsplit(source)
    if parts.scheme in CLOUDS:
        return _in_bucket(parts.scheme, parts.netloc, unquote(parts.path).lstrip("/"))
    path = Path(local_path(source))
    if not path.is_file():
        raise Refused(f"there is no file {path.name!r} that the worker can reach; offer it by an address that it has")
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise _unreadable(path, error) from None
    file = os.fdopen(descriptor, "rb", buffering=0)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or (bounds is not None and not _lies_within(descriptor, bounds.places)):
        file.close()
        raise _outside()
    return path.name, status.st_size, _read(path, file)


def _lies_within(descriptor: int, places: Iterable[str]) -> bool:
    """Whether an open file lies in one of the folders, wherever links have led to it."""
    real = os.path.realpath(f"/proc/self/fd/{descriptor}")
    folders = [os.path.realpath(local_path(place)) for place in places if place.startswith("file:")]
    return any(real.startswith(f"{folder.rstrip('/')}/") for folder in folders)


def _outside() -> Refused:
    return Refused("the file lies where no offer may; LEPTON_OFFERS_FROM of the worker says where they may")


def _in_bucket(scheme: str, bucket: str, key: str) -> tuple[str, int, Iterator[bytes]]:
    try:
        from ..tensors.cloud import cloud_store
    except ModuleNotFoundError as error:
        raise Refused(f"{scheme}:// needs the extra: pip install 'lepton-ai-sdk[cloud]'") from error
    name = PurePosixPath(key).name
    stored = cloud_store(scheme, bucket, "", wait=WAIT).foreign(key, name)
    if stored is None:
        raise Refused(f"there is no object {name!r} in its bucket; offer it by the address that it has")
    return name, *stored


def _read(path: Path, file: RawIOBase) -> Iterator[bytes]:
    try:
        with file:
            while piece := file.read(PIECE):
                yield piece
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError) -> Refused | Unavailable:
    what = f"{path.name} cannot be read ({os.strerror(error.errno or 0)})"
    if isinstance(error, PermissionError):
        return Refused(f"{what}; let the worker read it")
    return Unavailable(f"{what}; see to its disk, then try again")


@contextmanager
def _copy() -> Generator[IO[bytes]]:
    """A file without a name: nothing is left of it when this process is killed."""
    try:
        copy = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed below
    except OSError as error:
        raise _no_room(error) from None
    with copy:
        yield copy


def _written(copy: IO[bytes], piece: bytes) -> None:
    try:
        rest = memoryview(piece)
        while rest:
            rest = rest[copy.write(rest) :]
    except OSError as error:
        raise _no_room(error) from None


def _no_room(error: OSError) -> Unavailable:
    return Unavailable(f"the worker cannot copy the file ({os.strerror(error.errno or 0)}); make room in its TMPDIR")


class Stopped(Exception):
    """The worker has to leave; what the attempt had come to is kept."""
