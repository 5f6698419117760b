"""The folder of the read models: whose file is whose, and who may use it."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path

from ..errors import Damaged
from ..permissions import own
from .instance import removed
from .translation import FILE

_log = logging.getLogger("lepton")


class OtherLedger(Damaged):
    """A read model tells of another ledger than the one it lies beside."""

    def __init__(self, *, expected: str, found: str) -> None:
        super().__init__(FILE, expected=f"ledger {expected}", found=f"ledger {found}")


def own_files(path: Path) -> None:
    """Give a read model's file and its log the modes that the folder asks for: DuckDB knows the umask alone."""
    own(path)
    own(path.with_name(f"{path.name}.wal"))


def keep_usable(path: Path) -> None:
    """Remove a file that another member of a shared home left unreadable for us: the log makes it anew."""
    for place in (path, path.with_name(f"{path.name}.wal")):
        if place.exists() and not os.access(place, os.R_OK | os.W_OK) and os.access(place.parent, os.W_OK | os.X_OK):
            _log.info("%s may not be written by this user; it is built anew from the log", place)
            removed(path)


def put_aside(path: Path) -> Path:
    """Give a file another name, which is returned: it is of another ledger, which may want it back."""
    number = 1
    while (aside := path.with_name(f"{path.stem}.other-ledger-{number}{path.suffix}")).exists():
        number += 1
    path.rename(aside)
    with suppress(FileNotFoundError):
        path.with_name(f"{path.name}.wal").rename(aside.with_name(f"{aside.name}.wal"))
    return aside


def is_of(path: Path, ledger_id: str) -> bool:
    """Whether a file made by other SQL may be thrown away: it is of this ledger, or nothing that can be read."""
    import duckdb

    try:
        with duckdb.connect(path, read_only=True) as connection:
            return connection.execute("SELECT id FROM store.ledger").fetchall() in ([], [(ledger_id,)])
    except duckdb.Error:
        return True
