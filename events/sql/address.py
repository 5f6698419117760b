"""Which database a URL names."""

from __future__ import annotations

import re

from ...errors import Malformed
from .database import Database


def database_at(url: str, ledger: str, *, wait: float) -> Database:
    """The database of a ledger, not yet connected to; `wait` is how many seconds its locks are waited for.

    Raises `Malformed` where the URL names none, without quoting it: it may hold a password.
    """
    scheme = url.split(":", 1)[0]
    if scheme == "sqlite":
        from .sqlite import SQLite

        return SQLite(url, ledger, wait=wait)
    if scheme in ("postgresql", "postgres"):
        from .postgresql import PostgreSQL

        return PostgreSQL(url, ledger, wait=wait)
    if re.fullmatch(r"[a-z]{2,20}", scheme) and url.startswith(f"{scheme}://"):
        raise Malformed(f"LEPTON_DATABASE names {scheme!r}; a ledger lives in sqlite:/// or postgresql://")
    raise Malformed("LEPTON_DATABASE is no database URL; write sqlite:///path or postgresql://user@host/name")
