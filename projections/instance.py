"""The one DuckDB instance over a file, closed to the world before anybody else's SQL can reach it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import Damaged, LeptonError, Unavailable

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_AWAY = (
    "Could not set lock",
    "Permission denied",
    "No space left",
    "File too large",
    "Read-only file system",
    "Disk quota",
    "Too many open",
)


def opened(path: Path, memory_limit: str, *, ordered: bool = True) -> DuckDBPyConnection:
    """A connection to the file, made if there is none. Raises `Unavailable`, or `Damaged` where it is no read model.

    The settings belong to the instance, so every cursor has them and none can change them; their order matters, for
    without external access the temporary folder can no longer be named.
    """
    import duckdb

    try:
        connection = duckdb.connect(path)
    except duckdb.Error as error:
        raise translated(error) from error
    try:
        connection.execute("SET memory_limit = ?", [memory_limit])
        connection.execute("SET temp_directory = ?", [f"{path}.tmp"])
        connection.execute("SET preserve_insertion_order = ?", [ordered])
        for setting in (
            "TimeZone = 'UTC'",
            "autoinstall_known_extensions = false",
            "autoload_known_extensions = false",
            "allow_community_extensions = false",
            "python_enable_replacements = false",
            "enable_external_access = false",
            "max_temp_directory_size = '10GB'",
            "wal_autocheckpoint = '256MB'",
            "lock_configuration = true",
        ):
            connection.execute(f"SET {setting}")
    except duckdb.Error as error:
        connection.close()
        raise translated(error) from error
    return connection


def translated(error: Exception) -> LeptonError:
    """What a DuckDB error means for the file itself: away for now, or damaged."""
    text = str(error)
    if reason := next((reason for reason in _AWAY if reason.lower() in text.lower()), None):
        return Unavailable(
            f"the read model cannot be opened or written ({reason.lower()}); try again when that is mended"
        )
    return Damaged("the read model", expected="what it was built from", found=f"{type(error).__name__} in its file")


def removed(path: Path) -> None:
    """Delete a file with what DuckDB keeps beside it: its log first, so that no log meets another file."""
    for victim in (path.with_name(f"{path.name}.wal"), path):
        victim.unlink(missing_ok=True)
    folder = path.with_name(f"{path.name}.tmp")
    with suppress(OSError):
        for left in folder.iterdir():
            left.unlink()
        folder.rmdir()
