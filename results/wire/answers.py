"""Answers as JSON and back: each class under its name, by a table that is closed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields
from typing import Any, Final, cast

from ... import errors, results
from ...errors import LeptonError, Refused
from ...plain import DEEPEST
from ..answer import Result, Shown
from ..last_move import LastMove
from ..version import PendingVersion, Version, VersionRef
from .values import KIND, OF, packed_value, unpacked_value

NEVER: Final = frozenset(("LastMove", "Shown", "Result", "TaskPerformance", "plain"))
"""Names of results that are no answers."""
ERROR: Final = "error"


def packed(answer: Any) -> Any:
    """An answer, or a value that an answer may hold, as a JSON value that `unpacked` makes the same of again.

    Raises `TypeError` where it holds what has no such form.
    """
    match answer:
        case Version():
            return _named(answer, number=int(answer), **{name: getattr(answer, name) for name in _OF_VERSION})
        case PendingVersion() | LastMove() | Result():
            return _named(answer, **{each.name: getattr(answer, each.name) for each in _fields(type(answer))})
        case VersionRef():
            return _named(answer, model=answer.model, number=answer.number)
        case Shown():
            return _shown(answer)
        case LeptonError():
            return {KIND: ERROR, **_error(answer)}
        case _:
            return packed_value(answer, packed)


def unpacked(value: Any) -> Any:
    """The answer of which `packed` made this value.

    Fields that are not known here are dropped, those that are not there have their default. Raises `Refused` where a
    class is not known here, or a field without a default is not there: the server is of another Lepton.
    """
    try:
        return _unpacked(value, 0)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        why = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise Refused(f"{_STRANGE} ({why[:200]}); {_REMEDY}") from error


def written(answer: Any) -> bytes:
    """An answer as the bytes of its JSON, which is ASCII."""
    return json.dumps(packed(answer), separators=(",", ":"), allow_nan=False).encode("ascii")


def read(content: bytes) -> Any:
    """The answer that was `written`. Raises `Refused` as `unpacked` does, and where it is no JSON."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Refused(f"the server's answer is no JSON; {_REMEDY}") from error
    return unpacked(value)


_STRANGE: Final = "the server answers what this Lepton does not know"
_REMEDY: Final = "server and client are of different releases: bring the older of the two up to date"
_OF_VERSION: Final = ("model", "digest", "branch", "parents")
_DEEPEST: Final = 4 * DEEPEST
"""Levels of an answer: those of a value that may be kept, and of what it stands in."""


def _named(answer: Any, /, **values: Any) -> dict[str, Any]:
    name = type(answer).__name__
    if _class(name) is not type(answer):
        raise TypeError(f"{type(answer).__qualname__} is not among the answers that results/ names")
    return {KIND: name, **{field: packed(value) for field, value in values.items()}}


def _shown(answer: Shown) -> dict[str, Any]:
    """An answer that is a list, tuple or mapping; or figures of a task, which are a dataclass."""
    if isinstance(answer, list | tuple):
        return _named(answer) | {OF: [packed(each) for each in cast("list[Any]", answer)]}
    if isinstance(answer, dict):
        pairs = cast("dict[str, Any]", answer).items()
        return _named(answer, **vars(answer)) | {OF: [[packed(name), packed(each)] for name, each in pairs]}
    return _named(answer, **{each.name: getattr(answer, each.name) for each in _fields(type(answer))})


def _unpacked(value: Any, depth: int) -> Any:
    if depth > _DEEPEST:
        raise ValueError("nested too deep")

    def within(each: Any) -> Any:
        return _unpacked(each, depth + 1)

    if isinstance(value, list):
        return [within(each) for each in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    named = cast("dict[str, Any]", value)
    if KIND not in named:
        return {name: within(each) for name, each in named.items()}
    kind = named[KIND]
    if kind == ERROR:
        return _raised(named, within)
    if kind[:1].isupper():
        return _made(_class(kind), named, within)
    return unpacked_value(kind, named[OF], within)


def _class(name: str) -> type[Any]:
    """The class of an answer by its name; nothing else is ever imported or called. Raises `KeyError`."""
    if name in NEVER or name not in results.__all__:
        raise LookupError(f"there is no answer {name!r}")
    return cast("type[Any]", getattr(results, name))


def _made(kind: type[Any], named: Mapping[str, Any], within: Callable[[Any], Any]) -> Any:
    if issubclass(kind, Version):
        return kind(named["number"], **{name: within(named[name]) for name in _OF_VERSION})
    if issubclass(kind, VersionRef):
        return kind(named["model"], named["number"])
    if issubclass(kind, dict):
        made: dict[Any, Any] = cast("Any", kind).__new__(kind)
        made.update({within(name): within(each) for name, each in named[OF]})
        vars(made).update({name: within(each) for name, each in named.items() if name not in (KIND, OF)})
        return made
    if issubclass(kind, list | tuple):
        return cast("Any", kind)(within(each) for each in named[OF])
    values = {each.name: within(named[each.name]) for each in _fields(kind) if _there(each, named)}
    return kind(**values)


def _there(field: Field[Any], named: Mapping[str, Any]) -> bool:
    if field.name not in named and field.default is MISSING and field.default_factory is MISSING:
        raise LookupError(f"an answer {named[KIND]!r} lacks {field.name!r}")
    return field.name in named


def _fields(kind: type[Any]) -> tuple[Field[Any], ...]:
    return fields(kind)


def _error(error: LeptonError) -> dict[str, Any]:
    """A refusal or a damage that an answer holds, as `__reduce__` has it."""
    _, (kind, args), state = cast("tuple[Any, tuple[Any, Any], dict[str, Any]]", error.__reduce__())
    return {"name": kind.__name__, "args": packed(args), "state": packed(state)}


def _raised(named: Mapping[str, Any], within: Callable[[Any], Any]) -> LeptonError:
    kind = vars(errors).get(named["name"])
    if not (isinstance(kind, type) and issubclass(kind, LeptonError)):
        raise LookupError(f"there is no error {named['name']!r}")
    error = kind.__new__(kind, *within(named["args"]))
    vars(error).update(within(named["state"]))
    return error
