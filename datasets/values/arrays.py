"""One column's values, whatever holds them, as an Arrow array: masks, other byte orders and torch's dtypes too."""
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportAttributeAccessIssue=false
# (pyarrow ships no types)

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from ...errors import Malformed
from ...plain import words_of
from .tensors import tensor_array


def arrow_array(name: str, values: Any) -> Any:
    """The values as Arrow holds them, None, NaN and what is masked as null. Raises `Malformed` with the reason."""
    import pyarrow as pa

    source: Any = getattr(values, "source", None)
    if hasattr(source, "with_format") and hasattr(values, "column_name"):  # of datasets: whatever form it is given in
        table = source.select_columns(values.column_name).with_format("arrow")[:]
        values = table.column(values.column_name)
    if hasattr(values, "dictionary_encode"):  # Arrow's own, whole or in chunks
        return _whole(values)
    if (
        isinstance(values, str | bytes | Mapping | Set)
        or not hasattr(values, "__len__")
        or getattr(values, "ndim", 1) == 0
    ):
        raise Malformed(f"column {name!r} is {words_of(values)}; give a list or an array of one value a row")
    values = _dense(values)
    if is_tensor(values):
        values = plain_array(values, f"column {name!r}")
    if getattr(values, "ndim", 1) > 1:
        return tensor_array(name, np.asarray(values))
    if _holds_arrays(values):
        return tensor_array(name, np.asarray(values, object))
    if isinstance(values, np.ndarray):
        values = _native(values)
    elif isinstance(getattr(values, "dtype", None), np.dtype) and hasattr(values, "to_numpy"):  # pandas' over numpy
        values = _native(values.to_numpy())
    elif isinstance(values, list | tuple) and any(value is np.ma.masked for value in cast("list[Any]", values)):
        values = [None if value is np.ma.masked else value for value in cast("list[Any]", values)]
    try:
        return _whole(pa.array(values, from_pandas=True))
    except (pa.ArrowException, TypeError, ValueError, OverflowError, NotImplementedError):
        raise Malformed(_fault(name, values)) from None  # Arrow's own message quotes a value, which may be a person's


def _holds_arrays(values: Any) -> bool:
    """Whether it is a list, or an object array, of arrays."""
    first = next(iter(values), None) if getattr(values, "dtype", None) in (None, np.dtype(object)) else None
    return isinstance(first, np.ndarray) and first.ndim > 0


def is_tensor(values: Any) -> bool:
    """Whether it is a torch tensor, without importing torch."""
    return hasattr(values, "detach") and hasattr(values, "layout")


def plain_array(tensor: Any, what: str) -> npt.NDArray[Any]:
    """A torch tensor as numpy has it: without autograd, from any device, narrow floats widened to float32, exactly."""
    layout = str(tensor.layout).removeprefix("torch.")
    fault = (
        "has no values (device meta); give it its values first"
        if tensor.device.type == "meta"
        else "is quantised; give its .dequantize()"
        if tensor.is_quantized
        else f"is {layout if layout != 'strided' else 'nested'}; give a plain tensor, such as its .to_dense()"
        if layout != "strided" or tensor.is_nested
        else None
    )
    if fault:
        raise Malformed(f"{what} {fault}")
    plain = tensor.detach().cpu().resolve_conj().resolve_neg()
    if plain.is_floating_point() and plain.element_size() < 4:
        plain = plain.float()
    try:
        return cast("npt.NDArray[Any]", plain.numpy())
    except (TypeError, RuntimeError):
        raise Malformed(f"{what} has dtype {tensor.dtype}, which numpy has not; convert it") from None


def _dense(values: Any) -> Any:
    """A pandas column that leaves out its commonest value, with all of them."""
    if type(getattr(values, "dtype", None)).__name__ != "SparseDtype":
        return values
    return values.sparse.to_dense() if hasattr(values, "sparse") else values.to_dense()


def _native(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The array in this machine's byte order, and floats that Arrow does not know as float64 or float32."""
    if not array.dtype.isnative and array.dtype.kind not in "OSUVT":
        array = array.astype(array.dtype.newbyteorder("="))
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        return array.astype(np.float64)
    if array.dtype.kind == "V" and array.dtype.names is None and array.dtype.name.startswith(("bfloat", "float")):
        return array.astype(np.float32)  # of ml_dtypes, whose types numpy calls void
    return array


def _whole(array: Any) -> Any:
    import pyarrow as pa

    array = array.combine_chunks() if hasattr(array, "combine_chunks") else array
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks)
    return array.storage if isinstance(array, pa.ExtensionArray) and _is_truth(array.type) else array


def _is_truth(kind: Any) -> bool:
    return getattr(kind, "extension_name", "") == "arrow.bool8"


def _fault(name: str, values: Iterable[Any]) -> str:
    """Why values are no column, without one of them."""
    some = list(values)
    kinds = sorted({type(value).__name__ for value in some} - {"NoneType"})
    if set(kinds) <= {"int", "bool", "float"} and any(isinstance(each, int) and abs(each) > 2**53 for each in some):
        return f"column {name!r} holds integers beyond 2**53, which no float holds; give text"
    if kinds == ["str"] or kinds == ["str_"]:
        return f"column {name!r} holds text that is no Unicode (a half of a surrogate pair); decode it anew"
    if len(kinds) == 1:
        return f"column {name!r} holds {kinds[0]}; give numbers, booleans, dates or text"
    return f"column {name!r} holds values that are not of one kind ({', '.join(kinds)}); give numbers, booleans or text"
