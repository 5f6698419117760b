"""What DuckDB complains about, in Lepton's words: the query's fault, the file's, or what the machine has run out of."""

from __future__ import annotations

import errno
import re
from functools import cache
from typing import Final, Literal

from ..errors import Damaged, LeptonError, Malformed, Refused, Unavailable
from ..permissions import denied

FILE: Final = "the read model"
"""What messages call the file."""

Kind = Literal["query", "file", "machine"]

_AWAY: Final = (
    "could not set lock",
    "conflicting lock",
    "permission denied",
    "no space left",
    "out of space",
    "file too large",
    "read-only file system",
    "disk quota",
    "too many open",
    "cannot allocate memory",
    "input/output error",
    "stale file handle",
    "resource busy",
    "timed out",
    "no such device",
    "not connected",
    "failed to allocate",
    "max_temp_directory_size",
)
"""How errors name what the machine has run out of, or does not allow."""

_CORRUPT: Final = re.compile(
    r"corrupt|checksum|deseriali[sz]|invalidated because|database file|not a valid duckdb|version number|\bWAL\b"
    r"|read (enough|all) bytes|end of file"
    r"|storage version|metadata block|block (id|pointer)|magic|out of (range|bounds) of the (file|block)",
    re.IGNORECASE,
)
"""How errors of any class name a damaged file."""


@cache
def kinds() -> dict[str, Kind]:
    """Whose fault each class of DuckDB's errors is where a query meets it; a test holds that all are here."""
    query = (
        *("ParserException", "SyntaxException", "BinderException", "CatalogException", "ProgrammingError"),
        *("ConversionException", "OutOfRangeException", "TypeMismatchException", "DataError"),
        *("InvalidInputException", "InvalidTypeException", "NotImplementedException", "NotSupportedError"),
        *("PermissionException", "SequenceException", "DependencyException", "TransactionException"),
    )
    file = (
        *("SerializationException", "FatalException", "InternalException", "InternalError", "IOException"),
        *("ConstraintException", "IntegrityError", "OperationalError", "DatabaseError", "Error"),
    )
    machine = ("OutOfMemoryException", "ResourceInUseException", "ConnectionException", "HTTPException")
    return {
        **dict.fromkeys(query, "query"),
        **dict.fromkeys(file, "file"),
        **dict.fromkeys((*machine, "InterruptException"), "machine"),
    }


def of_file(error: Exception) -> LeptonError:
    """Lepton's error for one that came of our own work on the file: away for now, or damaged."""
    import duckdb

    text = str(error)
    _check_interrupted(error, text)
    if reason := _away(text):
        return Unavailable(f"{FILE} cannot be opened or written ({reason}); try again when that is mended")
    if "configuration has been locked" in text:  # an instance of the same path lives in this process
        return Unavailable(f"{FILE} is open in this process already; try again when that is closed")
    if isinstance(error, duckdb.OutOfMemoryException | duckdb.InterruptException | MemoryError):
        return Unavailable(f"{FILE} needs more memory than there is; try again when other work is done")
    if isinstance(error, OSError) and error.errno not in (None, errno.ELOOP):
        return denied(error, FILE, "used")
    if isinstance(error, duckdb.IOException | duckdb.TransactionException) and not _CORRUPT.search(text):
        return Unavailable(f"{FILE} cannot be used ({_first_line(text, '')}); try again when that is mended")
    return Damaged(FILE, expected="what it was built from", found=f"{type(error).__name__} in its file")


def of_query(error: Exception, sql: str, timeout: float) -> LeptonError:
    """Lepton's error for one that somebody's SELECT met, in one sentence without a path of the host."""
    import duckdb

    # errors while an answer streams come from Arrow as OSError, with DuckDB's words
    text = str(error)
    _check_interrupted(error, text)
    if isinstance(error, RecursionError):
        return Refused("the query is nested too deeply; write it flatter, with lists or joins")
    if isinstance(error, duckdb.InterruptException) or text.startswith("INTERRUPT"):
        return Refused(
            f"the query ran longer than {timeout:g} s", python="read less, or raise its timeout=", cli="read less"
        )
    if isinstance(error, duckdb.OutOfMemoryException | MemoryError) or text.startswith("Out of Memory"):
        return Refused("the query needs more memory than queries have; read fewer rows or columns")
    if _away(text):
        return of_file(error)
    kind = kinds().get(type(error).__name__, "query") if isinstance(error, duckdb.Error) else _streamed(text)
    if kind == "query" and not _CORRUPT.search(_without_quotes(text)):
        return Malformed(f"the query does not stand: {_first_line(text, sql)}")
    return of_file(error)


def is_of_file(error: LeptonError) -> bool:
    """Whether it says that the file is damaged, and not the log that it follows: it can be built anew."""
    return isinstance(error, Damaged) and error.thing.startswith(FILE)


def _check_interrupted(error: Exception, text: str) -> None:
    """Raise `KeyboardInterrupt` where that is what DuckDB met: it tells a signal as an error of its own."""
    if type(error) is RuntimeError and text == "Query interrupted":
        raise KeyboardInterrupt from error


def _away(text: str) -> str | None:
    lowered = text.lower()
    return next((reason for reason in _AWAY if reason in lowered), None)


def _streamed(text: str) -> Kind:
    """The kind of an error that came through Arrow, by the class that DuckDB writes before its words."""
    kind = text.partition(" Error:")[0].lower()
    file = ("serialization", "fatal", "internal", "io", "constraint", "invalid configuration")
    return "file" if kind in file else "query"


def _without_quotes(text: str) -> str:
    """A message without what it quotes of the query: who asks for 'corrupt' is told of the query."""
    line = text.partition("\n")[0]
    return re.sub(r"\"[^\"]*\"|'[^']*'", "", line)


def _first_line(text: str, sql: str) -> str:
    line = text.strip().partition("\n")[0]
    return re.sub(r"/[^\s\"']{2,}", lambda path: path[0] if path[0] in sql else "…", line)
