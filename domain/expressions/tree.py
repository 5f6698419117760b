"""The tree of an expression: its nodes, the names in it, and the text that is read back as the same tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isinf
from typing import Final, Literal, TypeAlias, cast, get_args

Kind = Literal["metric", "param", "note", "version"]
"""What a name may be said to be of; a bare one is said to be of none."""
Side = Literal["against", "parent"]
"""Another version than the one that is judged."""

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
SIDES: Final[tuple[Side, ...]] = get_args(Side)
RESERVED: Final = frozenset(("and", "or", "not", "true", "false"))

_WORD: Final = re.compile(r"[^\W\d][\w./:-]*")


class Written:
    """A node of a tree, whose text is read back as the same node."""

    __slots__ = ()

    def __str__(self) -> str:
        return written(cast("Condition | Quantity", self))


@dataclass(frozen=True, slots=True)
class Reference(Written):
    """A figure, or whatever else a version has under a name: `f1`, `test/f1`, `against.f1`, `param.lr`."""

    side: Side | None
    kind: Kind | None
    name: str
    place: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Constant(Written):
    """A number, a 'string', true or false."""

    value: float | str | bool
    place: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Negative(Written):
    """A quantity with its sign turned."""

    of: Quantity
    place: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Arithmetic(Written):
    """Two quantities added, subtracted, multiplied or divided."""

    operator: Literal["+", "-", "*", "/"]
    left: Quantity
    right: Quantity
    place: int = field(default=0, compare=False)
    """That of the operator."""


@dataclass(frozen=True, slots=True)
class Relation(Written):
    """Two quantities compared."""

    operator: Literal["=", "!=", "<", "<=", ">", ">="]
    left: Quantity
    right: Quantity
    place: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Not(Written):
    """What holds where a condition does not."""

    of: Condition
    place: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Junction(Written):
    """Two conditions or more of which all hold, or any."""

    operator: Literal["and", "or"]
    parts: tuple[Condition, ...]
    place: int = field(default=0, compare=False)


Quantity: TypeAlias = "Reference | Constant | Negative | Arithmetic"
Condition: TypeAlias = "Relation | Not | Junction"

_LEVELS: Final = {"or": 1, "and": 2, "+": 5, "-": 5, "*": 6, "/": 6}
"""How tightly operators hold what stands beside them."""
_NOT, _RELATION, _NEGATIVE, _ALONE = 3, 4, 7, 8


def names(tree: Condition | Quantity) -> tuple[Reference, ...]:
    """The names in a tree, each once, in the order of their first places."""
    return tuple(dict.fromkeys(_names(tree)))


def relations(tree: Condition) -> Iterator[Relation]:
    """The comparisons in a tree, from left to right."""
    match tree:
        case Relation():
            yield tree
        case Not(of=part):
            yield from relations(part)
        case Junction(parts=parts):
            for part in parts:
                yield from relations(part)


def written(tree: Condition | Quantity) -> str:
    """A tree as text, which is read as the same tree."""
    match tree:
        case Reference():
            return _named(tree)
        case Constant(value=value):
            return _valued(value)
        case Negative(of=part):
            return f"-{_within(part, _NEGATIVE)}"
        case Arithmetic(operator=operator, left=left, right=right):
            level = _LEVELS[operator]
            return f"{_within(left, level)} {operator} {_within(right, level + 1)}"
        case Relation(operator=operator, left=left, right=right):
            # `true` before a comparison is a name
            first = (
                f"({written(left)})" if isinstance(left, Constant) and isinstance(left.value, bool) else written(left)
            )
            return f"{first} {operator} {written(right)}"
        case Not(of=part):
            return f"not {_within(part, _NOT)}"
        case Junction(operator=operator, parts=parts):
            return f" {operator} ".join(_within(part, _LEVELS[operator] + 1) for part in parts)


def _names(tree: Condition | Quantity) -> Iterator[Reference]:
    match tree:
        case Reference():
            yield tree
        case Constant():
            return
        case Negative(of=part) | Not(of=part):
            yield from _names(part)
        case Arithmetic(left=left, right=right) | Relation(left=left, right=right):
            yield from _names(left)
            yield from _names(right)
        case Junction(parts=parts):
            for part in parts:
                yield from _names(part)


def _within(tree: Condition | Quantity, least: int) -> str:
    """A part as text, in parentheses where it would fall apart beside its neighbours."""
    return written(tree) if _level(tree) >= least else f"({written(tree)})"


def _level(tree: Condition | Quantity) -> int:
    match tree:
        case Junction(operator=operator) | Arithmetic(operator=operator):
            return _LEVELS[operator]
        case Not():
            return _NOT
        case Relation():
            return _RELATION
        case Negative():
            return _NEGATIVE
        case Reference() | Constant():
            return _ALONE


def _named(name: Reference) -> str:
    prefix = "".join(f"{each}." for each in (name.side, name.kind) if each)
    word = _WORD.fullmatch(name.name) and (prefix or name.name.lower() not in RESERVED)
    plain = word and not name.name.startswith(tuple(f"{each}." for each in (*SIDES, *KINDS)))
    return prefix + (name.name if plain else _quoted(name.name, '"'))


def _valued(value: float | str | bool) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return _quoted(value, "'")
    if isinf(value):
        return "1e999" if value > 0 else "-1e999"
    return repr(float(value)).removesuffix(".0")


def _quoted(text: str, mark: str) -> str:
    return mark + text.replace(mark, mark * 2) + mark
