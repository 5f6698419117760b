"""A model's state as plain JSON, and the state that is made of that: each value when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from immutables import Map

from ...errors import Damaged
from ...events.bounds import STORED
from ...events.clock import microseconds, moment
from ...events.envelope import Recorded
from ...events.model import AliasProtected, DeltaRecorded, GateJudged, RollbackRehearsed, VersionCommitted
from ...results import VersionRef
from .ancestry import Descent
from .figures import Figure, KeptReport, Rows, VersionFigures
from .recalled import Recalled
from .state import ModelState, Move, Ref, StoredManifest, VersionState

E = TypeVar("E", VersionCommitted, RollbackRehearsed, GateJudged)
Read = Callable[[int], Recorded]
"""Gives the event at a `seq` of the log."""


class _Column(NamedTuple):
    """How a mapping of the state is written: the kind of its keys, what a value is told as and what it is made of."""

    key: Any
    told: Callable[[Any], Any]
    made: Callable[[str, Read], Callable[[Any, Any], Any]]


def _plainly(key: Any, told: Callable[[Any], Any], made: Callable[[Any], Any]) -> _Column:
    def making(_name: str, _read: Read) -> Callable[[Any, Any], Any]:
        return lambda _key, row: made(row)  # pyright: ignore[reportUnknownLambdaType]

    return _Column(key, told, making)


def _same(value: Any) -> Any:
    return value


def _version(name: str, read: Read) -> Callable[[int, Any], VersionState]:
    def made(number: int, row: list[int]) -> VersionState:
        seq, *descent = row
        recorded, event = _of(VersionCommitted, name, seq, read)
        if event.version != number:
            raise Damaged(f"event {seq}", expected=f"the commit of version {number}", found=f"that of {event.version}")
        return VersionState(VersionRef(name, number), seq, recorded.recorded, recorded.actor, event, Descent(*descent))

    return made


def _rehearsal(name: str, read: Read) -> Callable[[int, Any], RollbackRehearsed]:
    return lambda seq, _row: _of(RollbackRehearsed, name, seq, read)[1]


def _gate(name: str, read: Read) -> Callable[[int, Any], GateJudged]:
    return lambda seq, _row: _of(GateJudged, name, seq, read)[1]


def _of(kind: type[E], name: str, seq: int, read: Read) -> tuple[Recorded, E]:
    """An event of a model. Raises `Damaged` where the log has another there: it was set back since."""
    recorded = read(seq)
    event = recorded.event
    if recorded.stream != f"model/{name}" or not isinstance(event, kind):
        raise Damaged(f"event {seq}", expected=f"a {kind.__name__} of {name}", found=f"one of {recorded.stream}")
    return recorded, event


def _move(row: list[Any]) -> Move:
    seq, time, *rest = row
    return Move(seq, moment(time), *rest)


def _told_version(version: VersionState) -> list[int]:
    return [version.seq, *version.descent]


def _reports(row: list[list[Any]]) -> tuple[KeptReport, ...]:
    return tuple(
        KeptReport(seq, name, digest, None if rows is None else Rows(*rows)) for seq, name, digest, rows in row
    )


def _told_figures(figures: VersionFigures) -> list[Any]:
    groups = (figures.newest, figures.logged, *figures.judged.values())
    return [[*figures.judged], *([list(figure) for figure in group.values()] for group in groups)]


def _figures(row: list[Any]) -> VersionFigures:
    digests, newest, logged, *judged = row
    groups = map(_by_name, judged)
    return VersionFigures(_by_name(newest), _by_name(logged), Map(zip(digests, groups, strict=True)))


def _by_name(rows: list[Any]) -> Map[str, Figure]:
    figures = (Figure(name, metric, value, rows and Rows(*rows), *rest) for name, metric, value, rows, *rest in rows)
    return Map({figure.name: figure for figure in figures})


def _nothing(_: object) -> None:
    return None


_COLUMNS: Final[Mapping[str, _Column]] = {
    "versions": _Column(int, _told_version, _version),
    "tags": _plainly(str, _same, _same),
    "tagged": _plainly(int, list, tuple),
    "tag_moves": _plainly(str, list, tuple),
    "protection_moves": _plainly(str, _same, _same),
    "deltas": _plainly(
        int,
        lambda delta: delta.model_dump(exclude={"type"}),
        lambda row: DeltaRecorded.model_validate(row, context=STORED),
    ),
    "manifests": _plainly(
        str, lambda held: [held.keyframe, held.deltas], lambda row: StoredManifest(row[0], tuple(row[1]))
    ),
    "digests": _plainly(str, list, tuple),
    "figures": _plainly(int, _told_figures, _figures),
    "reports": _plainly(int, lambda kept: [list(each) for each in kept], _reports),
    "better": _plainly(str, _same, _same),
    "cleared": _plainly(int, _same, _same),
    "notes": _plainly(int, dict, Map),
    "descriptions": _plainly(int, list, tuple),
    "rehearsals": _Column(int, _nothing, _rehearsal),
    "gates": _Column(int, _nothing, _gate),
    "gated": _plainly(int, list, tuple),
    "passed": _plainly(int, list, tuple),
    "protected": _plainly(
        str,
        lambda protected: protected.model_dump(exclude={"type"}),
        lambda row: AliasProtected.model_validate(row, context=STORED),
    ),
}
_MOVES: Final[Mapping[str, _Column]] = {
    "moves": _plainly(
        int,
        lambda m: [m.seq, microseconds(m.time), m.kind, m.from_version, m.to_version, m.actor, m.reason],
        _move,
    ),
    "apart": _plainly(int, _same, _same),
    "stood": _plainly(int, _same, _same),
    "tips": _plainly(int, _same, _same),
}
_REFS: Final = ("branches", "aliases")
_SELF: Final = ("name", "registered", "archived", "description")


def complete() -> bool:
    """Whether everything that a model's state holds is written."""
    return {*_SELF, *_REFS, *_COLUMNS} == set(ModelState._fields)


class PlainRows(NamedTuple):
    """A mapping of the state as JSON can hold it, by key as text; whether its keys are numbers."""

    numbered: bool
    rows: Mapping[str, Any]


class PlainModel(NamedTuple):
    """All of a model's state: facts as JSON can hold them, and mappings, which facts name by their place."""

    facts: Mapping[str, Any]
    mappings: Sequence[PlainRows]


def plain_model(model: ModelState) -> PlainModel:
    """All of a model's state, as JSON can hold it."""
    mappings: list[PlainRows] = []

    def placed(values: Any, column: _Column) -> int:
        recalled = isinstance(values, Recalled)
        told = column.told
        rows = values.plain(told) if recalled else {str(key): told(value) for key, value in values.items()}
        mappings.append(PlainRows(column.key is int, rows))  # pyright: ignore[reportUnknownArgumentType]
        return len(mappings) - 1

    facts = {name: getattr(model, name) for name in _SELF}
    facts |= {name: placed(getattr(model, name), column) for name, column in _COLUMNS.items()}
    facts |= {
        kind: {
            name: [ref.version, {part: placed(getattr(ref, part), column) for part, column in _MOVES.items()}]
            for name, ref in getattr(model, kind).items()
        }
        for kind in _REFS
    }
    return PlainModel(facts, mappings)


def recalled_model(facts: Mapping[str, Any], mappings: Sequence[Mapping[str, Any]], read: Read) -> ModelState:
    """The state that was told so. Raises `IndexError`, `KeyError`, `TypeError` or `ValueError` where it is none."""
    name = str(facts["name"])

    def recalled(column: _Column, place: int) -> Any:
        return Recalled(column.key, mappings[place], column.made(name, read))

    refs = {
        kind: Map(
            {
                ref: Ref(ref, at, **{part: recalled(column, parts[part]) for part, column in _MOVES.items()})
                for ref, (at, parts) in facts[kind].items()
            }
        )
        for kind in _REFS
    }
    columns = {field: recalled(column, facts[field]) for field, column in _COLUMNS.items()}
    own = {field: facts[field] for field in _SELF} | {"description": tuple(facts["description"])}
    return ModelState(**own, **refs, **columns)
