"""The head of a log as a C2SP checkpoint (https://c2sp.org/tlog-checkpoint): origin, size, root, and a line of time."""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from ..errors import Malformed, Refused
from ..permissions import denied, read_file
from ..results import SignedHead
from .note import LONGEST, SignedNote, VerifierKey, decoded, notes_in

ORIGIN: Final = "lepton/"
"""What the first line of a head begins with; the id of the ledger follows."""
_TIME: Final = "time "
_SIZE: Final = re.compile(r"[1-9][0-9]{0,18}")
_MOST: Final = 16 << 20
"""Bytes of a file of heads: what a witness is sent in six years."""
MOST_ASKED: Final = 200
"""Different heads that a server is asked about at once: each takes some reads, and its signature some time."""


class TreeHead(NamedTuple):
    """How many events a ledger had at a time, and the Merkle root over them."""

    ledger: str
    size: int
    root: bytes
    time: datetime | None

    @property
    def text(self) -> str:
        """The checkpoint: what is signed."""
        time = "" if self.time is None else f"{_TIME}{self.time.isoformat(timespec='microseconds')[:-6]}Z\n"
        return f"{ORIGIN}{self.ledger}\n{self.size}\n{b64encode(self.root).decode()}\n{time}"

    @classmethod
    def read(cls, text: str) -> TreeHead:
        """The head that a checkpoint tells. Raises `Malformed`."""
        origin, size, root, *more = [*text.split("\n")[:-1], "", "", ""][: max(3, text.count("\n"))]
        if not origin.startswith(ORIGIN) or not re.fullmatch(r"[0-9a-f-]{36}", origin.removeprefix(ORIGIN)):
            raise Malformed(f"{origin[:80]!r} names no ledger of Lepton's; give a head that `lepton sign-head` wrote")
        if not _SIZE.fullmatch(size):
            raise Malformed(f"the head is of {size[:30]!r} events, over which nothing can be proved; it has at least 1")
        raw = decoded(root)
        if raw is None or len(raw) != 32:
            raise Malformed("the head's third line is no root of 32 bytes in base64; give the head whole")
        told = next((line.removeprefix(_TIME) for line in more if line.startswith(_TIME)), None)
        try:
            time = None if told is None else datetime.fromisoformat(told).astimezone(UTC)
        except (ValueError, OverflowError):
            raise Malformed("the head's line of time is no time; give the head whole") from None
        return cls(origin.removeprefix(ORIGIN), int(size), raw, time)


class KnownHead(NamedTuple):
    """A head with its note, and the key by which its signature was checked; None where no key was given."""

    head: TreeHead
    note: SignedNote
    key: VerifierKey | None

    @classmethod
    def checked(cls, note: SignedNote, keys: tuple[VerifierKey, ...]) -> KnownHead:
        """The head of a note, its signature checked where keys are given. Raises as `TreeHead.read`, `signed_by`."""
        return cls(TreeHead.read(note.text), note, note.signed_by(keys) if keys else None)

    def told(self) -> SignedHead:
        """The head as an answer."""
        return SignedHead(
            ledger=self.head.ledger,
            size=self.head.size,
            root=hexed(self.head.root),
            time=self.head.time,
            key=None if self.key is None else str(self.key),
            note=str(self.note),
        )


def unsigned(head: TreeHead) -> KnownHead:
    """A head that nobody signed."""
    return KnownHead(head, SignedNote(head.text), None)


def heads_in(file: Path, keys: tuple[VerifierKey, ...]) -> list[KnownHead]:
    """The heads in a file, one or many, the smallest first. Raises `Malformed`, `Refused`, `NotAsSigned`."""
    return heads_of(contents(file, _MOST, "a head that `lepton sign-head` wrote"), str(file), keys)


def heads_asked(text: str, keys: tuple[VerifierKey, ...]) -> list[KnownHead]:
    """As `heads_in`, of what a server is asked about. Raises `Malformed` where it is too much as well."""
    return heads_of(text.encode("utf-8", "surrogatepass"), "the text of the heads", keys, MOST_ASKED)


def heads_of(raw: bytes, what: str, keys: tuple[VerifierKey, ...], most: int | None = None) -> list[KnownHead]:
    """As `heads_in`, of the bytes of such a file, of at most so many different heads."""
    notes = list(dict.fromkeys(notes_in(raw, what)))
    if most is not None and len(notes) > most:
        raise Malformed(f"{what} has {len(notes)} different heads; give at most {most} at once")
    heads = [KnownHead.checked(note, keys) for note in notes]
    if not heads:
        raise Malformed(f"{what} is empty; give a head that `lepton sign-head` wrote")
    return sorted(heads, key=lambda each: each.head.size)


def last_head_in(file: Path, keys: tuple[VerifierKey, ...]) -> KnownHead:
    """The head in a file of the most events. Raises as `heads_in`."""
    return heads_in(file, keys)[-1]


def note_in(text: str, what: str) -> SignedNote:
    """The one note of a text. Raises `Malformed`."""
    notes = notes_in(text.encode("utf-8", "surrogatepass")[: LONGEST + 1], what)
    if len(notes) != 1 or len(text) > LONGEST:
        raise Malformed(f"{what} is not one signed head; give it as it was written")
    return notes[0]


def contents(file: Path, most: int, wanted: str) -> bytes:
    """A file's bytes. Raises `Refused` where there is none or it cannot be read."""
    try:
        return read_file(file, most, follow=True)
    except FileNotFoundError:
        raise Refused(f"there is no file {str(file)!r}; give {wanted}") from None
    except ValueError as error:
        raise Malformed(f"{file} is no file, or too large ({error}); give {wanted}") from None
    except OSError as error:
        raise denied(error, file, "read") from error


def hexed(digest: bytes) -> str:
    """A digest as it is written elsewhere: `sha256:` and hexadecimal."""
    return f"sha256:{digest.hex()}"
