"""What a database's driver complains about, in Lepton's words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ..errors import Damaged, LeptonError, Malformed, Refused, Unavailable

_LOGIN: Final = ("authentication failed", "does not exist", "no pg_hba.conf entry", "no password supplied")
"""How PostgreSQL refuses a login; its driver gives no code for these."""

_BROKEN: Final = ("23", "XX001", "XX002")
"""SQLSTATEs of rows that contradict others; under the head's lock no writer can have caused that."""

_UNFIT: Final = (sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE)
"""What SQLite says of a value that no column holds."""


@dataclass(frozen=True, slots=True)
class Translator:
    """Knows what to call the database, how long its locks are waited for, and what no message may show."""

    name: str
    wait: float
    secrets: Iterable[str]

    def translate(self, error: BaseException) -> LeptonError | None:
        """Lepton's error for a foreign one, None where the database has nothing to do with it."""
        cause = getattr(error, "orig", None) or error  # what SQLAlchemy wraps, while it migrates
        if isinstance(cause, sqlite3.Error):
            return self._sqlite(cause, self._text(cause))
        if type(cause).__module__.split(".")[0] == "psycopg":
            unfit = "DataError" in {kind.__name__ for kind in type(cause).__mro__} or "cannot adapt" in str(cause)
            if unfit and not getattr(cause, "sqlstate", None):
                # found by the driver itself, before the server saw it
                return Malformed(f"{self.name} cannot hold a value ({self._text(cause)}); leave control characters out")
            return self._postgresql(getattr(cause, "sqlstate", None) or "", self._text(cause))
        return None

    def _text(self, error: BaseException) -> str:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        text = lines[0]
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text

    def _sqlite(self, error: sqlite3.Error, text: str) -> LeptonError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        broken = code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CONSTRAINT)
        if broken or text.startswith("Could not decode"):
            return Damaged(self.name, expected="a ledger's database", found=text)
        if code in _UNFIT or "binding parameter" in text:
            return Malformed(
                f"{self.name} cannot hold a value ({text}); it is too long or of a type that no column has"
            )
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return self._locked()
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
            return Refused(f"{self.name} cannot be opened for writing ({text}); check the folder and its permissions")
        if code == sqlite3.SQLITE_FULL:
            return Unavailable(f"there is no room left for {self.name} ({text}); free some and try again")
        return Unavailable(f"{self.name} failed ({text}); try again when that is mended")

    def _postgresql(self, state: str, text: str) -> LeptonError:
        if state == "55P03":
            return self._locked()
        if state.startswith(_BROKEN):
            return Damaged(self.name, expected="a ledger's tables", found=text)
        if state.startswith(("22", "54")):  # 54: too long for an index, too many arguments
            return Malformed(f"{self.name} cannot hold a value ({text}); leave control characters out")
        if state in ("42501", "25006") or any(words in text for words in _LOGIN):
            return Refused(f"{self.name} does not let Lepton in ({text}); check LEPTON_DATABASE and the user's rights")
        return Unavailable(f"{self.name} does not answer ({text}); try again when it does")

    def _locked(self) -> Unavailable:
        return Unavailable(
            f"{self.name} stayed locked by another writer for {self.wait:g} s; "
            "try again when it is done, or raise LEPTON_WAIT"
        )
