"""A file of a run as a script gives it: its name, its content, the step that it belongs to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from stat import S_ISREG
from typing import Any, Final, NamedTuple, cast

from ...domain.names import checked_file
from ...errors import Malformed, Refused
from ...plain import words_of
from ...settings import most_bytes
from .content import content_of

MOST_FILES: Final = 500
"""Files that are logged at a time."""
_MOST: Final = 256 << 20


class RunFile(NamedTuple):
    """A file of a run: its name, its bytes or where they lie, and the step that it belongs to."""

    name: str
    content: Path | bytes
    step: int | None = None


def run_files(named: Any, step: int | None) -> tuple[RunFile, ...]:
    """Files as a run is given them by their names. Raises `Malformed` where one is none, `Refused` where too large."""
    if not isinstance(named, Mapping):
        raise Malformed(f"files are {words_of(named)}; give a mapping of names to what they hold")
    given = cast("Mapping[Any, Any]", named)
    check_count(len(given))
    return tuple(RunFile(name, _content(name, what), step) for name, what in given.items())


def check_count(count: int) -> None:
    """Raise `Malformed` where these are none, or more than are kept at a time."""
    if not 0 < count <= MOST_FILES:
        raise Malformed(f"{count:,} files at a time; log 1 to {MOST_FILES:,}")


def check_size(name: str, size: int) -> None:
    """Raise `Refused` where a file is larger than LEPTON_FILE_BYTES."""
    if size > (most := most_bytes("LEPTON_FILE_BYTES", _MOST)):
        raise Refused(
            f"{name!r} has {size:,} bytes, a run's file at most {most:,}; keep less, or set LEPTON_FILE_BYTES higher"
        )


def _content(name: Any, what: Any) -> Path | bytes:
    if not isinstance(name, str):
        raise Malformed(f"a file's name is {words_of(name)}; give a text, such as figures/confusion.png")
    checked_file(name)
    if isinstance(what, str | os.PathLike):
        return _path(name, Path(cast("str | os.PathLike[str]", what)))
    content = content_of(name, what)
    check_size(name, len(content))
    return content


def _path(name: str, path: Path) -> Path:
    """A plain file that can be read."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        raise Malformed(f"there is no file to keep as {name!r}; give a path, or keep a text by log_text") from None
    if not S_ISREG(found.st_mode):
        raise Malformed(f"what is to be kept as {name!r} is a folder, or no plain file; keep its files one by one")
    if not os.access(path, os.R_OK):
        raise Malformed(f"the file to keep as {name!r} may not be read; see to its permissions")
    check_size(name, found.st_size)
    return path
