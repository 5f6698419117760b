"""What a tensor is to Lepton: a dtype, a shape and bytes."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from ..errors import Malformed

Bytes: TypeAlias = npt.NDArray[np.uint8]

MAX_DIMENSIONS = 64
MAX_NBYTES = 1 << 50


class Kind(NamedTuple):
    """How a dtype lies in memory: bytes an element, and bytes a word (the unit in which deltas are counted)."""

    itemsize: int
    word: int


# By torch's names. Complex numbers are two words each, so that a delta sees the exponents of both parts.
KINDS = {
    "bool": Kind(1, 1),
    "uint8": Kind(1, 1),
    "uint16": Kind(2, 2),
    "uint32": Kind(4, 4),
    "uint64": Kind(8, 8),
    "int8": Kind(1, 1),
    "int16": Kind(2, 2),
    "int32": Kind(4, 4),
    "int64": Kind(8, 8),
    "float16": Kind(2, 2),
    "bfloat16": Kind(2, 2),
    "float32": Kind(4, 4),
    "float64": Kind(8, 8),
    "float8_e4m3fn": Kind(1, 1),
    "float8_e4m3fnuz": Kind(1, 1),
    "float8_e5m2": Kind(1, 1),
    "float8_e5m2fnuz": Kind(1, 1),
    "float8_e8m0fnu": Kind(1, 1),
    "float4_e2m1fn_x2": Kind(1, 1),
    "complex32": Kind(4, 2),
    "bcomplex32": Kind(4, 2),
    "complex64": Kind(8, 4),
    "complex128": Kind(16, 8),
}


class Tensor(Protocol):
    """Anything with bytes. Two names bound to the same object (identity) are shared: stored and restored as one."""

    @property
    def dtype(self) -> str:
        """Torch's name of the dtype, without "torch."."""
        ...

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def nbytes(self) -> int: ...

    def raw(self) -> Bytes:
        """The bytes in row-major little-endian order, shape (nbytes,); a copy only where they do not lie so."""
        ...


class LiveTensor(Tensor, Protocol):
    """A tensor whose memory can be written, in the order in which `raw` gives its bytes."""

    def read(self, start: int, stop: int) -> Bytes:
        """Some of its bytes: a view where they lie so, else a copy of these alone."""
        ...

    def write(self, start: int, data: Bytes) -> None:
        """Put bytes from `start` on in place of what lies there; whoever watches the tensor learns of it."""
        ...


@dataclass(frozen=True, eq=False)
class Array:
    """A tensor over bytes of its own, which is what a restore returns."""

    dtype: str
    shape: tuple[int, ...]
    buffer: Bytes

    def __post_init__(self) -> None:
        if self.buffer.dtype != np.uint8 or self.buffer.shape != (nbytes_of(self.dtype, self.shape),):
            raise Malformed(f"{self.dtype}{list(self.shape)} does not lie in {self.buffer.nbytes} bytes")

    @property
    def nbytes(self) -> int:
        return self.buffer.nbytes

    def raw(self) -> Bytes:
        return self.buffer

    def read(self, start: int, stop: int) -> Bytes:
        return self.buffer[start:stop]

    def write(self, start: int, data: Bytes) -> None:
        self.buffer[start : start + data.nbytes] = data

    @classmethod
    def from_numpy(cls, array: npt.NDArray[Any]) -> Array:
        """The array's bytes, copied only where they must be. Raises `Malformed` where its dtype is none of `KINDS`."""
        kind(array.dtype.name)
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        return cls(array.dtype.name, array.shape, np.ascontiguousarray(little).reshape(-1).view(np.uint8))


def kind(dtype: str) -> Kind:
    """How a dtype lies in memory; `Malformed` if Lepton does not know it."""
    try:
        return KINDS[dtype]
    except KeyError:
        raise Malformed(f"dtype {dtype!r} is none that Lepton keeps; convert the tensor to a plain one") from None


def nbytes_of(dtype: str, shape: tuple[int, ...]) -> int:
    """Bytes of a tensor; `Malformed` on an unknown dtype, a negative side or a size beyond all reason."""
    if len(shape) > MAX_DIMENSIONS or any(side < 0 or side > MAX_NBYTES for side in shape):
        raise Malformed(
            f"shape {list(shape)[:8]} is absurd: sides must lie in 0..2^50, and be {MAX_DIMENSIONS} at most"
        )
    nbytes = math.prod(shape) * kind(dtype).itemsize
    if nbytes > MAX_NBYTES:
        raise Malformed(f"shape {list(shape)[:8]} of {dtype} is absurd: a tensor may have 2^50 bytes")
    return nbytes


def count_differing(dtype: str, one: Bytes, other: Bytes) -> int:
    """How many elements differ in at least one bit."""
    itemsize = kind(dtype).itemsize
    if itemsize <= 8:
        return int(np.count_nonzero(one.view(f"u{itemsize}") != other.view(f"u{itemsize}")))
    return int(np.count_nonzero((one.view("u8") != other.view("u8")).reshape(-1, itemsize // 8).any(axis=1)))


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
