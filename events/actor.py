"""Who acts: a pseudonym that events bear, a name, and the key that seals what was said freely."""

from __future__ import annotations

import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ..errors import Malformed

SEALED: Final = "sealed:v1:"
"""What a sealed text begins with."""
FORGOTTEN: Final = "[forgotten]"
LONGEST_NAME: Final = 200
KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who acts: `id` is what events bear."""

    id: str
    name: str
    key: bytes

    def seal(self, text: str) -> str:
        """Free text as it may stand in an event for ever: AES-256-GCM under this actor's key, bound to its id.

        Raises `Malformed` where it is not Unicode.
        """
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if not text:
            return text
        try:
            plain = text.encode()
        except UnicodeEncodeError as error:
            raise Malformed(f"the text holds what is not Unicode ({error}); leave lone surrogates out") from error
        nonce = os.urandom(12)
        sealed = AESGCM(self.key).encrypt(nonce, plain, self.id.encode())
        return SEALED + urlsafe_b64encode(nonce + sealed).decode()

    def open(self, sealed: str) -> str:
        """What `seal` was given; text that was never sealed as it is."""
        text = self.unsealed(sealed)
        return FORGOTTEN if text is None else text

    def unsealed(self, sealed: str) -> str | None:
        """As `open`, but None where this actor's key opens nothing."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if not sealed.startswith(SEALED):
            return sealed
        try:
            raw = urlsafe_b64decode(sealed.removeprefix(SEALED))
            return AESGCM(self.key).decrypt(raw[:12], raw[12:], self.id.encode()).decode()
        except (InvalidTag, ValueError):
            return None

    def seal_bytes(self, raw: bytes) -> bytes:
        """Bytes as they may lie in a table for as long as the key does, sealed as `seal` does."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(12)
        return nonce + AESGCM(self.key).encrypt(nonce, raw, self.id.encode())

    def open_bytes(self, sealed: bytes) -> bytes | None:
        """What `seal_bytes` was given, None where this actor's key does not open it."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            return AESGCM(self.key).decrypt(sealed[:12], sealed[12:], self.id.encode())
        except (InvalidTag, ValueError):
            return None

    def digest(self, content: bytes) -> str:
        """A command's digest: HMAC-SHA256 under this actor's key, so that it is no trace of the text once forgotten."""
        keyed = _keyed(self.key).copy()
        keyed.update(content)
        return f"hmac-sha256:{keyed.hexdigest()}"


def names_an_actor(name: str) -> bool:
    """Whether somebody may be called that."""
    return 0 < len(name) <= LONGEST_NAME and name.isprintable()


def checked_actor(name: str, what: str = "an actor's name") -> str:
    """The name of an actor, or `Malformed`, which does not quote it."""
    if not names_an_actor(name):
        raise Malformed(
            f"{what} has {len(name)} characters or one that does not print; it is 1 to {LONGEST_NAME} printable ones"
        )
    return name


@lru_cache(64)
def _keyed(key: bytes) -> hmac.HMAC:
    return hmac.new(key, digestmod="sha256")
