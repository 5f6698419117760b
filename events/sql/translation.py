"""What a database's driver complains about, in Lepton's words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from ...errors import Damaged, LeptonError, Malformed, Refused, Unavailable
from .error_codes import Meaning, sqlite_meaning, sqlstate_meaning

_NO_LOGIN: Final = (
    "authentication failed",
    "does not exist",
    "is not permitted to log in",
    "no password supplied",
    "no pg_hba.conf entry",
    "no such database",
    "no such user",
    "permission denied",
    "unsupported startup parameter",
)
"""How PostgreSQL and PgBouncer refuse a login; the driver gives no code for what it was told while it connected."""
_NO_TLS: Final = ("certificate", "server does not support SSL", "sslmode", "sslrootcert")
_NO_TRANSACTIONS: Final = "statement pooling mode"
_NO_TABLE: Final = ("no such table", "no such column", "has no column")
"""What SQLite has no code for."""


_LOCKED: Final = (
    Unavailable,
    "{name} stayed locked by another writer for {wait:g} s; try again when it is done, or raise LEPTON_WAIT",
)
_RULE: Final = (Refused, "{name} has a rule that Lepton did not make ({text}); ask who made it")
_VALUE: Final = (
    Malformed,
    "{name} cannot hold a value ({text}); leave control characters out and shorten long names",
)
_Sentences = Mapping[Meaning, tuple[type[Refused | Unavailable], str]]
_OF_POSTGRESQL: Final[_Sentences] = {
    "passes": (Unavailable, "{name} does not answer ({text}); try again when it does"),
    "locked": _LOCKED,
    "read-only": (Unavailable, "{name} takes no writes now ({text}); try again when it does"),
    "forbidden": (
        Refused,
        "{name} does not let Lepton in ({text}); check LEPTON_DATABASE and the user's rights",
    ),
    "unfit": (Refused, "{name} does not do what Lepton needs ({text}); use PostgreSQL 14 or newer"),
    "rule": _RULE,
    "value": _VALUE,
}
_OF_SQLITE: Final[_Sentences] = {
    "passes": (Unavailable, "{name} failed ({text}); try again when that is mended"),
    "locked": _LOCKED,
    "read-only": (Unavailable, "{name} takes no writes now ({text}); try again when it does"),
    "forbidden": (
        Refused,
        "{name} cannot be opened for writing ({text}); check the folder and its permissions",
    ),
    "unfit": (Refused, "the disk of {name} holds no file of that size ({text}); put it on another"),
    "rule": _RULE,
    "value": _VALUE,
}
"""The error of each meaning but damage, and its sentence."""


@dataclass(frozen=True, slots=True)
class Translator:
    """Knows what to call the database, how long its locks are waited for, and what no message may show."""

    name: str
    wait: float
    secrets: Iterable[str]

    def translate(self, error: BaseException) -> LeptonError | None:
        """Lepton's error for a foreign one, None where the database has nothing to do with it."""
        cause = getattr(error, "orig", None) or error  # what SQLAlchemy wraps, while it migrates
        text = self._text(cause)
        if isinstance(cause, sqlite3.Error):
            return self._error(_of_sqlite(cause, text), text, _OF_SQLITE)
        if not any(kind.__module__.split(".")[0] == "psycopg" for kind in type(cause).__mro__):
            return None
        if _NO_TRANSACTIONS in text:
            return Refused(
                f"{self.name} lies behind a pooler that allows no transactions ({text}); "
                "set its pool_mode to transaction or session"
            )
        return self._error(_of_postgresql(cause, text), text, _OF_POSTGRESQL)

    def _text(self, error: BaseException) -> str:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        text = lines[0]
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text

    def _error(self, meaning: Meaning, text: str, sentences: _Sentences) -> LeptonError:
        if meaning == "damaged":
            return Damaged(self.name, expected="a ledger's tables", found=text)
        kind, sentence = sentences[meaning]
        return kind(sentence.format(name=self.name, text=text, wait=self.wait))


def _of_postgresql(error: BaseException, text: str) -> Meaning:
    if (meaning := sqlstate_meaning(getattr(error, "sqlstate", None))) is not None:
        return meaning
    if "cannot adapt" in text or any(kind.__name__ == "DataError" for kind in type(error).__mro__):
        return "value"  # found by the driver itself, before the server saw it
    return "forbidden" if any(words in text for words in (*_NO_LOGIN, *_NO_TLS)) else "passes"


def _of_sqlite(error: sqlite3.Error, text: str) -> Meaning:
    if text.startswith("Could not decode") or any(words in text for words in _NO_TABLE):
        return "damaged"
    if "binding parameter" in text or (type(error) is sqlite3.DataError and not hasattr(error, "sqlite_errorcode")):
        return "value"  # which the driver has no code for
    return sqlite_meaning(getattr(error, "sqlite_errorcode", 0)) or "passes"
