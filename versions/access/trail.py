"""The audit trail: events that somebody may read, newest first, by what they are about, who did it, and when."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# (pyarrow ships no types)

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, NamedTuple

from ...events.actor import FORGOTTEN
from ...events.log import Row
from ...projections.queries.query import place
from ..feed import heard
from ..workspace import Workspace

LOOKED: Final = 4_000
"""Events that are looked at for a page, at most: there may be more behind them where few may be read."""

Ask = Callable[[str, Mapping[str, Any]], Any]
"""Asks the views, by SQL and its parameters, for an Arrow table."""

_OF_MODELS: Final = """(
    list_contains($models::VARCHAR[], CASE WHEN starts_with(stream, 'model/') THEN stream[7:] END)
    OR stream IN (SELECT 'run/' || run FROM runs WHERE list_contains($models::VARCHAR[], model))
    OR stream IN (SELECT 'job/' || job FROM jobs WHERE list_contains($models::VARCHAR[], model))
    OR stream IN (SELECT 'suite/' || suite FROM suites WHERE list_contains($models::VARCHAR[], model))
    OR stream IN (SELECT 'chain/' || chain FROM chain_steps WHERE list_contains($models::VARCHAR[], model))
    OR stream IN (SELECT 'study/' || study FROM studies WHERE list_contains($models::VARCHAR[], model))
    OR seq IN (SELECT seq FROM observations WHERE list_contains($models::VARCHAR[], model))
)"""
_OF_NO_MODEL: Final = "NOT regexp_matches(stream, '^(model|run|job|token|objects)(/|$)')"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailFilter:
    """Which events: of a model with its runs and jobs, of one stream, of some types, of one actor, in a span."""

    model: str | None = None
    stream: str | None = None
    types: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    """Types that are left out."""
    actor: str | None = None
    since: int | datetime | None = None
    """An event's number, or when it was recorded."""
    until: int | datetime | None = None


class TrailPage(NamedTuple):
    """Some events as dictionaries, newest first; `before` is where the next page begins, None where none follows."""

    events: list[dict[str, Any]]
    before: int | None


def trail(workspace: Workspace, ask: Ask, wanted: TrailFilter, before: int, most: int) -> TrailPage:
    """The newest events before event `before` that are wanted and may be read, `most` at most.

    Where few of those looked at may be read, a page may have fewer, and `before` for the search to go on.
    """
    question = _TrailQuestion(workspace, wanted)
    events, looked = list[dict[str, Any]](), 0
    while looked < LOOKED:
        some = most - len(events) + 1
        seqs = question.answered(ask, before, some)
        for event in _read(workspace, seqs):
            if len(events) == most:
                return TrailPage(events, int(events[-1]["sequence"]))
            events.append(event)
        if len(seqs) < some:
            return TrailPage(events, None)
        before, looked = seqs[-1], looked + len(seqs)
    return TrailPage(events, before)


def bound(words: str, *, ends: bool) -> int | datetime | None:
    """One end of a span, from its text: an event's number, a time in UTC, or a day, to whose end it goes where it
    `ends`. Raises `Malformed`."""
    match place(words) if words else None:
        case datetime() as moment:
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        case date() as day:
            midnight = datetime.combine(day, time(), UTC)
            return midnight + timedelta(days=1, microseconds=-1) if ends and day < date.max else midnight
        case seq:
            return seq


@dataclass(slots=True)
class _TrailQuestion:
    """What is asked of the view of events."""

    workspace: Workspace
    wanted: TrailFilter
    conditions: list[str] = field(default_factory=list[str])
    params: dict[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        wanted, rights = self.wanted, self.workspace.rights
        if wanted.model is not None:
            self._where(_OF_MODELS, models=[self.workspace.known_model(wanted.model).name])
        elif not rights.everywhere:
            self._where(f"({_OF_NO_MODEL} OR {_OF_MODELS})", models=self.workspace.models())
        if not rights.unlimited:
            self._where("NOT starts_with(stream, 'token/')")
        if wanted.stream is not None:
            self._where("stream = $stream", stream=wanted.stream)
        if wanted.types:
            self._where("list_contains($types::VARCHAR[], type)", types=list(wanted.types))
        if wanted.without:
            self._where("NOT list_contains($without::VARCHAR[], type)", without=list(wanted.without))
        if wanted.actor is not None:
            self._where("list_contains($actors::VARCHAR[], actor)", actors=_pseudonyms(self.workspace, wanted.actor))
        for end, sign in (("since", ">="), ("until", "<=")):
            self._within(end, sign, getattr(wanted, end))

    def _within(self, end: str, sign: str, bound: int | datetime | None) -> None:
        if isinstance(bound, datetime):
            self._where(f"recorded {sign} ${end}::TIMESTAMPTZ", **{end: bound.isoformat()})
        elif bound is not None:
            self._where(f"seq {sign} ${end}", **{end: bound})

    def _where(self, condition: str, **params: Any) -> None:
        self.conditions.append(condition)
        self.params |= params

    def answered(self, ask: Ask, before: int, most: int) -> list[int]:
        """The numbers of the events, newest first."""
        where = " AND ".join(["seq < $before", *self.conditions])
        sql = f"SELECT seq FROM events WHERE {where} ORDER BY seq DESC LIMIT {most:d}"
        return ask(sql, {**self.params, "before": before}).column("seq").to_pylist()


def _pseudonyms(workspace: Workspace, name: str) -> list[str]:
    """Those that events bear of somebody. Whoever was forgotten has no name."""
    return [actor.id for actor in workspace.actors.all().values() if actor.name == name != FORGOTTEN]


def _read(workspace: Workspace, seqs: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Events by their numbers, in their order, those that may be read."""
    actors = workspace.actors.all()
    for first, last in _spans(seqs):
        rows: Sequence[Row] = workspace.ledger.store.read(first - 1, last - first + 1)
        yield from heard(workspace, reversed(rows), actors)


def _spans(seqs: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Descending numbers as spans without holes, each read at once."""
    start = 0
    for at in range(1, len(seqs) + 1):
        if at == len(seqs) or seqs[at] != seqs[at - 1] - 1:
            yield seqs[at - 1], seqs[start]
            start = at
