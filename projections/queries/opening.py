"""Opening: what the log keeps sealed, compared by what it says, in the queries of those who hold the keys."""

# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol

import uuid_utils

from ...events.actor import FORGOTTEN, SEALED, Actor

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NAME: Final = "opened"
"""What the function is called in a query."""
SEALED_TEXT: Final = re.compile(rf"{re.escape(SEALED)}(?:(?!{re.escape(SEALED)})[A-Za-z0-9_-]){{38,}}={{0,2}}")
"""A sealed text: at least nonce and tag, in base64."""
HIDDEN: Final = f"{NAME}_"
"""How the names begin of what stands behind it for one question each: no query may call one, whoever asks."""
PSEUDONYM: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
"""A random UUID, as actors get one."""
_CALL: Final = re.compile(rf"\b{NAME}\s*\(", re.IGNORECASE)


class Opens(Protocol):
    """Whoever can say what sealed texts say."""

    def opened_all(self, texts: Sequence[str | None]) -> Mapping[str | None, str | None]:
        """What each of some texts says; see `Opener.opened`."""
        ...


class Opener:
    """Opens texts with whichever key fits, the last one that did first; the actors are asked for when one is needed."""

    def __init__(self, actors: Callable[[], Mapping[str, Actor]]) -> None:
        self._ask = actors
        self._words: dict[str, str | None] = {}

    @cached_property
    def actors(self) -> Mapping[str, Actor]:
        """Everybody who is not forgotten, by id."""
        return self._ask()

    @cached_property
    def _keys(self) -> list[Actor]:
        return list(self.actors.values())

    def words(self, sealed: str) -> str | None:
        """What a sealed text says; None where no key opens it any more."""
        if sealed not in self._words:
            self._words[sealed] = self._tried(sealed)
        return self._words[sealed]

    def opened_all(self, texts: Sequence[str | None]) -> Mapping[str | None, str | None]:
        """As `opened`, of many; null and empty text are what they are."""
        return {text: text and self.opened(text) for text in texts}

    def opened(self, text: str) -> str | None:
        """A pseudonym's name, a sealed text's words, else the text with the sealed ones within it opened.

        None for what was forgotten: it equals nothing, not even another forgotten one.
        """
        if PSEUDONYM.fullmatch(text):
            actor = self.actors.get(text)
            return actor and actor.name
        if SEALED_TEXT.fullmatch(text):
            return self.words(text)
        return self.within(text, FORGOTTEN) if SEALED in text else text

    def within(self, text: str, otherwise: str | None) -> str:
        """A text with the sealed ones in it opened; what no key opens as `otherwise`, or as it is."""
        quoted = is_json(text)

        def shown(match: re.Match[str]) -> str:
            words = self.words(match[0])
            words = (match[0] if otherwise is None else otherwise) if words is None else words
            return json.dumps(words, ensure_ascii=False)[1:-1] if quoted else words

        return SEALED_TEXT.sub(shown, text)

    def to_list(self) -> list[list[str]]:
        """The actors as JSON: for a projector of the same home, whose users may read the keys, and for nobody else."""
        return [[each.id, each.name, b64encode(each.key).decode()] for each in self._keys]

    def _tried(self, sealed: str) -> str | None:
        for place, actor in enumerate(self._keys):
            if (words := actor.unsealed(sealed)) is not None:
                self._keys.insert(0, self._keys.pop(place))
                return words
        return None


def opener_of(actors: Sequence[Sequence[str]] | None) -> Opener | None:
    """The opener that `to_list` told of."""
    if actors is None:
        return None
    known = {id: Actor(id, name, b64decode(key)) for id, name, key in actors}
    return Opener(lambda: known)


def opens(sql: str) -> bool:
    """Whether a query may call the function."""
    return bool(_CALL.search(sql))


def is_closed(text: str | None) -> bool:
    """Whether what a text says may be another than itself."""
    return bool(text) and (SEALED in text or bool(PSEUDONYM.fullmatch(text)))


def is_json(text: str) -> bool:
    """Whether a text is a JSON document."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


@contextmanager
def opening(cursor: DuckDBPyConnection, opener: Opens) -> Generator[None]:
    """Have the function in a cursor's queries. It is in no file, and under no name that another question knows."""

    lent = [opener]

    def opened(texts: Any) -> Any:  # DuckDB evaluates what is written here
        import pyarrow as pa

        (each,) = lent
        known = each.opened_all(texts.unique().to_pylist())
        return pa.array([known[text] for text in texts.to_pylist()], pa.string())

    from ..instance import foreign

    name = f"{HIDDEN}{uuid_utils.uuid4().hex}"
    kinds: Any = {"type": "arrow", "null_handling": "special"}
    cursor.create_function(name, opened, ["VARCHAR"], "VARCHAR", **kinds)  # pyright: ignore[reportArgumentType]
    try:
        cursor.execute(f"CREATE OR REPLACE TEMP MACRO {NAME}(text) AS {name}(text::VARCHAR)")
        yield
    finally:
        lent.clear()  # whatever DuckDB holds on to, it is no key
        with suppress(*foreign()):
            cursor.execute("ROLLBACK")  # where one is open, or nothing can be removed
        with suppress(*foreign()):
            cursor.remove_function(name)
