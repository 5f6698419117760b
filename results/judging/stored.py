"""Answers read back from what their `to_dict()` was, by the types of their fields."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from ...errors import Malformed

T = TypeVar("T")


def read_back(kind: type[T], stored: Any, what: str) -> T:
    """The answer of a kind whose `to_dict()` this was; what it has beside the fields of the kind is left out.

    Fields that are not there have their default. Raises `Malformed` where one is missing, or of another type.
    """
    if not is_dataclass(kind) or not isinstance(stored, Mapping):
        raise Malformed(f"{what} is no {kind.__name__}; give what its to_dict() gave")
    types = get_type_hints(kind)
    known = {each.name for each in fields(kind) if each.init} & stored.keys()
    values = {name: _value(types[name], stored[name], f"{what}.{name}") for name in known}
    try:
        return kind(**values)
    except TypeError as error:
        raise Malformed(f"{what} lacks a part ({error}); give what its to_dict() gave") from error


def _value(kind: Any, stored: Any, what: str) -> Any:
    """A value of a field, as its type has it."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        if stored is None and NoneType in inner:
            return None
        return _value(next(each for each in inner if each is not NoneType), stored, what)
    if origin is tuple and isinstance(stored, list | tuple):
        every = cast("list[Any]", stored)
        return tuple(_value(inner[0], each, f"{what}[{place}]") for place, each in enumerate(every))
    if isinstance(origin, type) and issubclass(origin, Mapping) and isinstance(stored, Mapping):
        named = cast("Mapping[str, Any]", stored)
        return {name: _value(inner[1], each, f"{what}.{name}") for name, each in named.items()}
    if is_dataclass(kind) and isinstance(kind, type):
        return kind.of_dict(stored) if hasattr(kind, "of_dict") else read_back(kind, stored, what)  # pyright: ignore
    if kind is float and isinstance(stored, int | float) and not isinstance(stored, bool):
        return _number(stored, what)
    if isinstance(kind, type) and isinstance(stored, kind):
        return stored
    raise Malformed(f"{what} is {type(stored).__name__}, which is not what a report has there")


def _number(stored: float, what: str) -> float:
    """A number that some float is near."""
    try:
        return float(stored)
    except OverflowError:
        raise Malformed(f"{what} is beyond what a float holds, which is not what a report has there") from None


def check_lengths(what: str, *parts: Sized) -> None:
    """Hold that parts of an answer are as long as each other, or raise `Malformed`."""
    if len(lengths := {len(part) for part in parts}) > 1:
        raise Malformed(f"{what} has parts of {' and '.join(map(str, sorted(lengths)))} values; give equally many")
