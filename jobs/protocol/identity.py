"""Who a worker is: the keys of its one life, the name that follows from them, its signature, and seals for it alone."""

from __future__ import annotations

import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID

from ...errors import Malformed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_SIGNED: Final = b"lepton worker's message 1\0"
_SEALED: Final = b"lepton worker's order 1\0"
_VOUCHED: Final = b"lepton worker's admission 1\0"
"""What a key is used for, in front of what it is used on: nothing signed for one purpose serves another."""
_KEY: Final = 32
"""Bytes of each public key, of Ed25519 and of X25519."""
_SUFFIX: Final = re.compile(rb',"workerkey":"([\w-]{86})","workersignature":"([\w-]{86})"\}\Z', re.ASCII)


class Signed(NamedTuple):
    """Bytes that bear a worker's signature, without it: who says them, and its public keys."""

    body: bytes
    by: str
    key: str


class WorkerKeys:
    """The keys of one life of a worker: it signs what it says by one, and alone opens its orders by the other.

    Its name, the incarnation, follows from the public keys, so nobody else can speak under it. The private ones leave
    the process never and end with it.
    """

    def __init__(self, seed: bytes | None = None) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

        seed = seed or os.urandom(_KEY)
        self._signing = Ed25519PrivateKey.from_private_bytes(sha256(_SIGNED + seed).digest())
        self._opening = X25519PrivateKey.from_private_bytes(sha256(_SEALED + seed).digest())
        self._public = self._signing.public_key().public_bytes_raw() + self._opening.public_key().public_bytes_raw()
        self.key: Final = _written(self._public)
        """Both public keys, as its messages bear them."""
        self.incarnation: Final = named(self.key)

    def signed(self, body: bytes, place: str) -> bytes:
        """A JSON object that says of itself who signed it, for one place alone: the topic that it is said on."""
        signature = _written(self._signing.sign(_of(body, place)))
        return body[:-1] + f',"workerkey":"{self.key}","workersignature":"{signature}"}}'.encode()

    def opened(self, sealed: bytes, about: bytes) -> bytes:
        """What `seal` was given. Raises `Malformed` where it was sealed for another, or about something else."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        once = sealed[:_KEY]
        try:
            shared = self._opening.exchange(X25519PublicKey.from_public_bytes(once))
            return AESGCM(_derived(shared, once, self._public[_KEY:])).decrypt(bytes(12), sealed[_KEY:], about)
        except (InvalidTag, ValueError) as error:
            raise Malformed("what is sealed opens with no key of this worker's") from error


def seal(plain: bytes, about: bytes, key: str) -> bytes:
    """Bytes that only the worker with these public keys can open: X25519 with a key of their own, HKDF, AES-256-GCM.

    `about` stays readable, and cannot be changed. Raises `Malformed` where `key` is none.
    """
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    mine = X25519PrivateKey.generate()
    once = mine.public_key().public_bytes_raw()
    try:
        theirs = _read(key)[_KEY:]
        shared = mine.exchange(X25519PublicKey.from_public_bytes(theirs))
    except ValueError as error:
        raise Malformed("a worker's public key is none; it must announce itself anew") from error
    return once + AESGCM(_derived(shared, once, theirs)).encrypt(bytes(12), plain, about)


def verified(raw: bytes, place: str) -> Signed:
    """What was signed for a place, once its signature holds. Raises `Malformed` where it bears none that does."""
    from cryptography.exceptions import InvalidSignature

    found = _SUFFIX.search(raw[-300:])
    if found is None:
        raise Malformed(
            "this is no message of a worker: it bears no signature (a worker of an older Lepton needs an upgrade)"
        )
    body, key = raw[: len(raw) - len(found[0])] + b"}", found[1].decode()
    try:
        _verifying(key).verify(urlsafe_b64decode(found[2] + b"=="), _of(body, place))
    except (InvalidSignature, ValueError) as error:
        raise Malformed(
            "this is no message of the worker that it names: its signature is of other words or another place"
        ) from error
    return Signed(body, named(key), key)


def vouched(incarnation: str, secret: str, place: str) -> str:
    """What only who knows the ledger's secret can say for a worker's name: an HMAC, in hexadecimal."""
    import hmac

    return hmac.digest(secret.encode(), _VOUCHED + f"{place}\0{incarnation}".encode(), "sha256").hex()


@lru_cache(1000)
def named(key: str) -> str:
    """The incarnation that bears these public keys: a UUID of version 8, of their SHA-256."""
    digest = bytearray(sha256(_read(key)).digest()[:16])
    digest[6], digest[8] = digest[6] & 0x0F | 0x80, digest[8] & 0x3F | 0x80
    return str(UUID(bytes=bytes(digest)))


@lru_cache(1000)
def _verifying(key: str) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(_read(key)[:_KEY])


def _of(body: bytes, place: str) -> bytes:
    return _SIGNED + place.encode() + b"\0" + body


def _derived(shared: bytes, once: bytes, theirs: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), 32, salt=once + theirs, info=_SEALED).derive(shared)


def _written(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _read(key: str) -> bytes:
    """The bytes of keys, which are written in one way: the last letter has bits that say nothing."""
    raw = urlsafe_b64decode(key + "==")
    if _written(raw) != key:
        raise ValueError("keys are written in one way")
    return raw
