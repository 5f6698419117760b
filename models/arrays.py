"""Numpy arrays of the dtypes that tensors have; no torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import Refused
from ..tensors.tensor import KINDS, Array, nbytes_of

# Kinds that numpy knows through ml_dtypes, and those that it does not know at all: ml_dtypes' float4_e2m1fn holds one
# number a byte where torch's float4_e2m1fn_x2 holds two.
_ML_DTYPES = {"bfloat16", *(name for name in KINDS if name.startswith("float8_"))}
_TORCH_ONLY = {"complex32", "bcomplex32", "float4_e2m1fn_x2"}


def empty_numpy(dtype: str, shape: tuple[int, ...]) -> tuple[npt.NDArray[Any], Array]:
    """An array that is still to be filled, and its memory; refuses the dtypes that `to_numpy` does."""
    memory = Array(dtype, shape, np.empty(nbytes_of(dtype, shape), np.uint8))
    return memory.buffer.view(numpy_dtype(dtype)).reshape(shape), memory


def numpy_dtype(dtype: str) -> np.dtype[Any]:
    """Numpy's dtype of that name, or that of ml_dtypes; `Refused` where there is none."""
    if dtype in _TORCH_ONLY:
        raise Refused(f"numpy has no dtype for {dtype}; take it as a torch tensor with load_tensors")
    return _ml_dtype(dtype) if dtype in _ML_DTYPES else np.dtype(dtype)


def _ml_dtype(name: str) -> np.dtype[Any]:
    try:
        import ml_dtypes
    except ImportError as error:
        raise Refused(f"numpy alone has no {name}; install ml_dtypes, or take it as torch with load_tensors") from error
    return np.dtype(getattr(ml_dtypes, name))
