"""What the server gives a browser to keep and knows again: signed with a key that all servers of the ledger have."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

_ALGORITHMS: Final = ["HS256"]


class Seal:
    """Signs claims for a while, each for one use. What is sealed can be read by whoever holds it."""

    def __init__(self, key: bytes) -> None:
        self._key = OctKey.import_key(key)

    def sealed(self, use: str, seconds: float, claims: Mapping[str, Any]) -> str:
        """Claims as a text of RFC 7519 that nobody else can make."""
        told = {**claims, "aud": use, "exp": int(time.time() + seconds)}
        return jwt.encode({"alg": "HS256"}, told, self._key, algorithms=_ALGORITHMS)

    def opened(self, use: str, text: str) -> Mapping[str, Any] | None:
        """The claims of a text; None where it is not the server's own, of another use, or of too long ago."""
        rules: Any = {"aud": {"essential": True, "value": use}, "exp": {"essential": True}}
        try:
            decoded = jwt.decode(text, self._key, algorithms=_ALGORITHMS)
            jwt.JWTClaimsRegistry(**rules).validate(decoded.claims)
        except (JoseError, ValueError, TypeError):
            return None
        return decoded.claims
