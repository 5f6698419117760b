"""Which version to roll back to: performance, stability and age weighed, in figures and words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from ...errors import Refused
from ..guards import writable
from .figures import Common, Rows, common
from .metric import USUAL, Better, better_when
from .state import ModelState
from .track_record import Service, services

HALF_LIFE: Final = timedelta(days=30)
"""The age at which a version's freshness has halved."""

PERFORMANCE, STABILITY, AGE = 0.5, 0.3, 0.2
"""How much each side counts; without a figure the other two decide, in their proportion."""


class Chance(NamedTuple):
    """What a paired test says of a candidate beside the best one, on the rows that both were judged on."""

    worse: bool
    """Whether it is worse beyond chance."""
    p: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A version that could be rolled back to. Scores run from 0 to 1, more is better.

    `performance` is 1 less the relative gap to the best candidate, and 1 where a test finds it no worse beyond chance
    (None where nobody was measured), `stability` is
    1 / (1 + rollbacks away from it + alerts a day served), `age` is 1 when new and halves every 30 days, `score` is
    their weighed mean to two decimals. `measured` is the metric itself, on the rows that candidates share. One that was
    rolled back from is `barred`: it stands last and is not suggested, until somebody clears it.
    """

    version: int
    score: float
    performance: float | None
    stability: float
    age: float
    stable: bool
    barred: bool
    measured: float | None
    words: str
    chance: Chance | None = None
    """What a test says of it beside the best one; None of the best, and where there is none."""


@dataclass(frozen=True, slots=True)
class Advice:
    """The past of a branch, ranked: the first is the one to roll back to.

    `metric` is the figure that performance means, None where no two versions have one on the same rows.
    """

    model: str
    branch: str
    head: int
    metric: str | None
    rows: Rows | None
    """The rows that the metric was measured on."""
    figure: str | None
    """What was measured, without an evaluation's name."""
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
    chances: Mapping[int, Chance] | None = None,
) -> Advice:
    """Rank the past of a branch, except its head, as targets of a rollback.

    Performance is weighed by figures on rows that candidates, or a candidate and the head, were both judged on: of the
    metric named, else of the usual one that most candidates have. `alerts` counts by version, `chances` are tests of
    candidates beside the best one by that metric. Where scores tie the most recent stable version goes first.
    Raises `Refused` where there is no such branch, nothing but its head, nobody with the metric named, a metric of
    unknown direction, or nothing but versions that were rolled back from.
    """
    writable(model)
    head, numbers = _past(model, branch)
    better: Better = better_when(metric, model.better) if metric else "higher"
    basis = _basis(model, head, numbers, metric) if metric is None else _named(model, branch, head, numbers, metric)
    if basis is not None:
        better = better_when(basis.name, model.better)
    measured = {} if basis is None else {n: basis.figures[n].value for n in numbers if n in basis.figures}
    tests = chances or {}
    performance = _performance(measured, better) | {n: 1.0 for n, each in tests.items() if not each.worse}
    # what nobody measured is not taken for better than the worst that somebody did
    lowest = min(performance.values(), default=None)
    served = services(model, now, alerts or {})
    name = basis and basis.name

    def candidate(number: int) -> Candidate:
        figure, part = measured.get(number), performance.get(number, lowest)
        words = _performed(name, figure, part, tests.get(number))
        found = _candidate(model, number, words, part, figure, served[number], now)
        return replace(found, chance=tests.get(number))

    ranking = sorted(
        map(candidate, numbers),
        key=lambda candidate: (not candidate.barred, candidate.score, candidate.stable, candidate.version),
        reverse=True,
    )
    if ranking[0].barred:
        raise Refused(
            f"every version in the past of {branch!r} was rolled back from",
            python="clear(REV, reason=...) lets one be suggested again",
            cli="`lepton clear REV --reason TEXT` lets one be suggested again",
        )
    words = _conclusion(model, branch, head, basis, ranking)
    if len(measured) > 1 and not tests:
        words += "; figures alone are weighed, chance or not"
    rows, figure = (None, None) if basis is None else (basis.rows, basis.metric)
    return Advice(model.name, branch, head, name, rows, figure, better, tuple(ranking), words)


def _past(model: ModelState, branch: str) -> tuple[int, list[int]]:
    if (head := model.head(branch)) is None:
        raise Refused(f"{model.name} has no branch {branch!r}; `lepton branch` lists them")
    if not (numbers := sorted(model.past(branch) - {head})):
        raise Refused(f"branch {branch!r} has only ever been on version {head}; there is nothing to roll back to")
    return head, numbers


def _named(model: ModelState, branch: str, head: int, numbers: Sequence[int], metric: str) -> Common | None:
    """The metric that was asked for, on rows that are shared. Raises `Refused` where no candidate has it at all."""
    if not any(metric in model.figures_of(number).names() for number in numbers):
        names = {name for number in numbers for name in model.metrics_of(number)}
        what = f"they have {', '.join(sorted(names))}" if names else "`evaluate` measures them"
        raise Refused(f"no version in the past of {branch!r} has a metric {metric!r}; {what}")
    return _basis(model, head, numbers, metric)


def _basis(model: ModelState, head: int, numbers: Sequence[int], metric: str | None) -> Common | None:
    """The figure that most candidates have on the same rows; of several the usual one, one that the head has too, and
    the newest. A metric is that figure where any has it, else whatever is called so on rows that are shared."""
    sides = {number: model.figures_of(number) for number in (*numbers, head)}
    known = common(sides, {*USUAL, *model.better}) if metric is None else common(sides, None, metric)
    if metric is not None:
        known = known or common(sides, {metric})
    candidates = [each for each in map(_finite, known) if len(each.figures) > 1]

    def fitness(each: Common) -> tuple[int, int, bool, int]:
        usual = -USUAL.index(each.metric) if each.metric in USUAL else -len(USUAL)
        return len(each.figures.keys() - {head}), usual, head in each.figures, each.newest

    return max(candidates, key=fitness, default=None)


def _finite(each: Common) -> Common:
    """Without what is NaN, which measures nothing."""
    return each._replace(figures={n: figure for n, figure in each.figures.items() if not math.isnan(figure.value)})


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
    performed: str,
    performance: float | None,
    measured: float | None,
    service: Service,
    now: datetime,
) -> Candidate:
    since = max(now - model.version(number).recorded, timedelta())
    age = 0.5 ** (since / HALF_LIFE)
    score = _score(performance, service.stability, age)
    words = f"version {number}, score {score:.2f}: {performed}{_behaved(service)}; "
    return Candidate(
        version=number,
        score=score,
        performance=performance,
        stability=service.stability,
        age=age,
        stable=service.stable,
        barred=service.rollbacks > 0,
        measured=measured,
        words=words + f"{_days(since)} old",
    )


def _score(performance: float | None, stability: float, age: float) -> float:
    sides = [(stability, STABILITY), (age, AGE)]
    if performance is not None:
        sides.append((performance, PERFORMANCE))
    return round(sum(side * weight for side, weight in sides) / sum(weight for _, weight in sides), 2)


def _performed(metric: str | None, measured: float | None, performance: float | None, chance: Chance | None) -> str:
    if performance is None:
        return ""
    if measured is None:
        return f"{metric} not measured on these rows, taken for the lowest; "
    if chance is not None and not chance.worse:
        return f"{metric} {measured:.4g}, not worse than the best beyond chance (p {chance.p:.2g}); "
    far = "the best on these rows" if performance == 1 else f"{1 - performance:.1%} behind the best"
    sure = "" if chance is None else f", beyond chance (p {chance.p:.2g})"
    return f"{metric} {measured:.4g}, {far}{sure}; "


def _behaved(service: Service) -> str:
    if service.stable:
        return f"stable, with no rollback and no alert in {_days(service.served)} of service"
    rollbacks = f"rolled back from {_times(service.rollbacks)}" if service.rollbacks else "never rolled back from"
    alerts = f"{service.alerts} alert{'s' * (service.alerts != 1)}" if service.alerts else "no alert"
    return f"{rollbacks}, {alerts} in {_days(service.served)} of service"


def _conclusion(model: ModelState, branch: str, head: int, basis: Common | None, ranking: Sequence[Candidate]) -> str:
    first = ranking[0]
    figure = None if basis is None else basis.figures.get(head)
    stands = f"branch {branch!r} stands on version {head}"
    stands += f" ({basis.name} {figure.value:.4g})" if basis and figure else ""
    recent = max((candidate.version for candidate in ranking if candidate.stable), default=None)
    if recent is None:
        why = "no version of its past is stable"
    elif recent == first.version:
        why = "the most recent stable version"
    else:
        why = f"the most recent stable version is {recent}, which scores lower"
    return f"{stands}; version {first.version} is suggested: {why}{_unmeasured(model, head, basis, ranking)}"


def _unmeasured(model: ModelState, head: int, basis: Common | None, ranking: Sequence[Candidate]) -> str:
    """What is said where no figure could be weighed, though there are some."""
    if basis is not None:
        return ""
    sides = {n: model.figures_of(n) for n in (head, *(candidate.version for candidate in ranking))}
    if not any(figures.shown() for figures in sides.values()):
        return "; nothing was measured, so stability and age decide"
    if common(sides, None):
        return "; they share none of the usual metrics on the same rows, so stability and age decide"
    return "; no two of these versions were judged on the same rows, so stability and age decide"


def _days(time: timedelta) -> str:
    days = time / timedelta(days=1)
    return f"{days:.0f} days" if days >= 10 else f"{days:.1f} days" if days >= 1 else f"{days * 24:.1f} hours"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
