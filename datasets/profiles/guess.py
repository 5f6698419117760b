"""What a column of texts holds, found piece by piece: the same as `types.guessed` says of all of it at once."""
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportAttributeAccessIssue=false
# (pyarrow ships no types)

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from ...errors import Malformed
from ..types import (
    Kind,
    first_of,
    identifiers,
    numbers_in,
    of_another_type,
    rounded,
    rounded_numbers,
    truths,
    undecided_dates,
    unmarked,
)


class Decided(NamedTuple):
    """How a column's texts are read."""

    type: Any
    """Arrow's."""
    marked: bool
    """Whether some of them stand for missing numbers, or have spaces around them."""


class Guess:
    """One column: each reading is a rule for single values, so it holds for all of them if it does for each piece."""

    def __init__(self, name: str, kind: Kind | None = None) -> None:
        self._name = name
        self._kind: Kind | None = kind
        self._numbers = list(_NUMBERS)
        self._dates = list(_DATES)
        self._told = False
        self._known = False
        """Whether a value was seen at all, and one that stands for no missing number."""
        self._padded = False
        self._rounded = False

    def update(self, texts: Any) -> None:
        """Go on with more rows."""
        import pyarrow as pa

        if self._kind == "category" or texts.null_count == len(texts):
            return
        self._told = True
        known = unmarked(texts) if self._numbers or self._dates else texts
        self._numbers = [each for each in self._numbers if _NUMBERS[each](texts, known) is not None]
        self._dates = [each for each in self._dates if self._kind != "number" and _DATES[each](texts) is not None]
        if self._numbers:
            self._known = self._known or known.null_count < len(known)
            numbers = numbers_in(texts)
            self._padded = self._padded or identifiers(pa.nulls(0, pa.int64()), texts)
            self._rounded = self._rounded or rounded(numbers, texts)

    def decided(self) -> Decided:
        """How the column is read, once all rows were seen. Raises `Malformed` where `guessed` or `retyped` would."""
        return Decided(self._type(), bool(self._numbers) and self._numbers[0] in _MARKED)

    def _type(self) -> Any:
        import pyarrow as pa

        if self._kind == "category":
            return pa.large_string()
        if not self._told:
            return pa.null() if self._kind is None else pa.float64() if self._kind == "number" else pa.timestamp("us")
        if self._kind == "date":
            return pa.timestamp("us") if self._dates else self._refuse()
        if not self._numbers:
            return self._refuse() if self._kind or self._dates else pa.large_string()
        kind = _TYPES[self._numbers[0]]()
        if self._kind is None and not pa.types.is_boolean(kind):
            if (self._numbers[0] in _MARKED and not self._known) or (pa.types.is_integer(kind) and self._padded):
                return pa.large_string()
            if self._rounded:
                raise rounded_numbers(self._name)
        return kind

    def _refuse(self) -> Any:
        kind = self._kind
        if kind is None:
            raise undecided_dates(self._name)
        raise of_another_type(self._name, kind)


def converted(name: str, texts: Any, decided: Decided) -> Any:
    """The texts of one piece as was decided for all. Raises `Malformed` where one became another since."""
    import pyarrow as pa

    kind = decided.type
    if pa.types.is_null(kind):
        return pa.nulls(len(texts))
    if pa.types.is_large_string(kind):
        return texts
    if pa.types.is_timestamp(kind):
        made = first_of(_trimmed(texts), (pa.timestamp("us"), pa.timestamp("us", "UTC"), pa.timestamp("ns")))
        made = None if made is None else made.cast(kind, safe=False)
    elif pa.types.is_boolean(kind):
        made = truths(unmarked(texts))
    else:
        made = first_of(unmarked(texts) if decided.marked else texts, (kind,))
    if made is None:
        raise Malformed(f"column {name!r} holds other values than a moment ago; read it when nobody writes to the file")
    return made


def _trimmed(texts: Any) -> Any:
    import pyarrow.compute as pc

    return pc.utf8_trim_whitespace(texts)


def _number(kind: str, *, plain: bool) -> Callable[[Any, Any], Any]:
    def read(texts: Any, known: Any) -> Any:
        import pyarrow as pa

        return first_of(texts if plain else known, (getattr(pa, kind)(),))

    return read


def _date(unit: str, zone: str | None) -> Callable[[Any], Any]:
    def read(texts: Any) -> Any:
        import pyarrow as pa

        return first_of(_trimmed(texts), (pa.timestamp(unit, zone),))

    return read


def _type(kind: str) -> Callable[[], Any]:
    def made() -> Any:
        import pyarrow as pa

        return getattr(pa, kind)()

    return made


_NUMBERS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "whole": _number("int64", plain=True),
    "number": _number("float64", plain=True),
    "whole or missing": _number("int64", plain=False),
    "number or missing": _number("float64", plain=False),
    "truth": lambda _, known: truths(known),
}
"""How texts may be read as numbers, in the order in which `types.numbers_in` tries it."""
_TYPES: Final = {
    "whole": _type("int64"),
    "number": _type("float64"),
    "whole or missing": _type("int64"),
    "number or missing": _type("float64"),
    "truth": _type("bool_"),
}
_MARKED: Final = ("whole or missing", "number or missing", "truth")
_DATES: Final[dict[str, Callable[[Any], Any]]] = {
    "local": _date("us", None),
    "with offset": _date("us", "UTC"),
    "fine": _date("ns", None),
}
