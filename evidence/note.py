"""Signed notes (https://c2sp.org/signed-note): text, and lines that sign it with Ed25519."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

from ..errors import Malformed, NotAsSigned, Refused

ED25519: Final = b"\x01"
"""The signature type, as the specification numbers them."""
SIGNED: Final = "— "
LONGEST: Final = 1 << 20
"""Bytes of a note."""
_NAME: Final = re.compile(r"[^\s+\x00-\x1f]{1,200}")


class Signature(NamedTuple):
    """A line below a note: who signed, and the key's id before the signature itself."""

    name: str
    id: bytes
    signature: bytes


class VerifierKey(NamedTuple):
    """A public key with the name that it signs under; `str()` is its vkey, `NAME+ID+BASE64`."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """What its signatures begin with: 4 bytes."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{b64encode(ED25519 + self.public).decode()}"

    @classmethod
    def parsed(cls, text: str) -> VerifierKey:
        """The key that a vkey writes. Raises `Malformed`."""
        name, id, raw = parts_of_key(text.strip(), "a verifier key (NAME+ID+BASE64)")
        key = cls(name, raw)
        if key.id.hex() != id:
            raise Malformed(f"the verifier key of {name} has another id than its bytes; copy it whole")
        return key

    def holds(self, text: str, signature: bytes) -> bool:
        """Whether a signature is this key's of a text."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


class SignedNote(NamedTuple):
    """A text, which ends in a newline, and its signatures; without any it is as good as whoever kept it."""

    text: str
    signatures: tuple[Signature, ...] = ()

    def __str__(self) -> str:
        lines = (f"{SIGNED}{each.name} {b64encode(each.id + each.signature).decode()}\n" for each in self.signatures)
        return f"{self.text}\n{''.join(lines)}"

    def signed_by(self, keys: Sequence[VerifierKey]) -> VerifierKey:
        """The first of some keys that signed it. Raises `Refused` where none did, `NotAsSigned` where one's signature
        is of another text."""
        known = {(key.name, key.id): key for key in keys}
        held = [(known[each[:2]], each.signature) for each in self.signatures if each[:2] in known]
        for key, signature in held:
            if not key.holds(self.text, signature):
                raise NotAsSigned(
                    f"the head of {self.text.partition(chr(10))[0]}",
                    expected=f"a signature of {key.name}",
                    found="one of another text",
                    remedy="its text or its signature was altered",
                )
        if not held:
            signers = ", ".join(each.name for each in self.signatures) or "nobody"
            raise Refused(f"the head is not signed by {keys[0].name}, but by {signers}; give the key that signed it")
        return held[0][0]


def notes_in(raw: bytes, what: str) -> list[SignedNote]:
    """The notes that follow each other in a file, whose texts have no empty lines. Raises `Malformed`."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise Malformed(f"{what} is no text; give a head as `lepton sign-head` writes it") from None
    if any(char < " " and char != "\n" for char in text):
        raise Malformed(f"{what} holds control characters, as no signed note does; give a head as it was written")
    notes, body, signatures = list[SignedNote](), list[str](), list[Signature]()
    for line in filter(None, text.split("\n")):
        if line.startswith(SIGNED) and body:
            signatures.append(_signature(line, what))
            continue
        if signatures:
            notes.append(SignedNote("".join(body), tuple(signatures)))
            body, signatures = [], []
        body.append(f"{line}\n")
    return [*notes, SignedNote("".join(body), tuple(signatures))] if body else notes


def keys_of(given: str | Iterable[str] | None) -> tuple[VerifierKey, ...]:
    """Verifier keys as callers give them: one, several or none. Raises `Malformed`."""
    return tuple(map(VerifierKey.parsed, (given,) if isinstance(given, str) else given or ()))


def checked_key_name(name: str) -> str:
    """The name of a key, or `Malformed`."""
    if not _NAME.fullmatch(name):
        raise Malformed(
            f"{name[:80]!r} is no name for a key; names have no spaces and no +, as example.org/ledger has none"
        )
    return name


def parts_of_key(text: str, what: str) -> tuple[str, str, bytes]:
    """The name, the id in hexadecimal and the 32 bytes of a key that is written as Go's sumdb does, or `Malformed`."""
    name, _, rest = text.partition("+")
    id, _, written = rest.partition("+")
    raw = decoded(written)
    if not _NAME.fullmatch(name) or not re.fullmatch("[0-9a-f]{8}", id) or raw is None or len(raw) != 33:
        raise Malformed(f"this is not {what}; `lepton sign-head --make-key FILE` makes one and prints what verifies it")
    if raw[:1] != ED25519:
        raise Malformed(f"the key of {name} is of type {raw[0]}; Lepton knows Ed25519, which is 1")
    return name, id, raw[1:]


def decoded(text: str) -> bytes | None:
    """Bytes from base64 that is written in the one way that the standard has, else None."""
    try:
        raw = b64decode(text, validate=True)
    except ValueError:
        return None
    return raw if b64encode(raw).decode() == text else None


def _signature(line: str, what: str) -> Signature:
    name, _, written = line.removeprefix(SIGNED).partition(" ")
    raw = decoded(written)
    if not name or raw is None or len(raw) < 5:
        raise Malformed(f"{what} has a line that should sign and does not; give the head whole")
    return Signature(name, raw[:4], raw[4:])
