"""An answer kept as a file: it appears whole or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from ..errors import Refused


def keep(content: bytes, path: str | os.PathLike[str], *, replace: bool = True) -> None:
    """Write a file, whole or not at all. Raises `Refused` where it cannot be, or is there and may not be replaced."""
    target = Path(path)
    part = target.with_name(f".{target.name[:64]}.{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            part.replace(target)
        else:
            os.link(part, target)  # unlike a rename it replaces nothing
    except FileExistsError:
        raise Refused(f"{path} is there already", python="name another file", cli="--force replaces it") from None
    except OSError as error:
        raise unwritten(path, error) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def unwritten(path: str | os.PathLike[str], error: OSError) -> Refused:
    """The refusal of a place that nothing can be written to."""
    return Refused(f"{path} cannot be written ({error.strerror or error}); name another place")
