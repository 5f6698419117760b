"""Output: answers on stdout, or in a file that appears whole or not at all."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

from ..errors import Refused
from ..escapes import escaped_lines
from ..results.file import keep, unwritten


def show(content: bytes) -> None:
    """Write to stdout: the bytes as they are, on a terminal as text that cannot steer it."""
    if sys.stdout.isatty():
        content = escaped_lines(content.decode()).encode()
    sys.stdout.buffer.write(content)


def check_place(path: str, *, force: bool) -> Path:
    """Where a file may be written. Raises `Refused` where one is that nobody said to replace, or none can be."""
    target = Path(path)
    try:
        mode = target.stat().st_mode
    except FileNotFoundError as error:
        if not target.parent.is_dir():
            raise unwritten(path, error) from error
        return target
    except OSError as error:
        raise unwritten(path, error) from error
    if not stat.S_ISREG(mode):
        raise Refused(f"{path} is no file; name one")
    if not force:
        raise Refused(f"{path} is there already; --force replaces it")
    return target.resolve()


def write(content: bytes, path: str, *, force: bool) -> None:
    """Write a file, whole or not at all. Raises `Refused` as `check_place`, and where it cannot be written."""
    keep(content, check_place(path, force=force), replace=force)
