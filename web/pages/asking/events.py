"""The audit trail: who did what, when, why, with which model; and all of one event."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final, cast

from ....errors import Malformed, Refused, UnknownRevision
from ....events.actor import FORGOTTEN
from ....events.catalogue import CATALOGUE
from ....events.upcast import UPCASTERS
from ....projections.queries.client import Question
from ....versions.access.trail import TrailFilter, bound, trail
from ....versions.feed import check_stream, check_types, heard
from ..page import PageRoutes, PageView, Visit
from .sentences import sentence, stem

if TYPE_CHECKING:
    from ....events.actor import Actor
    from ....events.log import Row
    from ....versions.workspace import Workspace

pages = PageRoutes()

SHOWN: Final = 50
"""Events of a page."""
MOST: Final = 1_000
"""Of one whose address asks for more."""
_SECONDS: Final = 20.0
_BESIDE: Final = 20
"""Events on either side among which those of the same command are looked for."""
_LAST: Final = 999_999_999
"""The last event's number that an address may have."""
STORED: Final = tuple(
    f"lepton.{each}.v1"
    for each in ("pack.written", "pack.repacked", "manifest.written", "objects.condemned", "delta.recorded")
)
"""What is written beside a save, of no interest to most: left out unless it is asked for, and the page says so."""
_TYPES: Final = sorted({*CATALOGUE, *UPCASTERS})


@dataclass(frozen=True)
class Happening:
    """An event as its readers see it."""

    event: Mapping[str, Any]
    actors: Mapping[str, Actor]
    model: str | None
    """The model that it is about."""

    @property
    def seq(self) -> int:
        return int(self.event["sequence"])

    @property
    def time(self) -> datetime:
        return datetime.fromisoformat(self.event.get("clocktime") or self.event["recordedtime"])

    @property
    def actor(self) -> str:
        known = self.actors.get(self.event["authid"])
        return known.name if known else FORGOTTEN

    @property
    def data(self) -> Mapping[str, Any]:
        return self.event["data"]

    @property
    def fields(self) -> Mapping[str, Any]:
        """Its data, with the name of whoever it is about."""
        owner = self.actors.get(self.data.get("owner", "")) if self.subject[0] == "token" else None
        return {**self.data, "owner": owner.name} if owner else self.data

    @property
    def kind(self) -> str:
        return stem(self.event["type"])

    @property
    def subject(self) -> tuple[str, str]:
        """What sort of thing it happened to, and its name."""
        sort, _, name = self.event["subject"].partition("/")
        return sort, name

    @property
    def words(self) -> str:
        return sentence(self.event["type"], self.data)

    @property
    def reason(self) -> str:
        """What was said with it, opened."""
        said = (self.data.get(name) for name in ("reason", "message", "description"))
        return next((words for words in said if isinstance(words, str) and words), "")

    @property
    def version(self) -> int | None:
        """The version that it is about, of its model."""
        numbers = (self.data.get(name) for name in ("version", "to_version"))
        named = self.model is not None and self.subject[0] != "suite"
        return next((each for each in numbers if isinstance(each, int)), None) if named else None

    def to_dict(self) -> dict[str, Any]:
        return {**self.event, "actor": self.actor, "words": self.words, "model": self.model}


class EventReader:
    """The log as whoever asks for a page may read it."""

    def __init__(self, page: Visit) -> None:
        self._page = page
        self.workspace = page.workspace
        self._models: dict[str, str | None] = {}

    @cached_property
    def actors(self) -> Mapping[str, Actor]:
        return self.workspace.actors.all()

    def ask(self, sql: str, params: Any) -> Any:
        """Ask the views, as of the page's moment."""
        at = None if self._page.at is None else self._page.end
        return self._page.home.read_model().sql(Question(sql, params, at, _SECONDS), None)  # pyright: ignore

    def told(self, events: Sequence[Mapping[str, Any]]) -> list[Happening]:
        """Events with the models that they are about."""
        return [Happening(each, self.actors, self._model(each)) for each in events]

    def _model(self, event: Mapping[str, Any]) -> str | None:
        stream: str = event["subject"]
        sort, _, name = stream.partition("/")
        if sort == "model":
            return name
        if sort in ("run", "job"):
            if stream not in self._models:
                self._models[stream] = cast(Any, self.workspace.ledger.state(stream)).model or None
            return self._models[stream]
        return event["data"].get("model")

    def row(self, seq: int) -> Row:
        """One event as it is stored. Raises `UnknownRevision` where there is none, or it may not be read."""
        row = next(iter(self.workspace.ledger.store.read(seq - 1, 1)), None)
        if row is None or row.seq != seq or not self.heard([row]):
            raise UnknownRevision(f"there is no event {seq} that you may read; the events' own page lists them")
        return row

    def heard(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """Rows as dictionaries, those that may be read."""
        return list(heard(self.workspace, rows, self.actors))


@pages.page("/events", "events")
def events(page: Visit) -> PageView:
    """The audit trail, newest first, by what is asked for."""
    typed = {name: page.asked(name).strip() for name in ("model", "stream", "type", "actor", "from", "to")}
    most = page.number("most", SHOWN, MOST)
    before = page.number("before", 1, _LAST) if page.asked("before") else _LAST
    reader = EventReader(page)
    reader.workspace.rights.check("read")
    left_out = () if page.asked("all") == "1" or typed["type"] or typed["stream"] else STORED
    data: dict[str, Any] = {"left_out": left_out}
    data |= {"typed": typed, "kinds": _kinds(), "models": reader.workspace.models(), "filtered": any(typed.values())}
    try:
        wanted = _wanted(reader.workspace, typed, left_out)
        found = trail(reader.workspace, reader.ask, wanted, before, most)
    except (Malformed, UnknownRevision) as error:
        status = 404 if isinstance(error, UnknownRevision) else 400
        return PageView({**data, "rows": [], "before": None, "sentence": error.fact}, status=status, error=error)
    rows = reader.told(found.events)
    told = {"events": [each.to_dict() for each in rows], "before": found.before, "left_out": left_out}
    return PageView({**data, "rows": rows, "before": found.before, "sentence": ""}, told)


@pages.page("/events/{seq}", "event")
def event(page: Visit, seq: str) -> PageView:
    """All of one event."""
    if not (seq.isascii() and seq.isdecimal() and len(seq) < 10 and int(seq)):
        raise Malformed(f"{seq[:40]!r} is no event's number; give a whole number from 1")
    reader = EventReader(page)
    row = reader.row(int(seq))
    (shown,) = reader.told(reader.heard([row]))
    stored = json.loads(row.envelope)
    together = [each for each in _around(reader, row) if each.event["commandid"] == stored["commandid"]]
    data = {
        "event": shown,
        "fields": [pair for pair in shown.fields.items() if pair[1] not in (None, "", [], {})],
        "leaf": f"sha256:{row.leaf.hex()}",
        "stored": row.envelope.decode() if _shows_all(shown, stored) else None,
        "together": [each for each in together if each.seq != shown.seq],
        "cause": _cause(reader, stored.get("causationid")),
    }
    return PageView(data, {**shown.to_dict(), "leaf": data["leaf"], "cause": data["cause"]})


def _wanted(workspace: Workspace, typed: Mapping[str, str], left_out: tuple[str, ...]) -> TrailFilter:
    check_stream(workspace, typed["stream"] or None)
    return TrailFilter(
        model=typed["model"] or None,
        stream=typed["stream"] or None,
        types=_types(typed["type"]),
        without=left_out,
        actor=typed["actor"] or None,
        since=bound(typed["from"], ends=False),
        until=bound(typed["to"], ends=True),
    )


def _types(words: str) -> tuple[str, ...]:
    """The types that are meant: one in full, `alias.moved` in any of its versions, or all of `alias`."""
    if not words:
        return ()
    short = tuple(each for each in _TYPES if words in (stem(each), stem(each).partition(".")[0]))
    if not short:
        check_types([words])
    return short or (words,)


@cache
def _kinds() -> dict[str, list[str]]:
    """Types as they may be chosen, by what they happen to."""
    kinds: dict[str, list[str]] = {}
    for each in dict.fromkeys(map(stem, _TYPES)):
        kinds.setdefault(each.partition(".")[0], []).append(each)
    return kinds


def _around(reader: EventReader, row: Row) -> list[Happening]:
    first = max(0, row.seq - 1 - _BESIDE)
    return reader.told(reader.heard(reader.workspace.ledger.store.read(first, row.seq - first + _BESIDE)))


def _shows_all(shown: Happening, stored: Mapping[str, Any]) -> bool:
    """Whether the stored bytes say nothing beyond what its reader may see: parents may be of hidden models."""
    return shown.data.get("parents") == stored["data"].get("parents")


def _cause(reader: EventReader, id: str | None) -> int | None:
    """The event that caused it, where it may be read."""
    if id is None:
        return None
    found = reader.ask("SELECT seq FROM events WHERE id = ?", [id]).column("seq").to_pylist()
    try:
        return reader.row(int(found[0])).seq if found else None
    except Refused:
        return None
