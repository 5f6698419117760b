"""What versions went through while branches and aliases stood on them: time served, rollbacks, alerts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from .state import ModelState, Move

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Service:
    """The record of one version."""

    served: timedelta = timedelta()
    """How long any branch or alias stood on it; together counts once."""
    rollbacks: int = 0
    """How often a branch or alias was put from it on an older version, since it was last cleared. Going forwards again
    counts against nobody."""
    alerts: int = 0

    @property
    def stable(self) -> bool:
        """Whether it was never rolled back from and suffered no alert."""
        return not self.rollbacks and not self.alerts

    @property
    def stability(self) -> float:
        """1 / (1 + rollbacks + alerts a day served): an alert weighs less the longer it served, a rollback always."""
        return 1 / (1 + self.rollbacks + self.alerts / (1 + self.served / timedelta(days=1)))


def services(model: ModelState, now: datetime, alerts: Mapping[int, int]) -> dict[int, Service]:
    """The record of every version of a model up to `now`; `alerts` counts by version."""
    spans, rollbacks = defaultdict[int, list[Span]](list), rolled_back_from(model)
    for ref in (*model.branches.values(), *model.aliases.values()):
        moves = [ref.moves[n] for n in range(len(ref.moves))]
        for version, span in _stays(moves, now):
            spans[version].append(span)
    return {
        number: Service(_together(spans[number]), len(rollbacks.get(number, ())), alerts.get(number, 0))
        for number in model.versions
    }


def rolled_back_from(model: ModelState) -> dict[int, set[datetime]]:
    """When each version was rolled back from since it was last cleared; those that never were are not named."""
    times = defaultdict[int, set[datetime]](set)
    for ref in (*model.branches.values(), *model.aliases.values()):
        for move in ref.moves.values():
            if move.from_version and _is_rollback_from(model, move, move.from_version):
                # a branch and the aliases that go with it bear one time: it was one decision
                times[move.from_version].add(move.time)
    return dict(times)


def last_rollback_from(model: ModelState, number: int) -> Move | None:
    """The last rollback from a version since it was last cleared; None where it was never rolled back from."""
    refs = (*model.branches.values(), *model.aliases.values())
    return max(
        (move for ref in refs for move in ref.moves.values() if _is_rollback_from(model, move, number)),
        key=lambda move: move.seq,
        default=None,
    )


def _is_rollback_from(model: ModelState, move: Move, number: int) -> bool:
    return (
        move.kind == "rolled_back"
        and move.from_version == number > (move.to_version or 0)
        and move.seq > model.cleared.get(number, 0)
    )


def _stays(moves: list[Move], now: datetime) -> Iterator[tuple[int, Span]]:
    ends = [*(after.time for _, after in pairwise(moves)), now]
    for move, end in zip(moves, ends, strict=bool(moves)):
        if move.to_version is not None:
            yield move.to_version, (move.time, max(move.time, end))


def _together(spans: Iterable[Span]) -> timedelta:
    """The length of what the spans cover, overlaps once."""
    total, reached = timedelta(), None
    for start, end in sorted(spans):
        begin = start if reached is None else max(start, reached)
        if end > begin:
            total, reached = total + (end - begin), end
    return total
