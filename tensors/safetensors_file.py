"""A safetensors file as tensors: mapped, not read, and nothing in it is run. https://github.com/huggingface/safetensors"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, cast

import numpy as np

from ..errors import Malformed
from .manifest import TensorEntry
from .tensor import Array, Bytes, Tensor, kind

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
_WORDS: Final = {dtype: word for word, dtype in _DTYPES.items()}
_METADATA: Final = "__metadata__"


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
    header.pop(_METADATA, None)
    for name, told in header.items():  # the library takes a list of the same for one
        if not isinstance(told, dict):
            raise Malformed(
                f"the file's header describes {name!r} by a {type(told).__name__}; save it with that library"
            )
    return {name: _tensor(name, told, mapped[start:]) for name, told in header.items()}


def header(
    entries: Iterable[TensorEntry], metadata: Mapping[str, str]
) -> tuple[bytes, dict[str, tuple[TensorEntry, int]]]:
    """What a file of tensors begins with, its length among it, and where behind it each tensor lies, in order.

    Raises `Malformed` where the format has no word for a dtype.
    """
    document: dict[str, Any] = {_METADATA: dict(metadata)}
    places: dict[str, tuple[TensorEntry, int]] = {}
    end = 0
    for entry in sorted(
        entries, key=lambda entry: (-kind(entry.dtype).itemsize, entry.name)
    ):  # so that all are aligned
        if entry.dtype not in _WORDS or entry.name == _METADATA:
            what = f"of dtype {entry.dtype}" if entry.dtype not in _WORDS else "a name that the format has for itself"
            raise Malformed(
                f"tensor {entry.name!r} is {what}, which no safetensors file holds",
                python="take it with load_tensors",
                cli="take it from Python",
            )
        shape = [*entry.shape]
        if entry.dtype == "float4_e2m1fn_x2":
            shape[-1] *= 2
        place = {"dtype": _WORDS[entry.dtype], "shape": shape, "data_offsets": [end, end + entry.nbytes]}
        document[entry.name], places[entry.name] = place, (entry, end)
        end += entry.nbytes
    head = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    return len(head).to_bytes(8, "little") + head, places


def lay_out(path: Path, entries: Iterable[TensorEntry], metadata: Mapping[str, str]) -> tuple[dict[str, Array], Bytes]:
    """Make a file of tensors that are still to be filled: each over its own bytes, and all of them, mapped.

    Its room on the disk is taken at once. Raises `Malformed` as `header` does, `OSError`.
    """
    head, places = header(entries, metadata)
    end = sum(entry.nbytes for entry, _ in places.values())
    with path.open("xb") as file:
        start = file.write(head)
        file.flush()
        if end:
            os.posix_fallocate(
                file.fileno(), start, end
            )  # a full disk is an error here, and a signal once it is mapped
    body = np.memmap(path, np.uint8, "r+", start, (end,)) if end else np.empty(0, np.uint8)
    arrays = {
        name: Array(entry.dtype, entry.shape, body[at : at + entry.nbytes]) for name, (entry, at) in places.items()
    }
    return arrays, body


def _tensor(name: str, told: dict[str, Any], body: Any) -> Tensor:
    dtype, shape = _DTYPES.get(told["dtype"]), tuple(told["shape"])
    if dtype is None:
        raise Malformed(f"{name!r} is of dtype {told['dtype']}, which Lepton does not keep; convert it to a plain one")
    if dtype == "float4_e2m1fn_x2":  # the file counts numbers, torch the pairs that a byte holds
        shape = (*shape[:-1], shape[-1] // 2)
    first, end = told["data_offsets"]
    return Array(dtype, shape, np.asarray(body[first:end]))
