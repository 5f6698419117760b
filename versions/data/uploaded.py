"""Uploaded rows: what callers of a server sent, kept in the home for an hour, for whoever sent it alone."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, Final

from ...errors import Malformed, Refused, Unavailable, UnknownRevision
from ...permissions import make_folder, open_file
from ..rows import LabelledFile
from .untrusted import READERS

TOLD: Final = "told.json"
PART: Final = ".part"
GRACE: Final = 900.0
"""Seconds that rows outlive their hour: a request that found them may still be reading."""
_ID: Final = re.compile(r"[0-9a-f]{32}")
_LEAST: Final = 1 << 20
"""Bytes that an upload counts for at least, so that nobody sends a million small ones."""
_LOOK: Final = 16 << 20
"""Bytes after which it is looked anew whether there is room for more."""
_PAUSE: Final = 60.0
"""Seconds between two looks for rows past their hour."""


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """How much may be sent, and for how long it is kept."""

    bytes: int = 64 << 20
    """Of one upload, as it is sent."""
    unpacked: int = 2 << 30
    """Of memory that reading it may take."""
    owner: int = 1 << 30
    """Of all that one owner has here."""
    total: int = 4 << 30
    seconds: float = 3600.0


class RowsTooLarge(Refused):
    """More was sent than a server takes at once."""


class UploadedFile(LabelledFile):
    """Uploaded rows, read as a file of the same kind is."""


@dataclass(frozen=True, slots=True)
class UploadedRows:
    """What was sent: the id that it goes by, what it holds, and until when it is kept."""

    rows: str
    count: int
    columns: tuple[Mapping[str, str], ...]
    bytes: int
    digest: str
    """Of the bytes as they were sent."""
    expires: datetime

    def to_dict(self) -> dict[str, Any]:
        """Every field by its name, JSON-ready."""
        return asdict(self) | {"columns": list(self.columns), "expires": self.expires.isoformat()}


class Uploads:
    """The uploaded rows of a ledger, in a folder of the home.

    Each has a folder, called by a digest of its id and its owner: who has the id alone finds nothing, nor does who sees
    the folders. Those past their hour are deleted by a thread, which ends when none are left.
    """

    def __init__(self, folder: Path, limits: UploadLimits | None = None) -> None:
        self.limits = limits or UploadLimits()
        self._folder = folder
        self._lock = Lock()
        self._watching = False
        self._closed = Event()
        if folder.is_dir():
            self._watch()

    def begin(self, ending: str, owner: str, size: int | None = None) -> RowsUpload:
        """A new upload of a kind of file, by its ending; `size` is what its sender says of it.

        Raises `RowsTooLarge`, and `Unavailable` where there is no room for now.
        """
        self.check(size or 0, owner)
        return RowsUpload(self, ending, owner)

    def show(self, name: str, owner: str) -> UploadedRows:
        """What was sent under an id. Raises `UnknownRevision`, also where it is another owner's."""
        place = self.place(name, owner)
        with suppress(OSError, ValueError):
            told: dict[str, Any] = json.loads((place / TOLD).read_text())
            expires = datetime.fromtimestamp((place / TOLD).stat().st_mtime + self.limits.seconds, UTC)
            if expires > datetime.now(UTC):
                return UploadedRows(name, told["count"], tuple(told["columns"]), told["bytes"], told["digest"], expires)
        raise UnknownRevision(
            "no rows that you sent bear that id; they are kept for an hour by the server that took them, so send them "
            "again"
        )

    def file(self, name: str, owner: str) -> UploadedFile:
        """The rows under an id, to be read. Raises as `show`."""
        self.show(name, owner)
        (path,) = self.place(name, owner).glob("rows.*")
        return UploadedFile(path.absolute().as_uri())

    def drop(self, name: str, owner: str) -> None:
        """Delete what was sent under an id. Raises as `show`."""
        self.show(name, owner)
        shutil.rmtree(self.place(name, owner), ignore_errors=True)

    def place(self, name: str, owner: str) -> Path:
        """The folder of an id and its owner."""
        import blake3

        if not _ID.fullmatch(name):
            name = ""
        digest = blake3.blake3(f"{name} {owner}".encode(), derive_key_context="lepton uploaded rows").hexdigest()
        return self._folder / f"{_owned(owner)}-{digest[:32]}"

    def check(self, size: int, owner: str) -> None:
        """Hold that so many bytes more find room."""
        if size > self.limits.bytes:
            raise RowsTooLarge(
                f"more than {self.limits.bytes / 1e6:,.0f} MB of rows were sent, which is what this server takes at "
                "once; send fewer, or compress them, or have them named on the server's machine (`lepton data add`)"
            )
        size = max(size, _LEAST)
        sizes = {place.name: _size(place) for place in self._places()}
        of_owner = sum(held for name, held in sizes.items() if name.startswith(f"{_owned(owner)}-"))
        if of_owner + size > self.limits.owner or sum(sizes.values()) + size > self.limits.total:
            raise Unavailable("there is no room for more rows now; delete some that you sent, or try again in an hour")

    def sweep(self) -> bool:
        """Delete what is past its hour: whether anything is left."""
        limit, left = time.time() - self.limits.seconds - GRACE, 0
        for place in self._places():
            if _written(place) >= limit:
                left += 1
            else:
                shutil.rmtree(place, ignore_errors=True)
        return left > 0

    def close(self) -> None:
        """Sweep no more."""
        self._closed.set()

    def kept(self, part: Path, name: str, owner: str) -> UploadedRows:
        """Put an upload in its place, to be found from now on."""
        part.rename(self.place(name, owner))
        self._watch()
        return self.show(name, owner)

    def new_part(self, name: str, owner: str) -> Path:
        """A folder for rows that are being sent."""
        place = self.place(name, owner)
        part = place.with_name(place.name + PART)
        make_folder(part)
        return part

    def _places(self) -> list[Path]:
        with suppress(FileNotFoundError):
            return [*self._folder.iterdir()]
        return []

    def _watch(self) -> None:
        with self._lock:
            if not self._watching:
                self._watching = True
                Thread(target=self._swept, name="lepton-uploads", daemon=True).start()

    def _swept(self) -> None:
        while not self._closed.wait(_PAUSE):
            with self._lock:
                self._watching = self.sweep()
                if not self._watching:
                    READERS.close()
                    return


class RowsUpload:
    """Rows that are being sent; they are there once they are `finished`, and `drop` leaves nothing of others."""

    def __init__(self, uploads: Uploads, ending: str, owner: str) -> None:
        import blake3

        self._uploads = uploads
        self._owner = owner
        self._name = secrets.token_hex(16)
        self._part = uploads.new_part(self._name, owner)
        self._path = self._part / f"rows{ending}"
        self._file = os.fdopen(open_file(self._path, os.O_RDWR), "wb")
        self._hasher = blake3.blake3()
        self._size = self._looked = 0

    def write(self, piece: bytes) -> None:
        """One more piece. Raises `RowsTooLarge`, and `Unavailable` where there is no room for now."""
        self._size += len(piece)
        if self._size > self._uploads.limits.bytes or self._size - self._looked > _LOOK:
            self._looked = self._size
            self._uploads.check(self._size if self._size > self._uploads.limits.bytes else 0, self._owner)
        self._hasher.update(piece)
        try:
            self._file.write(piece)
        except OSError as error:
            raise Unavailable(f"the rows cannot be written down ({error.strerror}); try again later") from None

    def finished(self) -> UploadedRows:
        """Take what was sent for whole, and look at it. Raises `Malformed` where it cannot be read."""
        try:
            self._file.close()
        except OSError as error:
            raise Unavailable(f"the rows cannot be written down ({error.strerror}); try again later") from None
        told = _examined(self._path.absolute(), self._uploads.limits)
        told |= {"bytes": self._size, "digest": f"blake3:{self._hasher.hexdigest()}"}
        (self._part / TOLD).write_text(json.dumps(told))
        return self._uploads.kept(self._part, self._name, self._owner)

    def drop(self) -> None:
        """Leave nothing of what was not finished."""
        with suppress(OSError):
            self._file.close()
        shutil.rmtree(self._part, ignore_errors=True)


def _examined(path: Path, limits: UploadLimits) -> dict[str, Any]:
    """What a file holds, once it was read whole; it is written down anew, unless it is text, in a file beside it."""
    again = path.with_name("again")
    try:
        told = READERS.read(path, again, limits.unpacked)
    except Malformed:
        raise
    except Refused as error:  # it takes more memory or time than it may
        raise RowsTooLarge(str(error)) from None
    if again.exists():
        path.unlink()
        again.rename(path.with_name("rows.arrow"))
    return told


def _owned(owner: str) -> str:
    import blake3

    return blake3.blake3(owner.encode(), derive_key_context="lepton uploaded rows").hexdigest()[:16]


def _files(place: Path) -> Iterator[os.stat_result]:
    with suppress(OSError):
        for each in (place, *place.iterdir()):
            yield each.stat()


def _size(place: Path) -> int:
    """What rows count for."""
    return max(_LEAST, sum(each.st_size for each in _files(place)))


def _written(place: Path) -> float:
    """When anything of them was written last; of a folder that is gone meanwhile nothing was."""
    return max((each.st_mtime for each in _files(place)), default=0.0)
