"""The numbers that a tensor's bits stand for, as float64 or complex128."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from .tensor import Bytes

# Exponent bits, mantissa bits, bias, and which codes are no number: "ieee" infinities and NaNs at the top exponent,
# "fn" one NaN at the top code, "fnuz" one NaN in place of minus zero (OCP 8-bit floating point specification;
# Noune et al. 2022 for fnuz).
_SMALL_FLOATS = {
    "float8_e4m3fn": (4, 3, 7, "fn"),
    "float8_e5m2": (5, 2, 15, "ieee"),
    "float8_e4m3fnuz": (4, 3, 8, "fnuz"),
    "float8_e5m2fnuz": (5, 2, 16, "fnuz"),
}
_E2M1 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6])


def numbers(dtype: str, raw: Bytes) -> npt.NDArray[Any]:
    """Each element as float64, or complex128 for complex kinds; float4_e2m1fn_x2 gives two for each byte."""
    with np.errstate(invalid="ignore"):  # a signalling NaN is a NaN like any other here
        return _numbers(dtype, raw)


def _numbers(dtype: str, raw: Bytes) -> npt.NDArray[Any]:
    match dtype:
        case "bfloat16":
            return _bfloat16(raw)
        case "complex32":
            return _complex(raw.view("<f2").astype(np.float64))
        case "bcomplex32":
            return _complex(_bfloat16(raw))
        case "complex64" | "complex128":
            return raw.view(f"<c{8 if dtype == 'complex64' else 16}").astype(np.complex128)
        case "float8_e8m0fnu" | "float4_e2m1fn_x2":
            return _table(dtype)[raw].reshape(-1)
        case _ if dtype in _SMALL_FLOATS:
            return _table(dtype)[raw]
        case _:
            return raw.view(np.dtype(dtype).newbyteorder("<")).astype(np.float64)


def _bfloat16(raw: Bytes) -> npt.NDArray[np.float64]:
    return (raw.view("<u2").astype(np.uint32) << 16).view(np.float32).astype(np.float64)


def _complex(parts: npt.NDArray[np.float64]) -> npt.NDArray[np.complex128]:
    return parts.view(np.complex128)


@cache
def _table(dtype: str) -> npt.NDArray[np.float64]:
    """The value of every byte; for packed float4 both its values, shape (256, 2)."""
    codes = np.arange(256)
    if dtype == "float8_e8m0fnu":  # a power of two alone (OCP Microscaling formats)
        return np.where(codes == 255, np.nan, np.exp2(codes - 127.0))
    if dtype == "float4_e2m1fn_x2":
        nibbles = np.stack([codes & 15, codes >> 4], axis=1)
        return np.where(nibbles & 8, -1.0, 1.0) * _E2M1[nibbles & 7]
    exponent_bits, mantissa_bits, bias, special = _SMALL_FLOATS[dtype]
    exponent, mantissa = (codes & 127) >> mantissa_bits, codes & (1 << mantissa_bits) - 1
    fraction = mantissa / (1 << mantissa_bits)
    size = np.where(exponent, (1 + fraction) * np.exp2(exponent - bias + 0.0), fraction * np.exp2(1.0 - bias))
    values = np.where(codes & 128, -size, size)
    if special == "fnuz":
        return np.where(codes == 128, np.nan, values)
    if special == "fn":
        return np.where((codes & 127) == 127, np.nan, values)
    top = exponent == (1 << exponent_bits) - 1
    return np.where(top, np.where(mantissa == 0, np.where(codes & 128, -np.inf, np.inf), np.nan), values)
