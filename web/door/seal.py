"""What the server gives a browser to keep and knows again: signed with a key that all servers of the ledger have."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

_ALGORITHMS: Final = ["HS256"]


class Seal:
    """Signs claims for a while, each for one use. What is sealed can be read by whoever holds it."""

    def __init__(self, key: Callable[[], bytes]) -> None:
        self._key = key
        """Asked for each time, since another may take its place."""

    def sealed(self, use: str, seconds: float, claims: Mapping[str, Any]) -> str:
        """Claims as a text of RFC 7519 that nobody else can make."""
        told = {**claims, "aud": use, "exp": int(time.time() + seconds)}
        return jwt.encode({"alg": "HS256"}, told, OctKey.import_key(self._key()), algorithms=_ALGORITHMS)

    def opened(self, use: str, text: str) -> Mapping[str, Any] | None:
        """The claims of a text; None where it is not the server's own, of another use, or of too long ago."""
        claims = self._signed(use, text)
        return claims if claims is not None and claims["exp"] > time.time() else None

    def made(self, use: str, text: str) -> bool:
        """Whether a text is the server's own and of that use, however long ago."""
        return self._signed(use, text) is not None

    def _signed(self, use: str, text: str) -> Mapping[str, Any] | None:
        try:
            claims = jwt.decode(text, OctKey.import_key(self._key()), algorithms=_ALGORITHMS).claims
        except (JoseError, ValueError, TypeError):
            return None
        return claims if claims.get("aud") == use and isinstance(claims.get("exp"), int) else None
