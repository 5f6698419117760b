"""Where a training computes, and in which precision."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

import torch

from ..errors import Refused
from ..models.device import named_device
from .plan import Precision

_TYPES: Final = {"bfloat16": torch.bfloat16, "float16": torch.float16}


def chosen_device(name: str) -> torch.device:
    """The device of that name; of 'auto' the first accelerator that is here. Raises `Refused` where it is not here."""
    return _discovered() if name == "auto" else named_device(name)


def chosen_type(precision: Precision, device: torch.device) -> torch.dtype | None:
    """What products are computed in beside float32 (automatic mixed precision); None for float32 alone.

    Of 'auto' it is bfloat16 where the device computes it by itself. Raises `Refused` for float16 on the CPU, which has
    no gradients that survive it.
    """
    if precision == "float32":
        return None
    if precision == "auto":
        fits = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if fits else None
    if precision == "float16" and device.type == "cpu":
        raise Refused("float16 does not train on the CPU; use 'bfloat16' or 'float32'")
    return _TYPES[precision]


def _discovered() -> torch.device:
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    if find_spec("torch_xla") is not None:
        import torch_xla  # pyright: ignore[reportMissingImports]

        return torch_xla.device()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return torch.device("cpu")
