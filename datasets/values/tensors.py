"""Columns whose values are arrays of one shape each: pictures, windows of a series; in Arrow fixed-shape tensors."""
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportAttributeAccessIssue=false
# (pyarrow ships no types)

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt

from ...errors import Malformed

Values = npt.NDArray[np.float32] | npt.NDArray[np.uint8]


def is_array_type(kind: Any) -> bool:
    """Whether an Arrow type is one of arrays: fixed-shape tensors, or lists of numbers."""
    import pyarrow as pa

    if isinstance(kind, pa.FixedShapeTensorType):
        return True
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        return False
    held = kind.value_type
    return pa.types.is_integer(held) or pa.types.is_floating(held) or pa.types.is_boolean(held)


def tensor_array(name: str, values: npt.NDArray[Any]) -> Any:
    """An array of a dimension or more a row as Arrow holds it, shape (rows, …). Raises `Malformed`."""
    import pyarrow as pa

    return pa.FixedShapeTensorArray.from_numpy_ndarray(np.ascontiguousarray(plain_values(name, values)))


def tensor_values(name: str, array: Any) -> Values:
    """What an Arrow array of arrays holds, shape (rows, …). Raises `Malformed` where one is missing or of another."""
    import pyarrow as pa

    if array.null_count:
        raise Malformed(f"{array.null_count} rows of column {name!r} have no array; drop these rows")
    if isinstance(array.type, pa.FixedShapeTensorType):
        return plain_values(name, cast("npt.NDArray[Any]", array.to_numpy_ndarray()))
    lengths = {len(each) for each in array} if len(array) else {0}
    if len(lengths) > 1:
        raise Malformed(f"the arrays of column {name!r} have {min(lengths)} to {max(lengths)} numbers; give one length")
    flat = array.flatten()
    if flat.null_count:
        raise Malformed(f"column {name!r} has arrays with gaps; fill them, or drop these rows")
    return plain_values(name, flat.to_numpy(zero_copy_only=False).reshape(len(array), *lengths))


def plain_values(name: str, values: npt.NDArray[Any]) -> Values:
    """Bytes as they are, other numbers as float32. Raises `Malformed` on gaps and on what holds no numbers."""
    if values.dtype == object:
        try:
            values = np.array(values.tolist())
        except ValueError as error:
            raise Malformed(f"the arrays of column {name!r} have no common shape; give arrays of one shape") from error
    if 0 in values.shape:
        raise Malformed(f"column {name!r} holds arrays of shape {values.shape[1:]}; give at least one number in each")
    if values.dtype.kind not in "biuf":
        raise Malformed(f"column {name!r} holds arrays of {values.dtype}; give arrays of numbers")
    if values.dtype.name in ("uint8", "bool"):
        return values.astype(np.uint8)
    made = values.astype(np.float32)
    if not np.isfinite(made).all():
        raise Malformed(f"column {name!r} has arrays with gaps or infinities; fill them, or drop these rows")
    return made
