"""Answers written to a file."""

from __future__ import annotations

from pathlib import Path

from ..errors import Refused


def written(content: bytes, path: str) -> None:
    """Write a file that appears whole or not at all. Raises `Refused` where it cannot be written."""
    target = Path(path)
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_bytes(content)
        part.replace(target)
    except OSError as error:
        raise Refused(f"{path} cannot be written ({error.strerror or error}); name another place") from error
    finally:
        part.unlink(missing_ok=True)
