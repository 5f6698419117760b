"""The parser of expressions: a text becomes a tree, or `Malformed` pointing at the character."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Literal, NamedTuple, TypeAlias, cast

from ...errors import Malformed
from .tree import (
    KINDS,
    RESERVED,
    SIDES,
    Arithmetic,
    Condition,
    Constant,
    Junction,
    Kind,
    Negative,
    Not,
    Quantity,
    Reference,
    Relation,
    Side,
    names,
)

LONGEST: Final = 100_000
"""Characters of an expression."""
MOST: Final = 100
"""Comparisons in an expression: databases do not nest without end."""
OPERANDS: Final = 250
"""Names and values in an expression."""
DEEPEST: Final = 20
"""Parentheses, `not` and signs within each other."""
_SHOWN: Final = 120
_QUANTITY: Final = (Reference, Constant, Negative, Arithmetic)

_TOKEN: Final = re.compile(
    r"""(?P<string>'(?:[^']|'')*')
    | (?P<quoted>"(?:[^"]|"")*")
    | (?P<relation><=|>=|!=|==|=|<|>)
    | (?P<arithmetic>[-+*/()])
    | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
    | (?P<word>[^\W\d][\w./:-]*)""",
    re.VERBOSE,
)


_Part: TypeAlias = "Callable[[], Condition | Quantity]"
"""Reads what stands beside an operator."""


class Token(NamedTuple):
    kind: str
    text: str
    place: int

    @property
    def word(self) -> str:
        """The word that it is, in small letters, or nothing."""
        return self.text.lower() if self.kind == "word" else ""


def parsed(text: str, sides: tuple[Side, ...] = SIDES) -> Condition:
    """The tree of an expression.

        expression = conjunction { "or" conjunction }
        conjunction = negation { "and" negation }
        negation   = "not" negation | comparison | "(" expression ")"
        comparison = sum ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) sum
        sum        = product { ( "+" | "-" ) product }
        product    = factor { ( "*" | "/" ) factor }
        factor     = ( "+" | "-" ) factor | number | 'string' | true | false | name | "(" sum ")"
        name       = [ "against." | "parent." ] [ "metric." | "param." | "note." | "version." ] ( word | "quoted" )

    A word begins with a letter and goes on with letters, digits and ``_ . / : -``, so `-` and `/` between names have
    spaces around them; a quote within quotes is doubled. Only the `sides` given are known as such: of another one the
    word is a name as a whole. Raises `Malformed`.
    """
    if len(text) > LONGEST:
        raise malformed(text, LONGEST, f"an expression has {LONGEST:,} characters at most")
    return _Parser(text, sides).whole()


def malformed(text: str, place: int, what: str) -> Malformed:
    """The refusal that points at a character of an expression."""
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return Malformed(f"in {shown!r} at character {place + 1}: {what}")


class _Parser:
    """One reading of a text, from left to right with one token of foresight."""

    def __init__(self, text: str, sides: tuple[Side, ...]) -> None:
        self._text, self._sides = text, sides
        self._depth = self._relations = self._operands = 0
        self._next = self._token(0)

    def whole(self) -> Condition:
        tree = self._condition(self._either())
        if self._next.kind != "end":
            raise self._expected("`and`, `or` or the end")
        return tree

    def _either(self) -> Condition | Quantity:
        return self._junction("or", lambda: self._junction("and", self._negation))

    def _junction(self, operator: Literal["and", "or"], part: _Part) -> Condition | Quantity:
        first = part()
        if self._next.word != operator:
            return first
        parts, place = [self._condition(first)], self._next.place
        while self._next.word == operator:
            self._take()
            parts.append(self._condition(part()))
        return Junction(operator, tuple(parts), place)

    def _negation(self) -> Condition | Quantity:
        if self._next.word != "not" or self._compared():
            return self._comparison()
        place = self._take().place
        self._deeper(place)
        tree = Not(self._condition(self._negation()), place)
        self._depth -= 1
        return tree

    def _comparison(self) -> Condition | Quantity:
        left = self._sum()
        if self._next.kind != "relation" or not isinstance(left, _QUANTITY):
            return left
        operator = self._take()
        right = self._quantity(self._sum(), operator.place)
        sign = cast("Literal['=', '!=', '<', '<=', '>', '>=']", "=" if operator.text == "==" else operator.text)
        tree = Relation(sign, left, right, operator.place)
        if not names(tree):
            raise malformed(self._text, _start(left), "a comparison names a figure at least on one side")
        if self._next.kind == "relation":
            raise self._expected("`and`, `or` or the end")
        self._relations += 1
        if self._relations > MOST:
            raise malformed(self._text, operator.place, f"an expression compares {MOST} times at most")
        return tree

    def _sum(self) -> Condition | Quantity:
        return self._arithmetic(("+", "-"), lambda: self._arithmetic(("*", "/"), self._factor))

    def _arithmetic(self, operators: tuple[str, ...], part: _Part) -> Condition | Quantity:
        left = part()
        while self._next.kind == "arithmetic" and self._next.text in operators:
            left = self._number(left)
            operator = self._take()
            right = self._number(self._quantity(part(), operator.place))
            left = Arithmetic(cast("Literal['+', '-', '*', '/']", operator.text), left, right, operator.place)
        return left

    def _factor(self) -> Condition | Quantity:
        token = self._next
        if token.text in ("+", "-") and token.kind == "arithmetic":
            self._deeper(self._take().place)
            part = self._number(self._quantity(self._factor(), token.place))
            self._depth -= 1
            return part if token.text == "+" else _turned(part, token.place)
        if token.text == "(":
            self._deeper(self._take().place)
            inner = self._either()
            if self._next.text != ")" or self._next.kind != "arithmetic":
                raise self._expected(f"`)` for the `(` at character {token.place + 1}")
            self._take()
            self._depth -= 1
            return inner
        return self._operand()

    def _operand(self) -> Quantity:
        self._operands += 1
        if self._operands > OPERANDS:
            raise malformed(self._text, self._next.place, f"an expression has {OPERANDS} names and values at most")
        token = self._next
        match token.kind:
            case "number":
                return Constant(float(self._take().text), token.place)
            case "string":
                return Constant(_unquoted(self._take().text), token.place)
            case "quoted":
                return Reference(None, None, _unquoted(self._take().text), token.place)
            case "word" if token.word not in RESERVED or (token.word != "and" and self._compared()):
                return self._name(self._take())
            case "word" if token.word in ("true", "false"):
                return Constant(self._take().word == "true", token.place)
            case _:
                raise self._expected("a name" if self._first() else "a number, a name, a 'string', true or false")

    def _name(self, token: Token) -> Reference:
        rest = token.text
        side: Side | None = next((each for each in self._sides if rest.startswith(f"{each}.")), None)
        rest = rest.removeprefix(f"{side}.")
        kind: Kind | None = next((each for each in KINDS if rest.startswith(f"{each}.")), None)
        rest = rest.removeprefix(f"{kind}.")
        if not rest:
            if self._next.kind != "quoted":
                raise self._expected(f"a name after {token.text}")
            rest = _unquoted(self._take().text)
        return Reference(side, kind, rest, token.place)

    def _condition(self, tree: Condition | Quantity) -> Condition:
        """A tree that something is either true of or not; a quantity needs a comparison."""
        if isinstance(tree, _QUANTITY):
            raise self._expected("one of = != < <= > >=")
        return tree

    def _quantity(self, tree: Condition | Quantity, place: int) -> Quantity:
        if not isinstance(tree, _QUANTITY):
            raise malformed(self._text, place, "a condition is joined by `and` and `or`, and not reckoned with")
        return tree

    def _number(self, tree: Condition | Quantity) -> Quantity:
        """A tree that is reckoned with: no text, no truth."""
        if not isinstance(tree, _QUANTITY):
            raise self._expected("`and`, `or` or the end")
        if isinstance(tree, Constant) and isinstance(tree.value, str | bool):
            raise malformed(self._text, tree.place, f"{tree} is no number; only numbers are reckoned with")
        return tree

    def _compared(self) -> bool:
        """Whether a comparison follows the next token, which is a name then, whatever else it may mean."""
        return self._token(self._next.place + len(self._next.text)).kind == "relation"

    def _first(self) -> bool:
        """Whether a condition begins here."""
        before = self._text[: self._next.place].rstrip()
        return not before or not re.search(r"[-+*/<>=]$", before)

    def _deeper(self, place: int) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise malformed(self._text, place, f"an expression is {DEEPEST} parentheses, `not` and signs deep at most")

    def _take(self) -> Token:
        token = self._next
        self._next = self._token(token.place + len(token.text))
        return token

    def _token(self, place: int) -> Token:
        """What stands at a place or behind the spaces there."""
        text = self._text
        while place < len(text) and text[place].isspace():
            place += 1
        if place >= len(text):
            return Token("end", "the end", len(text))
        match = _TOKEN.match(text, place)
        if match is None:
            what = f"no name, comparison or value begins with {text[place]!r}"
            raise malformed(text, place, f'{what}; quote a name that holds it, as in metric."AR@100"')
        return Token(str(match.lastgroup), match[0], place)

    def _expected(self, what: str) -> Malformed:
        return malformed(self._text, self._next.place, f"expected {what}, found {self._next.text!r}")


def _turned(part: Quantity, place: int) -> Quantity:
    """A quantity with its sign turned: of a number the other number."""
    if isinstance(part, Constant):
        return Constant(-cast(float, part.value), place)
    return Negative(part, place)


def _start(tree: Condition | Quantity) -> int:
    return _start(tree.left) if isinstance(tree, Arithmetic | Relation) else tree.place


def _unquoted(text: str) -> str:
    return text[1:-1].replace(text[0] * 2, text[0])
