"""Whether an expression holds for given figures: true, false or unknown, with the numbers behind it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isnan
from typing import Any, Final

from ...errors import Malformed
from ...plain import words_of
from .parsing import malformed, parsed
from .tree import (
    Arithmetic,
    Condition,
    Constant,
    Junction,
    Negative,
    Not,
    Quantity,
    Reference,
    Relation,
    Side,
    names,
    relations,
    written,
)

LONGEST: Final = 1_000
"""Characters of a requirement, which is recorded with each gate that it is judged at."""

Figures = Mapping[Side | None, Mapping[str, float]]
"""Figures by name, of the version that is judged (None) and of those that it is compared with."""

_RECKONED: Final[Mapping[str, Callable[[float, float], float]]] = {
    "+": float.__add__,
    "-": float.__sub__,
    "*": float.__mul__,
    "/": float.__truediv__,
}
_COMPARED: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Compared:
    """One comparison of an expression and the two numbers that it came to, None where there is none."""

    text: str
    operator: str
    left: float | None
    right: float | None
    holds: bool | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an expression came to."""

    holds: bool | None
    """None where that hangs on a figure that is not there."""
    numbers: Mapping[str, float | None]
    """The figures by the names that the expression has, None where there is none."""
    compared: tuple[Compared, ...]
    unknown: tuple[str, ...]
    """Why it is not known whether a comparison holds, one clause each."""


def requirement(text: str) -> Condition:
    """The tree of a condition on figures alone, or `Malformed`."""
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise Malformed(f"a requirement is a text such as 'f1 >= 0.8', not {words_of(text)}")
    if len(text) > LONGEST:
        raise Malformed(f"a requirement has {LONGEST:,} characters at most, and this one has {len(text):,}")
    tree = parsed(text)
    for relation in relations(tree):
        for side in (relation.left, relation.right):
            if isinstance(side, Constant) and isinstance(side.value, str | bool):
                raise malformed(text, side.place, f"figures are compared with numbers, not with {side}")
    for name in names(tree):
        if name.kind not in (None, "metric"):
            raise malformed(text, name.place, f"{name} is no figure; figures are named as in f1 or test/f1")
    return tree


def judge(tree: Condition, figures: Figures) -> Verdict:
    """Whether an expression holds. NaN is no figure, and what is divided by zero has no value.

    `and` and `or` know their answer where one part is enough to know it (Kleene's logic).
    """
    numbers = {written(name): _figure(name, figures) for name in names(tree)}
    compared = {relation: _compared(relation, numbers) for relation in relations(tree)}
    missing = (_missing(name, figures) for name in names(tree) if numbers[written(name)] is None)
    unknown = (*missing, *_valueless(compared.items(), numbers))
    return Verdict(_holds(tree, compared), numbers, tuple(compared.values()), unknown)


def _figure(name: Reference, figures: Figures) -> float | None:
    number = figures.get(name.side, {}).get(name.name)
    return None if number is None or isnan(number) else float(number)


def _missing(name: Reference, figures: Figures) -> str:
    there = name.name in figures.get(name.side, {})
    return f"{name} is NaN, which is no figure" if there else f"{name} has no figure"


def _compared(relation: Relation, numbers: Mapping[str, float | None]) -> Compared:
    left, right = _number(relation.left, numbers), _number(relation.right, numbers)
    holds = None if left is None or right is None else _COMPARED[relation.operator](left, right)
    return Compared(written(relation), relation.operator, left, right, holds)


def _number(quantity: Quantity, numbers: Mapping[str, float | None]) -> float | None:
    """What a quantity comes to, or None where a figure is missing, or no number follows from those there are."""
    match quantity:
        case Constant(value=value):
            return float(value)
        case Reference():
            return numbers[written(quantity)]
        case Negative(of=part):
            number = _number(part, numbers)
            return None if number is None else -number
        case Arithmetic(operator=sign, left=left, right=right):
            one, other = _number(left, numbers), _number(right, numbers)
            if one is None or other is None or (sign == "/" and other == 0):
                return None
            number = _RECKONED[sign](one, other)
            return None if isnan(number) else number


def _valueless(compared: Iterable[tuple[Relation, Compared]], numbers: Mapping[str, float | None]) -> Iterator[str]:
    """The quantities whose figures are all there, and which have no value all the same."""
    for relation, found in compared:
        for quantity, number in ((relation.left, found.left), (relation.right, found.right)):
            if number is None and None not in (numbers[written(name)] for name in names(quantity)):
                yield f"{written(quantity)} has no value (it divides by zero, or takes infinity from infinity)"


def _holds(tree: Condition, compared: Mapping[Relation, Compared]) -> bool | None:
    match tree:
        case Relation():
            return compared[tree].holds
        case Not(of=part):
            holds = _holds(part, compared)
            return None if holds is None else not holds
        case Junction(operator=sign, parts=parts):
            enough = sign == "or"
            found = [_holds(part, compared) for part in parts]
            return enough if enough in found else None if None in found else not enough
