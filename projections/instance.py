"""The one DuckDB instance over a file, closed to the world before anybody else's SQL can reach it."""

# pyright: reportUnknownVariableType=false
# (pyarrow ships no types)

from __future__ import annotations

import stat
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from ..errors import Damaged
from .translation import FILE, of_file

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DEEPEST: Final = 250
"""Levels of nesting of an expression; DuckDB's own recursion would reach the end of a small stack far behind it."""

SETTINGS: Final = (
    "TimeZone = 'UTC'",
    "autoinstall_known_extensions = false",
    "autoload_known_extensions = false",
    "allow_community_extensions = false",
    "python_enable_replacements = false",
    "enable_external_access = false",
    "max_temp_directory_size = '10GB'",
    "wal_autocheckpoint = '256MB'",
    f"max_expression_depth = {DEEPEST}",
    "lock_configuration = true",
)

_KINDS: Final = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def opened(path: Path, memory_limit: str, *, ordered: bool = True) -> DuckDBPyConnection:
    """A connection to the file, made if there is none. Raises `Unavailable`, or `Damaged` where it is no read model.

    The settings belong to the instance, so every cursor has them and none can change them; their order matters, for
    without external access the temporary folder can no longer be named.
    """
    import duckdb

    for part in parts(path):
        _check_regular(part)
    try:
        connection = duckdb.connect(path)
    except foreign() as error:
        raise of_file(error) from error
    try:
        connection.execute("SET memory_limit = ?", [memory_limit])
        connection.execute("SET temp_directory = ?", [f"{path}.tmp"])
        connection.execute("SET preserve_insertion_order = ?", [ordered])
        for setting in SETTINGS:
            connection.execute(f"SET {setting}")
    except foreign() as error:
        connection.close()
        raise of_file(error) from error
    except BaseException:
        connection.close()
        raise
    return connection


@cache
def foreign() -> tuple[type[Exception], ...]:
    """What DuckDB and Arrow raise: beside their own errors what C++ throws, as Python's."""
    import duckdb
    from pyarrow import ArrowException

    thrown = (OSError, ValueError, TypeError, RuntimeError, IndexError, MemoryError)
    return (duckdb.Error, cast("type[Exception]", ArrowException), *thrown)


def parts(path: Path) -> tuple[Path, Path]:
    """DuckDB's log beside a file, and the file: in the order in which they may go, so that no log meets another."""
    return path.with_name(f"{path.name}.wal"), path


def removed(path: Path) -> None:
    """Delete a file with what DuckDB keeps beside it."""
    for victim in parts(path):
        victim.unlink(missing_ok=True)
    _without_temporary(path)


def moved_aside(path: Path, word: str) -> Path:
    """Put a file that cannot be used out of the way, in the place of the last such one, and return its new name.

    Whatever is there is moved as it is: a folder, a pipe, a link.
    """
    aside = path.with_name(f"{path.name}.{word}")
    for part, place in zip(parts(path), parts(aside), strict=True):
        with suppress(FileNotFoundError):
            _cleared(place)
            part.rename(place)
    _without_temporary(path)
    return aside


def _check_regular(path: Path) -> None:
    """Opening a pipe or a device waits for ever, or never ends."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        if path.is_symlink():
            raise Damaged(FILE, expected="a file", found="a link that leads nowhere") from None
        return
    except OSError as error:
        raise of_file(error) from error
    if not stat.S_ISREG(mode):
        kind = next((name for test, name in _KINDS if test(mode)), "something else")
        raise Damaged(FILE, expected="a file", found=kind)


def _cleared(place: Path) -> None:
    import shutil

    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


def _without_temporary(path: Path) -> None:
    folder = path.with_name(f"{path.name}.tmp")
    with suppress(OSError):
        for left in folder.iterdir():
            left.unlink()
        folder.rmdir()
