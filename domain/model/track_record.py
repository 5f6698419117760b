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
    """How often a branch or alias was put from it on an older version. Going forwards again counts against nobody."""
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
    spans, rollbacks = defaultdict[int, list[Span]](list), defaultdict[int, set[datetime]](set)
    for ref in (*model.branches.values(), *model.aliases.values()):
        moves = [ref.moves[n] for n in range(len(ref.moves))]
        for version, span in _stays(moves, now):
            spans[version].append(span)
        for move in moves:
            if move.kind == "rolled_back" and (move.from_version or 0) > (move.to_version or 0):
                # a branch and the aliases that go with it bear one time: it was one decision
                rollbacks[move.from_version or 0].add(move.time)
    return {
        number: Service(_together(spans[number]), len(rollbacks[number]), alerts.get(number, 0))
        for number in model.versions
    }


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
