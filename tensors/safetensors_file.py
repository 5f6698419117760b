"""A safetensors file as tensors: mapped, not read, and nothing in it is run. https://github.com/huggingface/safetensors"""

from __future__ import annotations

import json
from typing import Any, Final, cast

import numpy as np

from ..errors import Malformed
from .tensor import Array, Tensor

_DTYPES: Final = {
    "BOOL": "bool",
    "U8": "uint8",
    "U16": "uint16",
    "U32": "uint32",
    "U64": "uint64",
    "I8": "int8",
    "I16": "int16",
    "I32": "int32",
    "I64": "int64",
    "F16": "float16",
    "BF16": "bfloat16",
    "F32": "float32",
    "F64": "float64",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2": "float8_e5m2",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "F8_E8M0": "float8_e8m0fnu",
    "F4": "float4_e2m1fn_x2",
    "C64": "complex64",
}


def tensors_in(path: str) -> dict[str, Tensor]:
    """The tensors of a file by name, over its mapped bytes: the file must stay as it is while they are used.

    Raises `Malformed` where it is no safetensors file, or holds a dtype that Lepton does not keep.
    """
    from safetensors import SafetensorError, safe_open

    try:
        opened: Any = safe_open(path, framework="np")
        with opened:  # the library holds that names, shapes and offsets fit each other and the file
            pass
    except SafetensorError as error:
        raise Malformed(f"the file cannot be read as safetensors ({error}); save it with that library") from None
    mapped = np.memmap(path, np.uint8, "r")
    start = 8 + int.from_bytes(mapped[:8].tobytes(), "little")
    header = cast("dict[str, Any]", json.loads(mapped[8:start].tobytes()))
    header.pop("__metadata__", None)
    for name, told in header.items():  # the library takes a list of the same for one
        if not isinstance(told, dict):
            raise Malformed(
                f"the file's header describes {name!r} by a {type(told).__name__}; save it with that library"
            )
    return {name: _tensor(name, told, mapped[start:]) for name, told in header.items()}


def _tensor(name: str, told: dict[str, Any], body: Any) -> Tensor:
    dtype, shape = _DTYPES.get(told["dtype"]), tuple(told["shape"])
    if dtype is None:
        raise Malformed(f"{name!r} is of dtype {told['dtype']}, which Lepton does not keep; convert it to a plain one")
    if dtype == "float4_e2m1fn_x2":  # the file counts numbers, torch the pairs that a byte holds
        shape = (*shape[:-1], shape[-1] // 2)
    first, end = told["data_offsets"]
    return Array(dtype, shape, np.asarray(body[first:end]))
