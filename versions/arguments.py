"""The check at the door: an argument is what the method's signature says it is, or one sentence says that it is not."""

from __future__ import annotations

import inspect
import reprlib
import types
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache, wraps
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from ..errors import Malformed

T = TypeVar("T")

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
                if name in hints and not _fits(each, hints[name]):
                    refusal = _refusal(method, name, each)
                    _tell(given, method, {**arguments, **named}, refusal)
                    raise refusal
        return method(*given, **named)

    return guarded


def _tell(given: Sequence[Any], method: Callable[..., Any], named: Mapping[str, Any], error: Exception) -> None:
    """Tell an object what was refused at its door, if it wants to know: there may be something to keep."""
    if given and (told := getattr(given[0], "_refused_at_the_door", None)):
        told(method.__name__, given[1:], named, error)


@cache
def _signature(method: Callable[..., Any]) -> tuple[inspect.Signature, dict[str, Any]]:
    """What a method takes. What it returns may be known to the type checker alone."""
    signature = inspect.signature(method)
    keywords = {name for name, each in signature.parameters.items() if each.kind is inspect.Parameter.VAR_KEYWORD}
    said = {name: hint for name, hint in method.__annotations__.items() if name not in ("return", *keywords)}
    places = getattr(inspect.unwrap(method), "__globals__", {})
    return signature, get_type_hints(types.SimpleNamespace(__annotations__=said), globalns=places)


def _refusal(method: Callable[..., Any], name: str, value: Any) -> Malformed:
    shown = reprlib.repr(value) if type(value) in _SHOWN else f"a {type(value).__name__}"
    return Malformed(
        f"{name} is {' '.join(shown.split())}; {method.__name__} takes {method.__annotations__[name]} there"
    )


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of an annotated type: numbers by what they can do, so that numpy's and torch's are some."""
    kind, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if hint is float:
        return hasattr(value, "__float__")
    if hint is int:
        return hasattr(value, "__index__") and not isinstance(value, bool)
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
        return several and all(_fits(each, inner[0]) for each in value)  # pyright: ignore[reportUnknownVariableType]
    return isinstance(value, kind or hint)
