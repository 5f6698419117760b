"""Safetensors files as torch's tensors, read and written."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

from ..errors import Malformed, Refused
from ..permissions import denied


def read_tensors(path: Path) -> dict[str, Any]:
    """The tensors of a file by name. Raises `Refused` where it is none, `Unavailable` where it is away."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file  # pyright: ignore[reportUnknownVariableType]

    try:
        return load_file(path)
    except FileNotFoundError:
        raise Refused(f"there is no file {str(path)!r}; give a safetensors file") from None
    except OSError as error:
        raise denied(error, path, "read") from error
    except SafetensorError as error:
        raise Malformed(f"{path} cannot be read as safetensors ({error}); save it with that library") from None


def write_tensors(tensors: dict[str, Any], path: Path, metadata: dict[str, str]) -> None:
    """Write tensors to a file, whole or not at all. Raises `Refused` where that cannot be."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file  # pyright: ignore[reportUnknownVariableType]

    # a file of that library holds no tensor twice: tied ones are written each for itself
    alone = {name: each.contiguous().clone() for name, each in tensors.items()}
    part = path.with_name(f".{path.name}.part")
    try:
        save_file(alone, part, metadata)
        part.replace(path)
    except OSError as error:
        raise denied(error, path, "written") from error
    except SafetensorError as error:
        if not path.parent.is_dir():
            raise denied(FileNotFoundError(errno.ENOTDIR, ""), path, "written") from error
        raise Refused(f"{path} cannot be written ({error}); name another place") from error
    finally:
        part.unlink(missing_ok=True)
