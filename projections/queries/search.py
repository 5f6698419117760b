"""The search for versions by their figures: a small language, parsed here and answered as parameterised SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from ...errors import Malformed
from ...results import VersionRef
from ..projector import Projection
from .opening import Opener, opening

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MOST: Final = 100
"""Comparisons in an expression: DuckDB does not nest without end."""
_LONGEST: Final = 120

Kind = Literal["metric", "param", "note", "version"]

_VALUES: dict[Kind, str] = {
    "metric": """SELECT
        model, version, coalesce(arg_max(value, seq) FILTER (WHERE rows IS NOT NULL), arg_max(value, seq)) AS number,
        'number' AS kind, NULL::VARCHAR AS value
        FROM metrics WHERE version IS NOT NULL AND figure = ? GROUP BY model, version""",
    "param": "SELECT * FROM hyperparameters WHERE version IS NOT NULL AND name = ?",
    "note": "SELECT * FROM annotations WHERE name = ?",
    "version": """SELECT * FROM (
        SELECT
            model, version, NULL::DOUBLE AS number, 'string' AS kind, CASE ?
                {opened} WHEN 'branch' THEN branch WHEN 'run' THEN run
            END AS value
        FROM versions
    ) WHERE value IS NOT NULL""",
}
"""What a version has under a name: for a metric the figure that `show` has, the newest whose rows are known, if any."""

_NAMES: dict[Kind, str] = {
    "metric": "SELECT DISTINCT figure AS name FROM metrics WHERE version IS NOT NULL",
    "param": "SELECT DISTINCT name FROM hyperparameters WHERE version IS NOT NULL",
    "note": "SELECT DISTINCT name FROM annotations",
    "version": "SELECT unnest(['actor', 'message', 'description', 'branch', 'run']) AS name",
}
"""The names that versions have of each kind."""

OPENED: Final = ("actor", "message", "description")
"""What is sealed of a version, by the name that it is asked for by."""

_BARE: Final[tuple[tuple[Kind, ...], ...]] = (("metric", "param", "note"), ("version",))
"""The kinds that a bare name may be of; those that follow where none of the first has it."""

_TOKEN = re.compile(
    r"""(?P<string>'(?:[^']|'')*')
    | (?P<quoted>"(?:[^"]|"")*")
    | (?P<operator><=|>=|!=|=|<|>)
    | (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
    | (?P<word>[^\W\d][\w./:-]*)""",
    re.VERBOSE,
)


class _Token(NamedTuple):
    kind: str
    text: str
    place: int


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison; `kind` is None where the name was bare."""

    kind: Kind | None
    name: str
    operator: str
    value: float | str | bool
    place: int


_WHEN_OPENED: Final = " ".join(f"WHEN '{name}' THEN nullif(opened({name}), '')" for name in OPENED)


def versions_where(projection: Projection, expression: str, opener: Opener | None = None) -> list[VersionRef]:
    """The versions, in the order of model and number, for which every comparison holds.

        expression = comparison { "and" comparison }
        comparison = name ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) value
        name       = [ "metric." | "param." | "note." | "version." ] ( word | "quoted" )
        value      = number | 'string' | true | false

    A word begins with a letter and goes on with letters, digits and ``_ . / : -``; a quote within quotes is doubled.
    A bare name is looked for among metrics, hyperparameters and notes, and only one kind may have it; where none has it
    it may be `actor`, `message`, `description`, `branch` or `run` of the version, the first three as they are opened.
    What was forgotten, or is not open without an `opener`, is nothing. A metric is what
    `show` has under that name: `f1` the version's own, `test/f1` that of the evaluation called test. It is compared
    with numbers; NaN is only `!=`.
    A version that has nothing under the name fits no comparison, not even `!=`. Strings are ordered by code point.
    Raises `Malformed` pointing at the place, also at a name that no version has.
    """
    conditions = parsed(expression)
    with projection.reading() as cursor, _opening(cursor, expression, opener):
        clauses: list[str] = []
        params: list[float | str | bool] = []
        for condition in conditions:
            kind = condition.kind or _kind_of(condition, expression, cursor)
            test, values = _test(condition, kind, expression)
            known = _VALUES[kind].replace("{opened}", _WHEN_OPENED if condition.name in OPENED else "")
            clauses.append(f"SELECT model, version FROM ({known}) WHERE {test}")
            params += (condition.name, *values)
        matches = cursor.execute(" INTERSECT ".join(clauses) + " ORDER BY model, version", params).fetchall()
        for condition in () if matches else conditions:
            _kind_of(condition, expression, cursor)
    return [VersionRef(*each) for each in matches]


def needs_keys(expression: str) -> bool:
    """Whether an expression may ask for what is sealed."""
    return any(name in expression for name in OPENED)


def _opening(cursor: DuckDBPyConnection, expression: str, opener: Opener | None) -> AbstractContextManager[None]:
    return opening(cursor, opener or Opener(dict)) if needs_keys(expression) else nullcontext()


def parsed(expression: str) -> tuple[Condition, ...]:
    """The comparisons of an expression, or `Malformed` pointing at the place."""
    tokens = _tokens(expression)
    conditions = [_condition(tokens, expression)]
    while (token := next(tokens)).kind != "end":
        if len(conditions) == MOST:
            raise _malformed(expression, token.place, f"an expression compares {MOST} times at most")
        if token.text.lower() != "and":
            raise _malformed(expression, token.place, f"expected `and` or the end, found {token.text!r}")
        conditions.append(_condition(tokens, expression))
    return tuple(conditions)


def _tokens(expression: str) -> Iterator[_Token]:
    place = 0
    while rest := expression[place:].lstrip():
        place = len(expression) - len(rest)
        match = _TOKEN.match(expression, place)
        if match is None:
            what = f"no name, comparison or value begins with {expression[place]!r}"
            raise _malformed(expression, place, f'{what}; quote a name that holds it, as in metric."AR@100"')
        yield _Token(str(match.lastgroup), match[0], place)
        place = match.end()
    while True:
        yield _Token("end", "the end", len(expression))


def _condition(tokens: Iterator[_Token], expression: str) -> Condition:
    first = next(tokens)
    kind, name = _name(first, tokens, expression)
    operator = next(tokens)
    if operator.kind != "operator":
        raise _malformed(expression, operator.place, f"expected one of = != < <= > >=, found {operator.text!r}")
    return Condition(kind, name, operator.text, _value(next(tokens), expression), first.place)


def _name(first: _Token, tokens: Iterator[_Token], expression: str) -> tuple[Kind | None, str]:
    if first.kind == "quoted":
        return None, _unquoted(first.text)
    if first.kind != "word" or first.text.lower() == "and":
        raise _malformed(expression, first.place, f"expected a name, found {first.text!r}")
    for kind in _VALUES:
        if first.text == f"{kind}.":
            name = next(tokens)
            if name.kind != "quoted":
                raise _malformed(expression, name.place, f"expected a name after {kind}., found {name.text!r}")
            return kind, _unquoted(name.text)
        if first.text.startswith(f"{kind}."):
            return kind, first.text[len(kind) + 1 :]
    return None, first.text


def _value(token: _Token, expression: str) -> float | str | bool:
    match token.kind, token.text.lower():
        case "number", text:
            return float(text)
        case "string", _:
            return _unquoted(token.text)
        case "word", "true" | "false" as text:
            return text == "true"
        case _:
            raise _malformed(
                expression, token.place, f"expected a number, a 'string', true or false, found {token.text!r}"
            )


def _unquoted(text: str) -> str:
    return text[1:-1].replace(text[0] * 2, text[0])


def _kind_of(condition: Condition, expression: str, cursor: DuckDBPyConnection) -> Kind:
    """The kind that was said, or the one kind that has a bare name. Raises `Malformed` where no version has it."""
    kinds: list[Kind] = []
    candidates: tuple[tuple[Kind, ...], ...] = ((condition.kind,),) if condition.kind else _BARE
    for wanted in candidates:
        kinds = [kind for kind in wanted if cursor.execute(_exists(kind), [condition.name]).fetchall()[0][0]]
        if len(kinds) == 1:
            return kinds[0]
        if kinds:
            break
    if kinds:
        said = f"{' and '.join(f'{kind}.{condition.name}' for kind in kinds)} both exist; say which"
    else:
        what = condition.kind or "metric, param or note"
        said = f"no {what} is called {condition.name!r}{_near(condition.name, sum(candidates, ()), cursor)}"
    raise _malformed(expression, condition.place, said)


def _exists(kind: Kind) -> str:
    """Whether any version has a name of a kind, as a question."""
    some = f"FROM ({_NAMES[kind]}) WHERE name = ?" if kind == "version" else f"{_VALUES[kind]} LIMIT 1"
    return f"SELECT EXISTS ({some})"


def _near(name: str, kinds: tuple[Kind, ...], cursor: DuckDBPyConnection) -> str:
    """The names that look like one, as advice; nothing where none does."""
    plural, _, rest = name.partition(".")
    if rest and plural.removesuffix("s") in kinds:
        return f"; did you mean {plural.removesuffix('s')}.{rest}?"
    named = cursor.execute(" UNION ".join(_NAMES[kind] for kind in kinds)).fetchall()
    near = get_close_matches(name, [known for (known,) in named])
    return f"; did you mean {' or '.join(near)}?" if near else ""


def _test(condition: Condition, kind: Kind, expression: str) -> tuple[str, list[float | str]]:
    """The comparison as SQL over the columns number, value and kind, with its parameters."""
    operator, value = condition.operator, condition.value
    if kind == "metric" and (isinstance(value, (bool, str))):
        raise _malformed(
            expression, condition.place, f"metric {condition.name!r} is compared with a number, not {value!r}"
        )
    if isinstance(value, bool) and operator not in ("=", "!="):
        raise _malformed(expression, condition.place, f"{str(value).lower()} is only compared by = and !=")
    if operator == "!=":
        same, params = _test(Condition(kind, condition.name, "=", value, condition.place), kind, expression)
        return f"NOT coalesce({same}, false)", params
    if isinstance(value, bool):
        return "kind = 'boolean' AND value = ?", [str(value).lower()]
    if isinstance(value, str):
        return f"kind = 'string' AND value {operator} ?", [value]
    return f"number {operator} ? AND NOT isnan(number)", [value]


def _malformed(expression: str, place: int, what: str) -> Malformed:
    shown = expression if len(expression) <= _LONGEST else f"{expression[:_LONGEST]}…"
    return Malformed(f"in {shown!r} at character {place + 1}: {what}")
