"""Files on the web, each named with the digest of its bytes: fetched once, checked before anything reads them, kept."""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from hashlib import file_digest, sha256
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final
from urllib.parse import unquote, urlsplit

from ...errors import Malformed, Refused, Unavailable
from ...settings import most_bytes

WAIT: Final = 30.0
"""Seconds that a server may keep us waiting: for the connection, and for each piece."""
SLOWEST: Final = 2_000
"""Bytes a second that must come on average, once `WAIT` is over."""
REDIRECTS: Final = 5
_MOST: Final = 64 << 30
_FRAGMENT: Final = re.compile(r"sha256=([0-9a-fA-F]{64})")


def is_web(path: str) -> bool:
    """Whether a path is an address on the web."""
    return path[:8].lower().startswith(("http://", "https://"))


@dataclass(frozen=True)
class WebFile:
    """An address and the SHA-256 that its bytes must have, written as `https://host/file.csv#sha256=HEX`."""

    url: str
    digest: str

    @classmethod
    def of(cls, path: str) -> WebFile:
        """What a path names. Raises `Malformed`, which does not quote it, for it may hold a password."""
        try:
            parts = urlsplit(path)
            place = parts.hostname
        except ValueError:
            place, parts = None, urlsplit("")
        if not place or not path.isprintable():
            raise Malformed("the path is no address of a file on the web; write https://host/file.csv#sha256=HEX")
        if "@" in parts.netloc:
            raise Malformed("the address holds a password; leave it out, and fetch the file by yourself")
        digest = _FRAGMENT.fullmatch(parts.fragment)
        if digest is None:
            raise Malformed(
                f"the address of {_name(path)} does not say which bytes it stands for; write #sha256=HEX behind it, as "
                "`sha256sum FILE` tells of a copy that you trust"
            )
        return cls(path.partition("#")[0], digest[1].lower())

    @property
    def name(self) -> str:
        """The file's name, which is all that messages tell of the address."""
        return _name(self.url)

    def copy(self) -> Path:
        """The bytes as a file of this machine, fetched where they are not yet there.

        Raises `Refused` where there is no such file or it has another digest, `Unavailable` where its server is away,
        stops or takes too long.
        """
        kept = _folder() / self.digest
        with suppress(FileNotFoundError):
            found = kept.stat()
            if _holds(kept, self.digest, found.st_ino, found.st_size, found.st_mtime_ns):
                return kept
        with _written_beside(kept) as file:
            self._fetch(file)
        return kept

    def _fetch(self, file: IO[bytes]) -> None:
        import httpx

        hasher, size, most, begun = sha256(), 0, most_bytes("LEPTON_DOWNLOAD_BYTES", _MOST), time.monotonic()
        try:
            with (
                httpx.Client(follow_redirects=True, max_redirects=REDIRECTS, timeout=WAIT) as client,
                client.stream("GET", self.url, headers={"Accept-Encoding": "identity"}) as answer,
            ):
                self._check(answer.status_code)
                for piece in answer.iter_raw():
                    hasher.update(piece)
                    size += len(piece)
                    gone = time.monotonic() - begun
                    if size > most:
                        raise Refused(
                            f"{self.name} has more than the {most:,} bytes that are fetched; LEPTON_DOWNLOAD_BYTES "
                            "says how many may be"
                        )
                    if gone > WAIT and size < gone * SLOWEST:
                        raise Unavailable(f"{self.name} came at {size / gone:,.0f} bytes a second; try again later")
                    file.write(piece)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise Refused(f"the address of {self.name}, or one that it leads to, is none of http or https") from None
        except httpx.TooManyRedirects:
            raise Refused(f"{self.name} leads to other addresses again and again; give the last of them") from None
        except httpx.TransportError as error:
            what = "took too long" if isinstance(error, httpx.TimeoutException) else "is away, or stopped in between"
            raise Unavailable(f"the server of {self.name} {what}; try again") from None
        if hasher.hexdigest() != self.digest:
            raise Refused(
                f"{self.name} has other bytes than those of sha256={self.digest}, and nothing of it was read; see why, "
                "before you write the digest of what lies there now"
            )

    def _check(self, status: int) -> None:
        if status in (429, *range(500, 600)):
            raise Unavailable(f"the server of {self.name} has no answer now ({status}); try again")
        if status != 200:
            why = "wants to know who asks" if status in (401, 403) else "has no such file"
            raise Refused(f"the server of {self.name} {why} ({status}); fetch it by yourself, or mend the address")


def _name(url: str) -> str:
    return PurePosixPath(unquote(urlsplit(url).path)).name or "the file"


def _folder() -> Path:
    """Where files that were fetched are kept, each by its digest."""
    chosen = os.environ.get("LEPTON_DOWNLOADS")
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(chosen) if chosen else caches / "lepton" / "downloads"


@lru_cache(64)
def _holds(kept: Path, digest: str, *known: Any) -> bool:
    """Whether a kept file still has its digest; asked once while inode, size and time are `known`."""
    del known
    with kept.open("rb") as file:
        return file_digest(file, "sha256").hexdigest() == digest


@contextmanager
def _written_beside(kept: Path) -> Generator[IO[bytes]]:
    """A new file that takes its place once it is whole; nothing of it stays otherwise."""
    try:
        kept.parent.mkdir(0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=kept.parent, prefix=".", delete=False) as file:
            try:
                yield file
                file.flush()
                Path(file.name).replace(kept)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise Unavailable(
            f"what is fetched cannot be kept ({error.strerror}); make room, or name another folder by LEPTON_DOWNLOADS"
        ) from None
