"""The search for versions by what is known of them: an expression, answered as parameterised SQL."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, NamedTuple

from ...domain.expressions.parsing import malformed, parsed
from ...domain.expressions.tree import (
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
    names,
    written,
)
from ...results import VersionRef
from ..projector import Projection
from .opening import Opener, opening

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

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

_WHEN_OPENED: Final = " ".join(f"WHEN '{name}' THEN nullif(opened({name}), '')" for name in OPENED)


_TURNED: Final = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
"""The comparison of the same two, the other one first."""


class _Question(NamedTuple):
    """Some SQL for versions, and its parameters."""

    sql: str
    params: tuple[float | str | bool | list[str] | None, ...] = ()


class Newest(NamedTuple):
    """A page of what is searched for: the newest of a model, of those committed on a branch, of numbers below `before`,
    at most so many."""

    model: str
    most: int
    branch: str | None = None
    before: int | None = None
    as_of: int | None = None
    models: list[str] | None = None
    """The only ones whose names are known to who asks; None for all."""

    def of(self, question: _Question) -> _Question:
        """The page of what a question finds."""
        sql = f"""SELECT model, version FROM ({question.sql}) WHERE model = ? AND (? IS NULL OR version < ?) AND
            (? IS NULL OR version IN (SELECT version FROM versions WHERE model = ? AND branch = ?))
            ORDER BY version DESC LIMIT ?"""
        given = (self.model, self.before, self.before, self.branch, self.model, self.branch, self.most)
        return _Question(sql, (*question.params, *given))


class Following(NamedTuple):
    """A page of what is searched for in the order of model and number: behind one version, of some models or of all,
    as the log stood at event `as_of`."""

    as_of: int
    most: int
    model: str = ""
    version: int = 0
    models: list[str] | None = None

    def of(self, question: _Question) -> _Question:
        """The page of what a question finds."""
        sql = f"""SELECT model, version FROM ({question.sql}) WHERE (model > ? OR model = ? AND version > ?) AND
            (?::VARCHAR[] IS NULL OR list_contains(?::VARCHAR[], model)) ORDER BY model, version LIMIT ?"""
        given = (self.model, self.model, self.version, self.models, self.models, self.most)
        return _Question(sql, (*question.params, *given))


Page = Newest | Following


def versions_where(
    projection: Projection, expression: str, opener: Opener | None = None, page: Page | None = None
) -> list[VersionRef]:
    """The versions, in the order of model and number, for which an expression of docs/expressions.md holds; of a `page`
    alone, in its order, where one is asked for.

    A bare name is looked for among metrics, hyperparameters and notes, and only one kind may have it; where none has it
    it may be `actor`, `message`, `description`, `branch` or `run` of the version, the first three as they are opened.
    What was forgotten, or is not open without an `opener`, is nothing. A metric is what
    `show` has under that name: `f1` the version's own, `test/f1` that of the evaluation called test. It is compared
    with numbers; NaN is only `!=`.
    A version that has nothing under a name fits no comparison with it, not even `!=`, nor what `not` makes of one.
    Strings are ordered by code point; two names are compared as numbers.
    Raises `Malformed` pointing at the place, also at a name that no version has.
    """
    tree, models = parsed(expression, sides=()), None if page is None else page.models
    with projection.reading() as cursor, _opening(cursor, expression, opener):
        if page is not None and page.as_of is not None:
            cursor.execute("SET VARIABLE as_of = ?::UBIGINT", [page.as_of])
        kinds: dict[Reference, Kind] = {
            name: name.kind or _kind_of(name, expression, cursor, models) for name in names(tree)
        }
        question = _Search(expression, kinds).where(tree, holds=True)
        found = (
            page.of(question)
            if page is not None
            else _Question(f"{question.sql} ORDER BY model, version", question.params)
        )
        matches = cursor.execute(*found).fetchall()
        for name in kinds if not matches or _any_suffices(tree) else ():
            _kind_of(name, expression, cursor, models)
    return [VersionRef(*each) for each in matches]


def needs_keys(expression: str) -> bool:
    """Whether an expression may ask for what is sealed."""
    return any(name in expression for name in OPENED)


def _opening(cursor: DuckDBPyConnection, expression: str, opener: Opener | None) -> AbstractContextManager[None]:
    return opening(cursor, opener or Opener(dict)) if needs_keys(expression) else nullcontext()


def _any_suffices(tree: Condition) -> bool:
    """Whether a version may match that lacks one of the names."""
    match tree:
        case Junction(operator="or"):
            return True
        case Junction(parts=parts):
            return any(map(_any_suffices, parts))
        case Not():
            return True
        case Relation():
            return False


class _Search:
    """One expression as SQL; the kinds of its names are known."""

    def __init__(self, expression: str, kinds: Mapping[Reference, Kind]) -> None:
        self._expression, self._kinds = expression, kinds

    def where(self, tree: Condition, *, holds: bool) -> _Question:
        """The versions for which a condition holds, or is known not to."""
        match tree:
            case Not(of=part):
                return self.where(part, holds=not holds)
            case Junction(operator=operator, parts=parts):
                each = [self.where(part, holds=holds) for part in parts]
                joined = " INTERSECT " if (operator == "and") is holds else " UNION "
                return _Question(joined.join(f"({sql})" for sql, _ in each), _params(each))
            case Relation(operator=operator, left=Reference() as name, right=Constant(value=value)):
                return self._compared(name, operator, value, holds=holds)
            case Relation(operator=operator, left=Constant(value=value), right=Reference() as name):
                return self._compared(name, _TURNED[operator], value, holds=holds)
            case Relation():
                return self._reckoned(tree, holds=holds)

    def _compared(self, name: Reference, operator: str, value: float | str | bool, *, holds: bool) -> _Question:
        """The versions that have something under a name which compares so with a value, or does not."""
        known, params = self._known(name)
        test, values = self._test(name, operator, value)
        if not holds:
            test = f"NOT coalesce({test}, false)"
        return _Question(f"SELECT model, version FROM ({known}) WHERE {test}", (*params, *values))

    def _known(self, name: Reference) -> _Question:
        """What versions have under a name."""
        when = _WHEN_OPENED if name.name in OPENED else ""
        return _Question(_VALUES[self._kinds[name]].replace("{opened}", when), (name.name,))

    def _test(self, name: Reference, operator: str, value: float | str | bool) -> _Question:
        """The comparison as SQL over the columns number, value and kind."""
        if self._kinds[name] == "metric" and isinstance(value, bool | str):
            what = f"metric {name.name!r} is compared with a number, not {value!r}"
            raise malformed(self._expression, name.place, what)
        if isinstance(value, bool) and operator not in ("=", "!="):
            what = f"{str(value).lower()} is only compared by = and !="
            raise malformed(self._expression, name.place, what)
        if operator == "!=":
            same, params = self._test(name, "=", value)
            return _Question(f"NOT coalesce({same}, false)", params)
        if isinstance(value, bool):
            return _Question("kind = 'boolean' AND value = ?", (str(value).lower(),))
        if isinstance(value, str):
            return _Question(f"kind = 'string' AND value {operator} ?", (value,))
        return _Question(f"number {operator} ? AND NOT isnan(number)", (value,))

    def _reckoned(self, relation: Relation, *, holds: bool) -> _Question:
        """The versions that have numbers under all names of a comparison, and for which it holds or does not."""
        known = {name: self._known(name) for name in names(relation)}
        columns = {name: f"n{place}.number" for place, name in enumerate(known)}
        sides = [self._number(side, columns) for side in (relation.left, relation.right)]
        tables = (f"({sql}) AS n{place}" for place, (sql, _) in enumerate(known.values()))
        numbers = (
            f"SELECT model, version, {sides[0].sql} AS one, {sides[1].sql} AS other "
            f"FROM {' JOIN '.join(_using(tables))}"
        )
        test = f"one {'=' if relation.operator == '!=' else relation.operator} other"
        test = f"({test} AND NOT isnan(one) AND NOT isnan(other))"
        if (relation.operator == "!=") is holds:
            test = f"NOT {test}"
        return _Question(f"SELECT model, version FROM ({numbers}) WHERE {test}", _params((*sides, *known.values())))

    def _number(self, quantity: Quantity, columns: Mapping[Reference, str]) -> _Question:
        """A quantity as SQL over columns of numbers: NULL where there is none."""
        match quantity:
            case Reference():
                if self._kinds[quantity] == "version":
                    raise malformed(self._expression, quantity.place, f"{written(quantity)} is no number")
                return _Question(columns[quantity])
            case Constant(value=value):
                if isinstance(value, str | bool):
                    what = f"{written(quantity)} is compared with one name alone"
                    raise malformed(self._expression, quantity.place, what)
                return _Question("?::DOUBLE", (value,))
            case Negative(of=part):
                sql, params = self._number(part, columns)
                return _Question(f"(-{sql})", params)
            case Arithmetic(operator=operator, left=left, right=right):
                one, other = self._number(left, columns), self._number(right, columns)
                second = f"nullif({other.sql}, 0)" if operator == "/" else other.sql
                return _Question(f"({one.sql} {operator} {second})", _params((one, other)))


def _params(questions: Iterable[_Question]) -> tuple[float | str | bool | list[str] | None, ...]:
    return tuple(value for _, params in questions for value in params)


def _using(tables: Iterable[str]) -> list[str]:
    """Tables to be joined by version."""
    return [table if place == 0 else f"{table} USING (model, version)" for place, table in enumerate(tables)]


def _kind_of(name: Reference, expression: str, cursor: DuckDBPyConnection, models: list[str] | None) -> Kind:
    """The kind that was said, or the one kind that has a bare name. Raises `Malformed` where no version has it.

    Who may read some `models` alone does not learn what others have.
    """
    kinds: list[Kind] = []
    candidates: Sequence[Sequence[Kind]] = ((name.kind,),) if name.kind else _BARE
    for wanted in candidates:
        kinds = [kind for kind in wanted if _exists(kind, name.name, cursor, models)]
        if len(kinds) == 1:
            return kinds[0]
        if kinds:
            break
    if kinds:
        said = f"{' and '.join(f'{kind}.{name.name}' for kind in kinds)} both exist; say which"
    else:
        what = name.kind or "metric, param or note"
        near = (
            "" if models is not None else _near(name.name, [kind for wanted in candidates for kind in wanted], cursor)
        )
        said = f"no {what} is called {name.name!r}{near}"
    raise malformed(expression, name.place, said)


def _exists(kind: Kind, name: str, cursor: DuckDBPyConnection, models: list[str] | None) -> bool:
    """Whether any version has a name of a kind, of these models or of all."""
    some, given = f"FROM ({_NAMES[kind]}) WHERE name = ?" if kind == "version" else f"{_VALUES[kind]} LIMIT 1", [name]
    if models is not None and kind != "version":
        some, given = f"FROM ({_VALUES[kind]}) WHERE list_contains(?::VARCHAR[], model)", [name, models]
    return bool(cursor.execute(f"SELECT EXISTS ({some})", given).fetchall()[0][0])


def _near(name: str, kinds: Sequence[Kind], cursor: DuckDBPyConnection) -> str:
    """What may have been meant by a name that nothing has, as advice; nothing where that cannot be told."""
    plural, _, rest = name.partition(".")
    if rest and plural in SIDES:
        return f"; a search looks at each version alone, and {plural}. is for gates"
    if rest and plural.removesuffix("s") in kinds:
        return f"; did you mean {plural.removesuffix('s')}.{rest}?"
    named = {known for (known,) in cursor.execute(" UNION ".join(_NAMES[kind] for kind in kinds)).fetchall()}
    if any(name[: sign.start()] in named for sign in re.finditer("[-/]", name)):
        return "; put spaces around - and / to subtract and to divide"
    near = get_close_matches(name, named)
    return f"; did you mean {' or '.join(near)}?" if near else ""
