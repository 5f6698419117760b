"""Values as plain JSON: what may be kept of a caller's, the same for answers, and the text that digests are made of.

The rule for what may be kept, which reads back as it was written:

- None, true, false, text and finite numbers are what they are; NaN and infinities are the text `NaN`, `Infinity`,
  `-Infinity`. Whole numbers of up to 64 bits, signed or not, are numbers; longer ones are the text of their digits.
- Mappings, and what has named fields (`argparse.Namespace`, dataclasses, attrs, pydantic), are objects. Their names are
  text; a number, a truth value or None becomes the text that JSON has for it, anything else the text of its value.
- Sequences, sets (in order) and arrays of at most 1,000 elements are lists; a numpy or torch scalar is its number.
- An Enum is its value, else its name. Paths, dates, times, UUIDs, Decimal and Fraction are text, bytes hexadecimal
  text, a timedelta its seconds; functions, classes, dtypes and devices are their names.

All else is `Malformed`, naming the place, and so is what is nested deeper than 64 levels or has more than 100,000
values, those counted again that it holds in several places.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import partial
from json import JSONEncoder, dumps
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType, MethodType, SimpleNamespace
from typing import Any, Final, cast
from uuid import UUID

from .errors import LeptonError, Malformed

NON_FINITE: Final = ("NaN", "Infinity", "-Infinity")
"""How numbers that JSON has no word for are written."""
FREE: Final = (-(2**63), 2**64 - 1)
"""The whole numbers of free JSON: those of 64 bits, with a sign or without."""
DEEPEST: Final = 64
"""Levels of nesting; parsers of JSON give up somewhere behind."""
MOST_ELEMENTS: Final = 1000
"""Of an array; larger ones belong into a file or a tensor of the version."""
MOST_VALUES: Final = 100_000
"""No event has room for so many; an object that holds itself in two places has them without end."""
_left: ContextVar[list[int]] = ContextVar("_left")
"""Values that may still come."""
_SCALARS: Final = (str, int, type(None))
_TEXT: Final = (PurePath, datetime, date, time, UUID, Decimal, Fraction, complex, range)
_CALLABLE: Final = (type, FunctionType, BuiltinFunctionType, MethodType)


def plain(value: Any, what: str) -> dict[str, Any]:
    """What may be kept of a mapping, or of an object with named fields, as the module says.

    Raises `Malformed`, naming the place, where it is neither or a value of it has no such form.
    """
    mapping = plain_value(value, what)
    if not isinstance(mapping, dict):
        raise Malformed(f"{what} is {words_of(value)}; give a mapping of names to values")
    return cast("dict[str, Any]", mapping)


def plain_value(value: Any, what: str) -> Any:
    """What may be kept of one value, or `Malformed`."""
    _left.set([MOST_VALUES])
    return _plain(value, what, 0)


def plain_text(text: str, what: str) -> str:
    """Text that UTF-8 can hold, or `Malformed`."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Malformed(
            f"{what} has half a character ({error.object[error.start]!r}), which UTF-8 cannot hold"
        ) from error
    return str.__str__(text)


def whole(value: int, what: str, bounds: tuple[int, int] = FREE) -> int:
    """A whole number of 64 bits, or `Malformed`: more than that no column holds."""
    least, greatest = bounds
    if not least <= value <= greatest:
        raise Malformed(f"{what} has more than 64 bits; give a number from {least} to {greatest}, or write it as text")
    return int(value)


def in_json(value: Any, other: Callable[[Any], Any] = lambda value: value) -> Any:
    """A value as JSON has it: containers as objects and lists, non-finite numbers as their names, at any depth.

    What is neither a container nor a float, names of an object too, is what `other` makes of it; so is a tuple that
    it makes something of.
    """
    if isinstance(value, float):
        return _finite(value)
    if isinstance(value, _SCALARS):
        return other(value)
    if isinstance(value, Mapping):
        return {other(str(name)): in_json(each, other) for name, each in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, tuple) and (word := other(value)) is not value:
        return word
    if isinstance(value, list | tuple | set | frozenset):
        return [in_json(each, other) for each in cast("Iterable[Any]", value)]
    return other(value)


def canonical(content: Any) -> str:
    """The text of a command's content that its digest is made of. It must never change: stored keys stand for it."""
    try:
        return _canonical(content)
    except TypeError:  # names that are no text stand among some that are, and have no order
        return _canonical(_with_text_names(content))


def scalar(value: Any) -> Any:
    """A numpy or torch scalar as the Python number that it is; anything else as it came."""
    return value.item() if hasattr(value, "item") and getattr(value, "ndim", None) == 0 else value


def same(one: object, other: object) -> bool:
    """Whether two plain scalars are the same in JSON, where true is not 1."""
    return type(one) is type(other) and one == other


def _plain(value: Any, what: str, depth: int) -> Any:
    if depth > DEEPEST:
        raise Malformed(f"{what[:80]}... is nested more than {DEEPEST} levels deep; keep it as a file of the version")
    left = _left.get()
    left[0] -= 1
    if left[0] < 0:
        raise Malformed(f"{what[:80]} is beyond {MOST_VALUES:,} values; keep so many as a file of the version")
    if isinstance(value, Enum):
        return _of_enum(value, what, depth)
    match value:
        case None | bool():
            return value
        case str():
            return plain_text(value, what)
        case int():
            return int(value) if FREE[0] <= value <= FREE[1] else _digits(value)
        case float():
            return _finite(float(value))
        case Mapping():
            return _object(cast("Mapping[Any, Any]", value), what, depth)
        case bytes() | bytearray():
            return value.hex()
        case timedelta():
            return value.total_seconds()
        case _ if isinstance(value, _TEXT):
            return str(value)
        case Sequence():
            return _list(cast("Sequence[Any]", value), what, depth)
        case Set():
            return sorted(_list(cast("Set[Any]", value), what, depth), key=_as_text)
        case _:
            return _read(lambda: _of_library(value, what, depth), what)


def _of_enum(value: Enum, what: str, depth: int) -> Any:
    try:
        return _plain(value.value, what, depth + 1)
    except Malformed:
        return plain_text(value.name, what)


def _of_library(value: Any, what: str, depth: int) -> Any:
    """What is known by what it can do: arrays, named fields, functions, names of types, numbers."""
    if hasattr(value, "ndim") and hasattr(value, "tolist") and not isinstance(value, type):
        return _of_array(value, what, depth)
    if (named := _named_fields(value)) is not None:
        return _object(named, what, depth)
    if isinstance(value, partial):
        parts = {"partial": value.func, "args": value.args, "keywords": value.keywords}
        return _object(parts, what, depth)
    if isinstance(value, _CALLABLE):
        return f"{value.__module__}.{value.__qualname__}"
    if type(value).__module__.partition(".")[0] in ("torch", "numpy") and type(value).__name__.endswith(_NAMES):
        return str(value)
    if (number := _number(value)) is not None:
        return _plain(number, what, depth + 1)
    raise Malformed(
        f"{what} is {words_of(value)}, which JSON cannot hold; write it as text, a number, a list or a mapping"
    )


_NAMES: Final = ("dtype", "DType", "device", "layout", "memory_format")
"""How types end whose objects are but names; numpy 2 calls each dtype's class after itself, `Float32DType`."""


def _of_array(value: Any, what: str, depth: int) -> Any:
    if getattr(value.dtype, "kind", "") in ("M", "m"):  # times of numpy: nanoseconds have no Python form
        return str(value) if value.ndim == 0 else _list([str(each) for each in value], what, depth)
    if value.ndim and math.prod(value.shape) > MOST_ELEMENTS:
        raise Malformed(
            f"{what} is an array of more than {MOST_ELEMENTS:,} elements; keep it as a tensor or a file of the version"
        )
    items = value.tolist()
    if type(items) is type(value):  # a type that Python has no word for, such as long double
        return _plain(_number(value), what, depth + 1)
    return _plain(items, what, depth + 1)


def _named_fields(value: Any) -> Mapping[Any, Any] | None:
    """The fields of an object that has names for them, by the protocol of its library."""
    kind: Any = cast("object", type(value))
    if isinstance(value, type):
        return None
    if is_dataclass(value):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    if hasattr(kind, "__attrs_attrs__"):
        return {each.name: getattr(value, each.name) for each in kind.__attrs_attrs__}
    if hasattr(kind, "model_fields") and callable(dump := getattr(value, "model_dump", None)):
        return cast("Mapping[Any, Any]", dump())
    namespace = isinstance(value, SimpleNamespace) or (kind.__name__ == "Namespace" and hasattr(value, "__dict__"))
    return dict(vars(value)) if namespace else None


def _number(value: Any) -> int | float | None:
    for kind in ("__index__", "__float__"):
        if hasattr(value, kind):
            try:
                return int(value.__index__()) if kind == "__index__" else float(value)
            except (TypeError, ValueError, OverflowError):
                continue
    return None


def _list(values: Iterable[Any], what: str, depth: int) -> list[Any]:
    items = _read(lambda: list(values), what)
    return [_plain(each, f"{what}[{n}]", depth + 1) for n, each in enumerate(items)]


def _object(value: Mapping[Any, Any], what: str, depth: int) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key in _read(lambda: list(value), what):
        name = _key(key, what, depth)
        if name in made:
            raise Malformed(f"{what} has two keys that are {name!r} in JSON; rename one")
        place = f"{what}.{name}"
        made[name] = _plain(_read(lambda: value[key], place), place, depth + 1)  # noqa: B023 - called at once
    return made


def _read(act: Callable[[], Any], what: str) -> Any:
    """What a foreign container gives. It may compute its values, as OmegaConf's interpolations do, and fail at it."""
    try:
        return act()
    except LeptonError:
        raise
    except Exception as error:
        said = " ".join(str(error).split())[:200]
        raise Malformed(f"{what} cannot be read ({type(error).__name__}: {said}); give it a value") from error


def _key(key: Any, what: str, depth: int) -> str:
    if isinstance(key, str) and not isinstance(key, Enum):
        return plain_text(key, what)
    return plain_text(_as_text(_plain(key, f"a key of {what}", depth + 1)), what)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else dumps(value, ensure_ascii=False, sort_keys=True)


def _finite(value: float) -> float | str:
    return value if math.isfinite(value) else NON_FINITE[0 if math.isnan(value) else 1 if value > 0 else 2]


def _in_words(value: Any) -> Any:
    """What JSON has no word for, in words it has."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    if dump := getattr(value, "model_dump_json", None):
        return dump()
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, Any]", value))
    return sorted(cast("frozenset[str]", value)) if isinstance(value, frozenset) else str(value)


def _with_text_names(content: Any) -> Any:
    if isinstance(content, Mapping):
        pairs = cast("Mapping[Any, Any]", content).items()
        return {name if isinstance(name, str) else _canonical(name): _with_text_names(each) for name, each in pairs}
    if isinstance(content, list | tuple):
        return [_with_text_names(each) for each in cast("Sequence[Any]", content)]
    return content


_canonical: Final = JSONEncoder(sort_keys=True, default=_in_words).encode


def _digits(value: int) -> str:
    try:
        return int.__repr__(value)
    except ValueError:  # Python's own limit, which keeps a request from costing minutes
        return hex(value)


def words_of(value: Any) -> str:
    """What a value is, in words: `a dict`, `an ndarray`, `nothing` for None, and a class is no object of it."""
    if value is None:
        return "nothing (None)"
    if isinstance(value, type):
        return f"the class {value.__qualname__}"
    name = type(value).__name__
    return f"{'an' if name.lower().startswith(('a', 'e', 'i', 'o', 'u', 'nd')) else 'a'} {name}"
