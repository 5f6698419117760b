"""What answers are made of beside text and numbers, as JSON: each value under the name of its kind."""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePath, PurePosixPath
from typing import Any, Final, cast
from uuid import UUID

Pack = Callable[[Any], Any]
"""What packs, or unpacks, the values within a value."""

KIND: Final = "$"
"""The field that names the kind of a value; a mapping that has it as a name is written as pairs."""
OF: Final = "of"
"""The field that holds the value."""


def packed_value(value: Any, pack: Pack) -> Any:
    """A value that is no answer's class. Raises `TypeError` where it has no form: an answer holds what it should not.

    A kind that JSON knows goes as it is; a subclass of one, such as an Enum or a numpy scalar, as its value.
    """
    match value:
        case None | bool():
            return value
        case str():
            return _text(str.__str__(value))
        case int():
            return int(value)
        case float():
            return float(value) if math.isfinite(value) else {KIND: "float", OF: repr(float(value))}
        case Mapping():
            return _mapping(cast("Mapping[Any, Any]", value), pack)
        case list():
            return [pack(each) for each in cast("list[Any]", value)]
        case tuple():
            return {KIND: "tuple", OF: _several(cast("tuple[Any, ...]", value), pack)}
        case set():
            return {KIND: "set", OF: _several(cast("set[Any]", value), pack)}
        case frozenset():
            return {KIND: "frozenset", OF: _several(cast("frozenset[Any]", value), pack)}
        case bytes() | bytearray():
            return {KIND: "bytes", OF: b64encode(value).decode()}
        case _:
            return _scalar(value)


def unpacked_value(kind: str, of: Any, unpack: Pack) -> Any:
    """The value of a kind. Raises `LookupError` for an unknown kind, `ValueError` for what is none."""
    match kind:
        case "dict":
            return {unpack(name): unpack(each) for name, each in of}
        case "tuple" | "set" | "frozenset":
            make: Any = {"tuple": tuple, "set": set, "frozenset": frozenset}[kind]
            return make(unpack(each) for each in of)
        case "array":
            return _array(of)
        case _:
            return _READ[kind](of)


def _mapping(value: Mapping[Any, Any], pack: Pack) -> Any:
    if all(type(name) is str and name != KIND and _text(name) is name for name in value):
        return {name: pack(each) for name, each in value.items()}
    return {KIND: "dict", OF: [[pack(name), pack(each)] for name, each in value.items()]}


def _several(values: Iterable[Any], pack: Pack) -> list[Any]:
    return [pack(each) for each in values]


def _text(value: str) -> Any:
    """Text; with half a character, which UTF-8 cannot hold, as its code units."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return {KIND: "text", OF: value.encode("utf-16-le", "surrogatepass").hex()}
    return value


def _scalar(value: Any) -> Any:
    for kind, name in _WRITTEN.items():
        if isinstance(value, kind):
            return {KIND: name, OF: value.isoformat() if hasattr(value, "isoformat") else str(value)}
    if isinstance(value, timedelta):
        return {KIND: "timedelta", OF: [value.days, value.seconds, value.microseconds]}
    if isinstance(value, complex):
        return {KIND: "complex", OF: repr(value)}
    if type(value).__module__ == "numpy":
        return _of_numpy(value)
    raise TypeError(f"{type(value).__qualname__} has no form on the wire; an answer holds one")


_WRITTEN: Final[Mapping[type, str]] = {  # a datetime is a date too, so it comes first
    datetime: "datetime",
    date: "date",
    time: "time",
    UUID: "uuid",
    Decimal: "decimal",
    Fraction: "fraction",
    PurePath: "path",
}
_READ: Final[Mapping[str, Callable[[Any], Any]]] = {
    "float": float,
    "text": lambda of: bytes.fromhex(of).decode("utf-16-le", "surrogatepass"),
    "bytes": lambda of: b64decode(of, validate=True),
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "timedelta": lambda of: timedelta(*of),
    "uuid": UUID,
    "decimal": Decimal,
    "fraction": Fraction,
    "complex": complex,
    "path": PurePosixPath,
}


def _of_numpy(value: Any) -> Any:
    """An array by its dtype, shape and bytes; a scalar as Python's own number."""
    if not hasattr(value, "shape") or value.shape == ():
        return packed_value(value.item(), packed_value_alone)
    if value.dtype.hasobject:
        raise TypeError("an array of objects has no form on the wire; an answer holds one")
    return {
        KIND: "array",
        OF: {"dtype": value.dtype.str, "shape": list(value.shape), "bytes": b64encode(value.tobytes()).decode()},
    }


def packed_value_alone(value: Any) -> Any:
    """A value that holds no others."""
    return packed_value(value, packed_value_alone)


def _array(of: Mapping[str, Any]) -> Any:
    import numpy as np

    kind = np.dtype(of["dtype"])
    if kind.hasobject:
        raise ValueError("an array of objects")
    return np.frombuffer(b64decode(of["bytes"], validate=True), kind).reshape(of["shape"]).copy()
