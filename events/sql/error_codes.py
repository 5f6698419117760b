"""Every error code of the two databases, and what it means for whoever asked.

A state that passes is told as `Unavailable`, whatever class its code belongs to: what was asked then is spooled, and
asked again. Only what no waiting mends is refused. tests/events/test_error_codes.py holds the tables to the complete
lists of codes that the drivers know.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Final, Literal

Meaning = Literal["passes", "locked", "read-only", "forbidden", "unfit", "rule", "value", "damaged"]
"""passes: try again later. locked: another writer is at work. read-only: no writes for now. forbidden: rights are
missing. unfit: no server, or no disk, that Lepton can work with. rule: a trigger or constraint that somebody added.
value: the database cannot hold what was given. damaged: the tables are not those of a ledger.
"""

SQLSTATES: Final[Mapping[str, Meaning]] = {
    "02": "passes",  # no data: not an error
    "03": "passes",  # statement not yet complete
    "08": "passes",  # connections
    "09": "rule",  # triggered action
    "0A": "passes",  # not supported: among them "cached plan must not change result type", right after an upgrade
    "0B": "passes",
    "0F": "passes",
    "0L": "forbidden",  # grantors
    "0P": "forbidden",  # roles
    "0Z": "passes",
    "10": "passes",
    "20": "passes",
    "21": "passes",
    "22": "value",
    "23": "damaged",  # under the head's lock no writer can break a constraint
    "24": "passes",
    "25": "passes",  # transaction states: timeouts of idle ones, and what follows from an error before
    "25006": "read-only",  # a standby, a failover, default_transaction_read_only
    "26": "passes",  # a prepared statement is gone: a pooler that was not seen; none are made any more
    "27": "rule",
    "28": "forbidden",
    "2B": "forbidden",
    "2D": "passes",
    "2F": "rule",
    "34": "passes",
    "38": "rule",
    "39": "rule",
    "3B": "passes",
    "3D": "forbidden",  # no such database
    "3F": "damaged",  # no such schema, after it was found
    "40": "passes",  # serialisation, deadlock, completion unknown
    "42": "unfit",
    "42501": "forbidden",
    "42701": "passes",  # somebody made the same column, object, function, table or schema at this moment
    "42710": "passes",
    "42723": "passes",
    "42P04": "passes",
    "42P05": "passes",  # a prepared statement of somebody else: a pooler that was not seen
    "42P06": "passes",
    "42P07": "passes",
    "42703": "damaged",  # no such column
    "42P01": "damaged",  # no such table
    "44": "rule",
    "53": "passes",  # disk, memory, connections
    "54": "value",  # limits: an index row, say, that is too long
    "55": "passes",  # not in the state for it: starting, recovering, in use
    "55P03": "locked",
    "57": "passes",  # an operator: cancelled, shut down, starting up, idle for too long
    "58": "passes",  # the system: I/O errors and lost files, which the server's log tells of
    "72": "passes",
    "F0": "passes",  # configuration files
    "HV": "passes",  # foreign tables
    "P0": "rule",
    "XX": "passes",  # internal errors
    "XX001": "damaged",
    "XX002": "damaged",
}
"""By SQLSTATE, or by its class."""

SQLITE: Final[Mapping[str, Meaning]] = {
    "SQLITE_ABORT": "passes",
    "SQLITE_AUTH": "forbidden",
    "SQLITE_BUSY": "locked",
    "SQLITE_CANTOPEN": "forbidden",  # sqlite.py looks why
    "SQLITE_CONSTRAINT": "damaged",
    "SQLITE_CORRUPT": "damaged",
    "SQLITE_EMPTY": "passes",
    "SQLITE_ERROR": "passes",
    "SQLITE_FORMAT": "damaged",
    "SQLITE_FULL": "passes",
    "SQLITE_INTERNAL": "passes",
    "SQLITE_INTERRUPT": "passes",
    "SQLITE_IOERR": "passes",
    "SQLITE_IOERR_CORRUPTFS": "damaged",
    "SQLITE_IOERR_DATA": "damaged",
    "SQLITE_LOCKED": "locked",
    "SQLITE_MISMATCH": "value",
    "SQLITE_MISUSE": "passes",
    "SQLITE_NOLFS": "unfit",
    "SQLITE_NOMEM": "passes",
    "SQLITE_NOTADB": "damaged",
    "SQLITE_NOTFOUND": "passes",
    "SQLITE_PERM": "forbidden",
    "SQLITE_PROTOCOL": "locked",
    "SQLITE_RANGE": "value",
    "SQLITE_READONLY": "forbidden",  # sqlite.py looks why
    "SQLITE_READONLY_CANTINIT": "passes",
    "SQLITE_READONLY_CANTLOCK": "passes",
    "SQLITE_READONLY_DBMOVED": "passes",
    "SQLITE_READONLY_RECOVERY": "passes",
    "SQLITE_READONLY_ROLLBACK": "passes",
    "SQLITE_SCHEMA": "passes",
    "SQLITE_TOOBIG": "value",
}
"""By the name of a result code, or of the primary code that it extends."""


def sqlstate_meaning(state: str | None) -> Meaning | None:
    """What an SQLSTATE means; None for one that nobody has thought about, or where there is none."""
    return (SQLSTATES.get(state) or SQLSTATES.get(state[:2])) if state is not None else None


def sqlite_meaning(code: int) -> Meaning | None:
    """What a result code of SQLite means; None for one that nobody has thought about, or where there is none."""
    return _BY_CODE.get(code) or _BY_CODE.get(code & 0xFF)


_BY_CODE: Final[Mapping[int, Meaning]] = {
    getattr(sqlite3, name): meaning for name, meaning in SQLITE.items() if hasattr(sqlite3, name)
}
