"""Tokens of a server's ledger, made and revoked by those who may."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ...versions.arguments import checked
from .asked import Asking, on_its_machine, over_http, quoted


@checked
class TokensOverHTTP(Asking):
    """`create_token`, `tokens`, `revoke_token`."""

    @over_http
    def create_token(self, given: Any) -> Any:
        body = {"owner": given.owner, "scopes": _several(given.scopes), "models": _several(given.models)}
        ends = datetime.now(UTC) + given.expires if isinstance(given.expires, timedelta) else given.expires
        body["expires"] = None if ends is None else str(ends)
        return self._write("POST", "/tokens", body, key=given.key)

    @over_http
    def tokens(self, given: Any) -> Any:  # noqa: ARG002 - it takes nothing
        return self._read("/tokens")

    @over_http
    def revoke_token(self, given: Any) -> Any:
        params = {"reason": given.reason} if given.reason else {}
        return self._write("DELETE", f"/tokens/{quoted(given.token)}", params=params, key=given.key)

    holder = on_its_machine("holder")


def _several(given: str | Any) -> list[str]:
    return [given] if isinstance(given, str) else [*given]
