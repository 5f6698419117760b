"""Numpy's arrays as tensors of a manifest, for a mapping that holds nothing else: torch is not needed for those."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from .tensor import KINDS, Array, Tensor


def arrays_of(source: Mapping[str, Any]) -> dict[str, Tensor] | None:
    """The arrays and scalars of numpy in a mapping by name, tied ones one object; None where it holds anything else."""
    # alive to the end: memory given back meanwhile could be mistaken for the next value's
    arrays = {name: _array(value) for name, value in source.items()}
    tensors: dict[str, Tensor] = {}
    seen: dict[Hashable, Tensor] = {}
    for name, array in arrays.items():
        if array is None:
            return None
        tensor = Array.from_numpy(array)
        tensors[name] = seen.setdefault(_memory(array), tensor) if tensor.nbytes else tensor
    return tensors


def _array(value: Any) -> npt.NDArray[Any] | None:
    if isinstance(value, np.generic):
        value = np.asarray(cast("Any", value))
    # of subclasses, such as masked arrays, the numbers alone are not all there is
    return value if type(value) is np.ndarray and value.dtype.name in KINDS else None


def _memory(array: npt.NDArray[Any]) -> Hashable:
    return array.__array_interface__["data"][0], array.shape, array.strides, array.dtype
