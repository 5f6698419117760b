"""Asking the read model: by opening it, or beside a running projector over the socket in the home."""

# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeVar

from ...errors import Damaged, LockHeld, Refused, Unavailable
from ...results import VersionRef
from ...sent_errors import raised
from ..care import Checked, checked
from ..export import copied, snapshot
from ..projector import Projection
from ..translation import is_of_file
from .opening import Opener
from .query import Params, query
from .search import Page, versions_where
from .wire import BEAT, connected, peer, received, send

if TYPE_CHECKING:
    import pyarrow as pa

_FINDING: Final = 60.0
"""Seconds that a search may take."""
_CARE: Final = 86_400.0
"""Seconds that a rebuild may take; the projector says meanwhile that it is at work."""
_GRACE: Final = 10.0
_TURN: Final = 0.25
"""Seconds that the file of the views is waited for before it is seen whether a projector listens by now."""

T = TypeVar("T")


class Question(NamedTuple):
    """One SELECT, as of when it is asked, and what opens sealed values in it."""

    sql: str
    params: Params | None = None
    as_of: int | datetime | date | str | None = None
    timeout: float = 30.0
    opener: Opener | None = None

    def to_dict(self) -> dict[str, Any]:
        """The question as JSON, but for times in `params`: they are sent as text, which DuckDB reads as times."""
        params = None if self.params is None else (dict if isinstance(self.params, Mapping) else list)(self.params)
        at = self.as_of.isoformat() if isinstance(self.as_of, date) else self.as_of
        return {"sql": self.sql, "params": params, "as_of": at, "timeout": self.timeout}


class ReadModel(Protocol):
    """Whoever answers, having seen every event up to the end of the log, or up to the one waited for."""

    def sql(self, question: Question, wait_for: int | None) -> pa.Table:
        """The answer of one SELECT; see `query`."""
        ...

    def find(self, expression: str, opener: Opener | None = None, page: Page | None = None) -> list[VersionRef]:
        """The versions for which an expression holds, or a page of them; see `versions_where`."""
        ...

    def rebuild(self) -> int:
        """Build it anew from the first event: the position it reached."""
        ...

    def check(self) -> Checked:
        """Compare it with a rebuild."""
        ...

    def snapshot(self, to: Path) -> None:
        """Copy it to where no file is."""
        ...


class Here:
    """The read model, opened for one question and closed again."""

    def __init__(self, opened: Callable[[], Projection], deadline: float) -> None:
        self._opened = opened
        self._deadline = deadline

    def sql(self, question: Question, wait_for: int | None) -> pa.Table:
        with self._opened() as projection:
            projection.mended(lambda: projection.catch_up(wait_for=wait_for, deadline=self._deadline))
            return answer(projection, question)

    def find(self, expression: str, opener: Opener | None = None, page: Page | None = None) -> list[VersionRef]:
        with self._opened() as projection:
            projection.mended(projection.catch_up)
            return projection.mended(lambda: versions_where(projection, expression, opener, page))

    def rebuild(self) -> int:
        with self._opened() as projection:
            return projection.rebuild()

    def check(self) -> Checked:
        with self._opened() as projection:
            return checked(projection)

    def snapshot(self, to: Path) -> None:
        with self._opened() as projection:
            projection.mended(projection.catch_up)
            snapshot(projection, to)


class First:
    """The read model of a projector that listens beside us, or opened here: whichever is available first.

    A projector holds its file a little longer than it listens, so both are tried in turn. Raises `LockHeld` where
    neither is available within `wait` seconds.
    """

    def __init__(self, there: Callable[[], There | None], here: Callable[[float], Here], wait: float) -> None:
        self._there = there
        self._here = here
        self._wait = wait

    def sql(self, question: Question, wait_for: int | None) -> pa.Table:
        return self._first(lambda model: model.sql(question, wait_for))  # pyright: ignore[reportUnknownLambdaType]

    def find(self, expression: str, opener: Opener | None = None, page: Page | None = None) -> list[VersionRef]:
        return self._first(lambda model: model.find(expression, opener, page))

    def rebuild(self) -> int:
        return self._first(lambda model: model.rebuild())

    def check(self) -> Checked:
        return self._first(lambda model: model.check())

    def snapshot(self, to: Path) -> None:
        self._first(lambda model: model.snapshot(to))

    def check_alone(self) -> None:
        """Raise `LockHeld` where a projector keeps the views, which gives their file to nobody."""
        if self._there() is not None:
            raise LockHeld(
                "a projector keeps the views; stop it to make them anew from the topic, or have it make them anew from "
                "the database: `lepton rebuild`"
            )

    def _first(self, ask: Callable[[ReadModel], T]) -> T:
        end = time.monotonic() + self._wait
        while (there := self._there()) is None:
            left = max(0.0, end - time.monotonic())
            try:
                return ask(self._here(min(left, _TURN)))
            except LockHeld:
                if left <= _TURN:
                    raise
        return ask(there)


def answer(projection: Projection, question: Question) -> pa.Table:
    """The answer over a read model that is built anew where it turns out to be damaged.

    `Refused` where a query makes DuckDB itself fail, though the file is whole.
    """
    sql, params, as_of, timeout, opener = question

    def ask() -> pa.Table:
        return query(projection, sql, params, as_of=as_of, timeout=timeout, opener=opener)

    try:
        return projection.mended(ask)
    except Damaged as damage:
        if not is_of_file(damage):
            raise
        raise Refused("DuckDB itself fails on this query, though the views are whole; write it another way") from damage


class There:
    """The read model of a projector that runs beside us."""

    def __init__(self, path: Path, end: Callable[[], int], deadline: float) -> None:
        self._path = path
        self._end = end
        self._deadline = deadline

    def sql(self, question: Question, wait_for: int | None) -> pa.Table:
        import pyarrow as pa

        asked = question.to_dict() | _lent(question.opener)
        return pa.ipc.open_stream(self._answer(asked, wait_for, question.timeout)).read_all()

    def find(self, expression: str, opener: Opener | None = None, page: Page | None = None) -> list[VersionRef]:
        answer = self._answer(
            {"find": expression, "page": page and [type(page).__name__, *page]} | _lent(opener), None, _FINDING
        )
        return [VersionRef(*each) for each in json.loads(answer)]

    def rebuild(self) -> int:
        return json.loads(self._answer({"care": "rebuild"}, None, _CARE))

    def check(self) -> Checked:
        reply = json.loads(self._answer({"care": "check"}, None, _CARE))
        damage = reply["replaced"] and raised(reply["replaced"])
        return Checked(damage if isinstance(damage, Damaged) else None, reply["differences"])

    def snapshot(self, to: Path) -> None:
        place = self._path.parent / json.loads(self._answer({"care": "snapshot"}, None, _CARE))
        try:
            copied(place, to)
        finally:
            place.unlink(missing_ok=True)

    def _answer(self, question: Mapping[str, Any], wait_for: int | None, working: float) -> bytes:
        """Ask, and wait for what was committed before; raises what the projector raised.

        While it works on the answer it says so every second; one that is silent for as long as is waited for a lock is
        given up. `Unavailable` names its process.
        """
        seq = self._end() if wait_for is None else wait_for
        process = "unknown"
        try:
            # it says once a second that it is at work
            with closing(connected(self._path, self._deadline + 2 * BEAT)) as wire:
                process = str(peer(wire))
                # it may wait for the event, work on the answer, and then send it
                end = time.monotonic() + 2 * self._deadline + working + _GRACE
                send(wire, json.dumps({**question, "wait_for": seq, "deadline": self._deadline}, default=str).encode())
                while not (head := received(wire, end)):
                    pass
                reply, answer = json.loads(head), received(wire, end)
        except TimeoutError as error:
            raise Unavailable(
                f"the projector, process {process}, did not answer within {self._deadline:g} s; see whether it is "
                "stopped, end it, or ask again"
            ) from error
        except (OSError, ValueError) as error:
            raise Unavailable("the projector went away while it was asked; ask again") from error
        if "error" in reply:
            raise raised(reply)
        return answer


def _lent(opener: Opener | None) -> dict[str, Any]:
    """The keys that a projector is lent for one question: its socket is for those alone who may use the home."""
    return {} if opener is None else {"actors": opener.to_list()}
