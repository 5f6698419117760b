"""The check at the door: an argument is what the method's signature says it is, or one sentence says that it is not."""

from __future__ import annotations

import inspect
import reprlib
import types
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache, wraps
from operator import index
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from ..errors import Malformed
from ..plain import words_of

T = TypeVar("T")

_LARGEST = 2**64
_SHOWN = (str, bytes, bool, int, float, types.NoneType, list, tuple, dict, set)


def checked(kind: type[T]) -> type[T]:
    """A class whose public methods raise `Malformed` for arguments that their annotations do not allow."""
    for name, member in list(vars(kind).items()):
        if inspect.isfunction(member) and (name == "__init__" or not name.startswith("_")):
            setattr(kind, name, _guarded(member))
    return kind


def _guarded(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def guarded(*given: Any, **named: Any) -> Any:
        signature, hints = _signature(method)
        try:
            arguments = signature.bind(*given, **named).arguments
        except TypeError as error:  # Python says that best itself
            _tell(given, method, named, error)
            return method(*given, **named)
        for name, value in arguments.items():
            several = signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL
            for each in value if several else (value,):
                if name in hints:
                    try:
                        check(name, each, hints[name], method)
                    except Malformed as refusal:
                        _tell(given, method, {**arguments, **named}, refusal)
                        raise
        return method(*given, **named)

    return guarded


def check(name: str, value: Any, hint: Any, method: Callable[..., Any]) -> None:
    """Raise `Malformed` where an argument is not what its annotation allows, or what no database and no file holds."""
    if not _fits(value, hint):
        taken = method.__annotations__.get(name, hint)
        raise Malformed(f"{name} is {_shown(value)}; {method.__name__} takes {taken} there")
    if type(value) is int and not -_LARGEST <= value <= _LARGEST:
        raise Malformed(f"{name} is a number of more than 64 bits; {method.__name__} takes smaller ones")
    if isinstance(value, str) and not _is_unicode(value):
        raise Malformed(f"{name} is {_shown(value)}, which is no Unicode text; leave lone surrogates out")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _tell(given: Sequence[Any], method: Callable[..., Any], named: Mapping[str, Any], error: Exception) -> None:
    """Call the hook that an object may have for refused arguments, so that it can keep what was given."""
    if given and (notify := getattr(given[0], "_refused_at_the_door", None)):
        notify(method.__name__, given[1:], named, error)


@cache
def _signature(method: Callable[..., Any]) -> tuple[inspect.Signature, dict[str, Any]]:
    """What a method takes. What it returns may be known to the type checker alone."""
    signature = inspect.signature(method)
    keywords = {name for name, each in signature.parameters.items() if each.kind is inspect.Parameter.VAR_KEYWORD}
    said = {name: hint for name, hint in method.__annotations__.items() if name not in ("return", *keywords)}
    places = getattr(inspect.unwrap(method), "__globals__", {})
    return signature, get_type_hints(types.SimpleNamespace(__annotations__=said), globalns=places)


def _shown(value: Any) -> str:
    try:
        shown = reprlib.repr(value) if type(value) in _SHOWN else words_of(value)
    except ValueError:  # Python writes no number of more than 4,300 digits
        shown = words_of(value)
    return " ".join(shown.split())


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of an annotated type: numbers by what they can do, so that numpy's and torch's are some."""
    kind, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if hint is float:
        return _converts(float, value)
    if hint is int:
        return not isinstance(value, bool) and (isinstance(value, int) or _converts(index, value))
    if kind in (Union, types.UnionType):
        return any(_fits(value, each) for each in inner)
    if kind is Literal:
        return isinstance(value, str)  # which words there are the work itself knows
    if kind is tuple:
        return isinstance(value, tuple) and len(value) == len(inner) and all(map(_fits, value, inner))  # pyright: ignore
    if kind is Mapping:
        return isinstance(value, Mapping) and all(_fits(pair, tuple[inner]) for pair in value.items())  # pyright: ignore
    if kind is Sequence:  # a text is a sequence too, of texts, and never meant as one
        several = isinstance(value, Collection) and not isinstance(value, str | bytes | Mapping)
        return several and _converts(list, value) and all(_fits(each, inner[0]) for each in value)  # pyright: ignore
    return isinstance(value, kind or hint)


def _converts(kind: Callable[[Any], object], value: Any) -> bool:
    """Whether a value is one of a kind by what it can do; a tensor of several numbers looks like one, and is none."""
    if isinstance(value, str | bytes):
        return False
    try:
        kind(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        return False
    return True
