"""Safetensors files as torch's tensors."""

from __future__ import annotations

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
