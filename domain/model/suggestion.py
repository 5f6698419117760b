"""Which version to roll back to: performance, stability and age weighed, in figures and words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ...errors import Refused
from ..guards import writable
from .metric import Better, better_when
from .state import ModelState
from .track_record import Service, services

HALF_LIFE: Final = timedelta(days=30)
"""The age at which a version's freshness has halved."""
USUAL: Final = ("f1", "accuracy", "roc_auc", "ks", "r2", "loss", "log_loss", "brier", "rmse", "mse", "mae")
"""The metrics looked at where none is named: the one that most candidates have, and of several the first."""


PERFORMANCE, STABILITY, AGE = 0.5, 0.3, 0.2
"""How much each side counts; without a figure the other two decide, in their proportion."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A version that could be rolled back to. Scores run from 0 to 1, more is better.

    `performance` is 1 less the relative gap to the best candidate (None where nobody was measured), `stability` is
    1 / (1 + rollbacks away from it + alerts a day served), `age` is 1 when new and halves every 30 days, `score` is
    their weighed mean to two decimals. `measured` is the metric itself.
    """

    version: int
    score: float
    performance: float | None
    stability: float
    age: float
    stable: bool
    measured: float | None
    words: str


@dataclass(frozen=True, slots=True)
class Advice:
    """The past of a branch, ranked: the first is the one to roll back to."""

    model: str
    branch: str
    head: int
    metric: str | None
    better: Better
    ranking: tuple[Candidate, ...]
    words: str

    @property
    def version(self) -> int:
        """The version to roll back to."""
        return self.ranking[0].version


def suggest(
    model: ModelState,
    branch: str,
    *,
    metric: str | None = None,
    now: datetime,
    alerts: Mapping[int, int] | None = None,
) -> Advice:
    """Rank the past of a branch, except its head, as targets of a rollback.

    `alerts` counts by version. Where scores tie the most recent stable version goes first. Raises `Refused` where there
    is no such branch, nothing but its head, or nobody with the metric.
    """
    writable(model)
    head, numbers = _past(model, branch)
    metric = metric or _usual(model, numbers)
    better: Better = better_when(metric) if metric else "higher"
    measured = _measured(model, branch, numbers, metric)
    performance = _performance(measured, better)
    # what nobody measured is not taken for better than the worst that somebody did
    lowest = min(performance.values(), default=None)
    served = services(model, now, alerts or {})
    ranking = sorted(
        (_candidate(model, n, metric, measured.get(n), performance.get(n, lowest), served[n], now) for n in numbers),
        key=lambda candidate: (candidate.score, candidate.stable, candidate.version),
        reverse=True,
    )
    words = _conclusion(model, branch, head, metric, ranking)
    return Advice(model.name, branch, head, metric, better, tuple(ranking), words)


def _past(model: ModelState, branch: str) -> tuple[int, list[int]]:
    if (head := model.head(branch)) is None:
        raise Refused(f"{model.name} has no branch {branch!r}; `lepton branch` lists them")
    if not (numbers := sorted(model.past(branch) - {head})):
        raise Refused(f"branch {branch!r} has only ever been on version {head}; there is nothing to roll back to")
    return head, numbers


def _usual(model: ModelState, numbers: Sequence[int]) -> str | None:
    having = {metric: len(_figures(model, numbers, metric)) for metric in USUAL}
    metric = max(USUAL, key=lambda metric: having[metric])
    return metric if having[metric] else None


def _measured(model: ModelState, branch: str, numbers: Sequence[int], metric: str | None) -> dict[int, float]:
    if metric is None:
        return {}
    figures = _figures(model, numbers, metric)
    if not figures:
        known = sorted({name for n in numbers for name in model.metrics.get(n, {})})
        what = f"they have {', '.join(known)}" if known else "`evaluate` measures them"
        raise Refused(f"no version in the past of {branch!r} has a metric {metric!r}; {what}")
    return figures


def _figures(model: ModelState, numbers: Sequence[int], metric: str) -> dict[int, float]:
    """What was measured, by version; NaN measures nothing."""
    found = ((number, model.metrics.get(number, {}).get(metric, math.nan)) for number in numbers)
    return {number: figure for number, figure in found if not math.isnan(figure)}


def _performance(measured: Mapping[int, float], better: Better) -> dict[int, float]:
    if not measured:
        return {}
    best = max(measured.values()) if better == "higher" else min(measured.values())
    return {number: max(0.0, 1 - _gap(figure, best)) for number, figure in measured.items()}


def _gap(figure: float, best: float) -> float:
    """The gap to the best, relative to the larger of the two: above 0 their ratio decides, either way round."""
    if figure == best:
        return 0.0
    return 1.0 if math.isinf(figure) or math.isinf(best) else abs(best - figure) / max(abs(best), abs(figure))


def _candidate(
    model: ModelState,
    number: int,
    metric: str | None,
    measured: float | None,
    performance: float | None,
    service: Service,
    now: datetime,
) -> Candidate:
    since = max(now - model.version(number).recorded, timedelta())
    age = 0.5 ** (since / HALF_LIFE)
    score = _score(performance, service.stability, age)
    words = f"version {number}, score {score:.2f}: {_performed(metric, measured, performance)}{_behaved(service)}; "
    return Candidate(
        version=number,
        score=score,
        performance=performance,
        stability=service.stability,
        age=age,
        stable=service.stable,
        measured=measured,
        words=words + f"{_days(since)} old",
    )


def _score(performance: float | None, stability: float, age: float) -> float:
    sides = [(stability, STABILITY), (age, AGE)]
    if performance is not None:
        sides.append((performance, PERFORMANCE))
    return round(sum(side * weight for side, weight in sides) / sum(weight for _, weight in sides), 2)


def _performed(metric: str | None, measured: float | None, performance: float | None) -> str:
    if performance is None:
        return "never measured; "
    if measured is None:
        return f"{metric} not measured, taken for the lowest; "
    far = "the best of the past" if performance == 1 else f"{1 - performance:.1%} behind the best"
    return f"{metric} {measured:.4g}, {far}; "


def _behaved(service: Service) -> str:
    if service.stable:
        return f"stable, with no rollback and no alert in {_days(service.served)} of service"
    rollbacks = f"rolled back from {_times(service.rollbacks)}" if service.rollbacks else "never rolled back from"
    alerts = f"{service.alerts} alert{'s' * (service.alerts != 1)}" if service.alerts else "no alert"
    return f"{rollbacks}, {alerts} in {_days(service.served)} of service"


def _conclusion(model: ModelState, branch: str, head: int, metric: str | None, ranking: Sequence[Candidate]) -> str:
    first = ranking[0]
    figure = model.metrics.get(head, {}).get(metric or "")
    stands = f"branch {branch!r} stands on version {head}" + (f" ({metric} {figure:.4g})" if figure is not None else "")
    recent = max((candidate.version for candidate in ranking if candidate.stable), default=None)
    if recent is None:
        why = "no version of its past is stable"
    elif recent == first.version:
        why = "the most recent stable version"
    else:
        why = f"the most recent stable version is {recent}, which scores lower"
    return f"{stands}; version {first.version} is suggested: {why}"


def _days(time: timedelta) -> str:
    days = time / timedelta(days=1)
    return f"{days:.0f} days" if days >= 10 else f"{days:.1f} days" if days >= 1 else f"{days * 24:.1f} hours"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
