"""Arrays of an estimator as tensors by name: those of all trees of a forest side by side in one tensor a kind.

An array is found again by a reference, the place of its tensor and its own place among those that share it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from ...errors import Malformed
from ...tensors.tensor import KINDS

Path: TypeAlias = "tuple[str | int, ...]"
"""Attributes, keys and places that lead to an array."""
Ref: TypeAlias = "list[int]"
AnyArray: TypeAlias = "npt.NDArray[Any]"

_MOST_DIMENSIONS: Final = 32
_WIDEST: Final = 4096
"""Bytes of a record, of which most may be between its fields."""


@dataclass
class _Group:
    """Arrays of one dtype that differ in their length alone, from places of one sort."""

    place: int
    paths: list[Path] = field(default_factory=list[Path])
    arrays: list[AnyArray] = field(default_factory=list["AnyArray"])


@dataclass
class Arrays:
    """Arrays that are being gathered."""

    _groups: dict[tuple[Any, ...], _Group] = field(default_factory=dict[tuple[Any, ...], _Group])

    def add(self, path: Path, array: AnyArray) -> Ref:
        """Take an array, and give what finds it again."""
        fortran = array.ndim > 1 and array.flags.f_contiguous and not array.flags.c_contiguous
        key = (_sort(path), array.dtype.str, repr(_descr(array.dtype)), fortran, array.ndim, array.shape[1:])
        group = self._groups.setdefault(key, _Group(len(self._groups)))
        group.paths.append(path)
        group.arrays.append(array)
        return [group.place, len(group.arrays) - 1]

    def told(self, taken: str) -> tuple[dict[str, AnyArray], list[dict[str, Any]]]:
        """Tensors of plain numbers by name, none of which is `taken`, and what says which arrays lie in them."""
        tensors: dict[str, AnyArray] = {}
        groups: list[dict[str, Any]] = []
        for group in self._groups.values():
            name = _free_name(group.paths, (taken, *tensors))
            first = group.arrays[0]
            fortran = first.ndim > 1 and first.flags.f_contiguous and not first.flags.c_contiguous
            groups.append(
                {
                    "tensor": name,
                    "dtype": _descr(first.dtype),
                    "order": "F" if fortran else "C",
                    "shape": None if first.ndim == 0 else list(first.shape[1:]),
                    "rows": [1 if each.ndim == 0 else len(each) for each in group.arrays],
                    "alone": len(group.arrays) == 1,
                }
            )
            joined = first if len(group.arrays) == 1 else np.concatenate([np.atleast_1d(each) for each in group.arrays])
            joined = joined.astype(first.dtype, copy=False)  # numpy joins in the byte order of the machine
            tensors.update(_plain(name, np.ascontiguousarray(joined) if joined.ndim else joined))
        return tensors, groups


class KeptArrays:
    """Arrays that were gathered, found again in their tensors."""

    def __init__(self, tensors: Mapping[str, AnyArray], groups: Any) -> None:
        self._groups: list[list[AnyArray]] = []
        try:
            self._groups = [list(_parted(tensors, group)) for group in groups]
        except (LookupError, TypeError, ValueError, OverflowError, RecursionError) as error:
            raise Malformed(f"the tensors are not those of an estimator ({error}); nothing was built") from error

    def at(self, ref: Any) -> AnyArray:
        """The array that a reference finds. Raises `Malformed` where it is none."""
        match ref:
            case [int(group), int(place)] if 0 <= group < len(self._groups) and 0 <= place < len(self._groups[group]):
                return self._groups[group][place]
            case _:
                raise Malformed(f"there is no array {str(ref)[:80]} in this estimator; nothing was built")


def _sort(path: Path) -> tuple[str, ...]:
    """A path without the places that lead through lists on its way: one for all trees of a forest."""
    *way, last = path or ("",)
    return (*(each for each in way if isinstance(each, str)), str(last))


def _free_name(paths: Sequence[Path], taken: Iterable[str]) -> str:
    """The name of a tensor: of several arrays without places, of one with them; numbered where another has it."""
    path = _sort(paths[0]) if len(paths) > 1 else paths[0]
    name = ".".join(str(each) for each in path) or "array"
    others = set(taken)
    if name not in others and not any(each.startswith(f"{name}.") for each in others):
        return name
    return next(each for number in range(2, len(others) + 3) if (each := f"{name}#{number}") not in others)


def _descr(dtype: np.dtype[Any]) -> Any:
    """A dtype as JSON, as files of numpy have it."""
    return np.lib.format.dtype_to_descr(dtype)


def _dtype(descr: Any) -> np.dtype[Any]:
    if isinstance(descr, list):
        fields = cast("list[list[Any]]", descr)
        descr = [
            tuple(tuple(cast("Any", part)) if isinstance(part, list) else part for part in each) for each in fields
        ]
    dtype = np.lib.format.descr_to_dtype(descr)
    if dtype.hasobject or (dtype.names and dtype.itemsize > _WIDEST):
        raise Malformed(f"an array of an estimator is of {str(dtype)[:80]}, which no tensor is; nothing was built")
    return dtype


def _is_record(dtype: np.dtype[Any]) -> bool:
    """Whether it has fields, each of which is one number."""
    return bool(dtype.fields) and all(field[0].name in KINDS for field in cast("Any", dtype.fields).values())


def _plain(name: str, array: AnyArray) -> dict[str, AnyArray]:
    """An array as tensors of numbers: one a field of records, bytes of what has no dtype of tensors."""
    if _is_record(array.dtype):
        return {
            each: part
            for word in array.dtype.names or ()
            for each, part in _plain(f"{name}.{word}", np.array(array[word], order="C")).items()
        }
    if array.dtype.name in KINDS:
        return {name: array.astype(array.dtype.newbyteorder("<"), copy=False)}
    flat = np.ascontiguousarray(array).reshape(-1)
    return {name: flat.view(np.uint8).reshape(*array.shape, array.dtype.itemsize)}


def _parted(tensors: Mapping[str, AnyArray], group: Mapping[str, Any]) -> Iterable[AnyArray]:
    """The arrays of a group, each as it was."""
    dtype, rows, tail = _dtype(group["dtype"]), list(map(int, group["rows"])), group["shape"]
    whole = _whole(str(group["tensor"]), tensors, dtype)
    scalar, alone, fortran = tail is None, bool(group["alone"]), group["order"] == "F"
    shape = () if scalar else (sum(rows), *map(int, tail))
    if whole.shape != ((sum(rows),) if scalar and not alone else shape) or min(rows, default=0) < 0:
        raise ValueError(f"{group['tensor']} has another shape")
    if len(shape) > _MOST_DIMENSIONS:
        raise ValueError(f"{group['tensor']} has more than {_MOST_DIMENSIONS} dimensions")
    if alone:
        yield np.asfortranarray(whole) if fortran else whole
        return
    start = 0
    for count in rows:
        part = whole[start : start + count]
        part = part.reshape(()) if scalar else part
        yield np.asfortranarray(part) if fortran else np.ascontiguousarray(part).reshape(part.shape)
        start += count


def _whole(name: str, tensors: Mapping[str, AnyArray], dtype: np.dtype[Any]) -> AnyArray:
    """The tensor of that name as an array of that dtype, records put together of their fields."""
    if _is_record(dtype):
        fields = cast("Mapping[str, Any]", dtype.fields)
        parts = {word: _whole(f"{name}.{word}", tensors, fields[word][0]) for word in fields}
        shapes = {part.shape for part in parts.values()}
        if len(shapes) != 1:
            raise ValueError(f"the fields of {name} have several shapes")
        made = np.zeros(shapes.pop(), dtype)
        for word, part in parts.items():
            made[word] = part
        return made
    tensor = tensors[name]
    if dtype.name in KINDS:
        if tensor.dtype != dtype.newbyteorder("="):
            raise ValueError(f"{name} is {tensor.dtype}, not {dtype}")
        return tensor.astype(dtype, copy=True)
    if tensor.dtype != np.uint8 or tensor.shape[-1:] != (dtype.itemsize,):
        raise ValueError(f"{name} does not hold {dtype}")
    return np.ascontiguousarray(tensor).reshape(-1).view(dtype).reshape(tensor.shape[:-1]).copy()
