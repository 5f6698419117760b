"""Answers of queries as their readers see them: sealed text opened, pseudonyms as names."""

# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, get_args

from ..domain.commands import AnyCommand
from ..errors import Unavailable
from ..events.actor import FORGOTTEN, SEALED, Actor
from ..projections.queries.opening import PSEUDONYM, SEALED_TEXT, Opener, is_json

if TYPE_CHECKING:
    import pyarrow as pa

_FREE_TEXT: Final = frozenset(name for kind in get_args(AnyCommand) for name in kind.free_text)
"""What columns and fields are called that hold sealed text and nothing else."""
_OWN: Final = "value"
"""The column of a view that holds what users noted, as they did."""
_WHO: Final = "actor"
"""The column of a view that holds pseudonyms and nothing else."""

log = logging.getLogger("lepton")


def unsealed(table: pa.Table, actors: Callable[[], Mapping[str, Actor]]) -> pa.Table:
    """An answer with what its reader may see; actors are asked for where anything in it is sealed or a pseudonym.

    What nobody's key opens any more is `[forgotten]`, as a name is in a column `actor`. Where the actors are away the
    answer is as it is stored, which is said in the log.
    """
    unsealer = _Unsealer(actors)
    try:
        columns = [unsealer.column(name, table.column(place)) for place, name in enumerate(table.column_names)]
    except Unavailable as error:
        log.warning("names and texts are shown as they are stored, for %s", error)
        return table
    return type(table).from_arrays(columns, schema=table.schema)


class _Unsealer:
    """Shows the values of an answer with what is sealed in them opened."""

    def __init__(self, actors: Callable[[], Mapping[str, Actor]]) -> None:
        self._opener = Opener(actors)

    def column(self, name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
        """A column of the answer, of the same type."""
        import pyarrow as pa

        if not _holds_text(column.type) or name.lower() == _OWN:
            return column
        where = name.lower()
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            values = column.unique().to_pylist()
            shown = {value: self.text(value, where) for value in values if value}
            if all(value == words for value, words in shown.items()):
                return column
        try:
            stored = column.to_pylist()
        except (pa.ArrowException, ValueError, OverflowError):  # times that Python has none for
            return column
        values = [self.value(value, where) for value in stored]
        if values == stored:
            return column
        try:
            return pa.chunked_array([pa.array(values, column.type)], column.type)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):  # unions, numbers of 128 bits
            return column

    def value(self, value: Any, where: str) -> Any:
        """A value of any kind, at any depth, under a name."""
        if isinstance(value, str):
            return self.text(value, where)
        if isinstance(value, dict):
            return {name: self.value(each, name) for name, each in value.items()}
        if isinstance(value, list | tuple):  # a map's entries are pairs
            return type(value)(self.value(each, where) for each in value)
        return value

    def text(self, text: str, where: str) -> str:
        """A text: a pseudonym's name, a sealed text's words, else with the sealed texts within it opened.

        What no key opens was forgotten where only sealed text stands; elsewhere it may be anything.
        """
        if PSEUDONYM.fullmatch(text):
            actor = self._opener.actors.get(text)
            return actor.name if actor else FORGOTTEN if where == _WHO else text
        if SEALED not in text:
            return text
        if SEALED_TEXT.fullmatch(text):
            words = self._opener.words(text)
            return words if words is not None else FORGOTTEN if where in _FREE_TEXT else text
        return self._opener.within(text, FORGOTTEN if is_json(text) else None)


def _holds_text(kind: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_nested(kind):
        return any(_holds_text(kind.field(place).type) for place in range(kind.num_fields))
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)
