"""Comparing: which of several versions does best."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ...domain.model.figures import Common, Figure, Rows, VersionFigures, common
from ...domain.model.metric import USUAL, Better, better_when, goodness
from ...domain.model.state import ModelState
from ...errors import Damaged, Malformed, Refused
from ...results import Comparison
from ..workspace import Workspace

if TYPE_CHECKING:
    from ...evaluation.outcomes import Outcomes
    from .contests import TestTerms

log = logging.getLogger("lepton")

DRAWN: Final = ("groups", "block", "stratified")
"""What says how rows depend on each other."""
UNTOLD: Final = "a class that judges itself says nothing of single rows"
"""Why there is no test of a version whose class has an `evaluate` of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rivals:
    """What a comparison is asked with; see `ModelManager.compare`."""

    metric: str | None = None
    against: int | None = None
    """The version that the others are set against; None for the best."""
    rows: tuple[Any, Any] | None = None
    """Data and labels to judge the versions on; None for the figures that are recorded."""
    test: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """How rows are drawn and how sure a test is, as a report takes it."""


def both(data: Any, labels: Any) -> tuple[Any, Any] | None:
    """Rows to judge versions on, or none. Raises `Malformed` on labels without data."""
    if data is None and labels is not None:
        raise Malformed("data and labels go together; give both, or neither for the figures that are recorded")
    return None if data is None else (data, labels)


def compare(workspace: Workspace, model: ModelState, numbers: Sequence[int], asked: Rivals) -> Comparison:
    """Versions by a metric on rows that all of them were judged on, best first, the newest of equals.

    Without a metric by the usual one of those that are shared. Where no rows are, in the order named, unranked. Where
    outcomes of these rows are known, each is tested against the best, or against the version that is named. Raises
    `Refused` where a metric is named that none of them has, or whose direction nobody knows.
    """
    if not numbers:
        raise Malformed("nothing to compare; name at least one version")
    numbers = list(dict.fromkeys([*numbers, *([] if asked.against is None else [asked.against])]))
    model = with_own(model, [asked.metric])
    terms, judged = terms_of(asked.test), judged_for(workspace, model, numbers, asked, [asked.metric or ""])
    sides = judged.figures if judged else {number: model.figures_of(number) for number in numbers}
    if asked.metric is not None:
        _known(model, sides, asked.metric)
    basis, order = basis_of(model, sides, asked.metric), list(sides)
    if basis is not None:
        better = better_when(basis.name, model.better)
        figures = basis.figures
        order.sort(key=lambda number: (goodness(figures[number].value, better), number), reverse=True)
    shown = {number: of.shown() for number, of in sides.items()}
    if basis is not None:
        shown = {number: of | {basis.name: basis.figures[number]} for number, of in shown.items()}
    names = sorted(set[str]().union(*shown.values()))
    told = Comparison(
        model=model.name,
        metric=None if basis is None else basis.name,
        on=None if basis is None else told_rows(basis.rows),
        versions=tuple(workspace.version(model, number) for number in order),
        metrics=tuple(values(shown[number]) for number in order),
        rows=tuple(rows_by_name(shown[number]) for number in order),
        words=_unranked(model, sides, asked.metric) if basis is None else "",
        hyperparameters=tuple(flat(model.version(number).event.hyperparameters) for number in order),
        better={name: better_when(name, model.better) for name in names if _ranks(model, name)},
    )
    if basis is None or len(order) == 1:
        return told
    return replace(told, **_tests(workspace, model, basis, order, judged, asked.against, terms))


def _tests(
    workspace: Workspace,
    model: ModelState,
    basis: Common,
    order: Sequence[int],
    judged: JudgedVersions | None,
    against: int | None,
    terms: TestTerms,
) -> dict[str, Any]:
    """The paired tests of a comparison: of versions whose outcomes of the rows are known, the best first."""
    from .contests import contests

    outcomes = judged.outcomes if judged else outcomes_of_rows(workspace, model, basis.figures, basis.rows)
    known = {number: outcomes[number] for number in order if number in outcomes}
    untested = tuple(number for number in order if number not in known)
    why = UNTOLD if judged and untested else ""
    if len(known) > 1 and (against is None or against in known):
        tests, refused = contests(
            workspace, model, basis.metric, better_when(basis.name, model.better), known, against, terms
        )
        return {"tests": tests, "untested": untested, "why": refused or why}
    return {"untested": tuple(order), "why": why}


def outcomes_of_rows(
    workspace: Workspace, model: ModelState, figures: Mapping[int, Figure], rows: Rows
) -> dict[int, Outcomes]:
    """By version what is kept of those rows that its figure is of; versions of which nothing whole is are left out."""
    found = {
        number: readable_outcomes(workspace, model, number, rows, figure)
        for number, figure in figures.items()
        if model.reports.get(number)
    }
    return {number: outcomes for number, outcomes in found.items() if outcomes is not None}


def readable_outcomes(
    workspace: Workspace, model: ModelState, number: int, rows: Rows, figure: Figure
) -> Outcomes | None:
    """As `kept_outcomes`; damaged ones are as none: a version is told, and rolled back to, without a test too."""
    from .evaluation import kept_outcomes

    try:
        return kept_outcomes(workspace, model, number, rows, figure)
    except Damaged as error:
        log.warning("version %d of %s is not tested: %s", number, model.name, error)
        return None


class JudgedVersions(NamedTuple):
    """Versions judged there and then: their figures, and the outcomes of those that tell any."""

    figures: dict[int, VersionFigures]
    outcomes: dict[int, Outcomes]


def judged_for(
    workspace: Workspace, model: ModelState, numbers: Sequence[int], asked: Rivals, names: Sequence[str]
) -> JudgedVersions | None:
    """Versions judged on the rows that are given, by `names` too where these are metrics of one's own; None without.

    Nothing is recorded. Raises `Malformed` where it is said how rows depend on each other, and none are given.
    """
    from .evaluation import requested

    if asked.rows is None:
        given = {name: asked.test.get(name) for name in DRAWN}
        if drawn := [name for name, value in given.items() if value is not None and value is not False]:
            raise Malformed(
                f"{drawn[0]} says how rows depend on each other, which outcomes that are kept say themselves; give it "
                "with the data"
            )
        return None
    from ...evaluation.own.metrics import registered_of
    from .sides import judged_here

    sides, identity = judged_here(workspace, model, numbers, *asked.rows, requested(asked.test))
    own, nothing = registered_of(names), VersionFigures()
    figures: dict[int, VersionFigures] = {}
    outcomes: dict[int, Outcomes] = {}
    for number, (_, performance, told) in sides.items():
        measured = performance.figures()
        if told is not None:
            outcomes[number] = told
            measured |= {each.name: each.figure(told) for each in own if each.task in (None, told.task)}
        figures[number] = nothing.measured(measured, identity, 0, None, performance.task)
    return JudgedVersions(figures, outcomes)


def with_own(model: ModelState, names: Iterable[str | None]) -> ModelState:
    """The model with the directions of those metrics of one's own that are registered in this process."""
    from ...evaluation.own.metrics import registered_of

    own: dict[str, Better] = {each.name: each.better for each in registered_of([name for name in names if name])}
    return model._replace(better=model.better.update(own)) if own else model


def terms_of(given: Mapping[str, Any]) -> TestTerms:
    """How sure tests are. Raises `Malformed` on what a comparison does not take."""
    from .contests import TestTerms

    known = (*DRAWN, "draws", "seed", "level")
    if unknown := [name for name in given if name not in known]:
        raise Malformed(f"there is no option {unknown[0]!r}; a comparison takes {', '.join(known)}")
    return TestTerms(**{name: value for name, value in given.items() if name not in DRAWN})


def _known(model: ModelState, sides: Mapping[int, VersionFigures], metric: str) -> None:
    if not any(metric in of.names() for of in sides.values()):
        shown = sorted(set[str]().union(*(of.shown() for of in sides.values())))
        raise Refused(f"none of these versions has a metric {metric!r}; they have {', '.join(shown) or 'none'}")
    better_when(metric, model.better)


def basis_of(model: ModelState, sides: Mapping[int, VersionFigures], metric: str | None) -> Common | None:
    """What all versions are ranked by: the figure named, else that metric on whatever rows they share; without a metric
    the first usual one. Of several rows those judged on last."""
    candidates = [each for each in common(sides, None, metric) if len(each.figures) == len(sides)]
    if metric is None:
        candidates = [each for each in candidates if _ranks(model, each.name)]
    elif not candidates:
        candidates = [each for each in common(sides, {metric}) if len(each.figures) == len(sides)]

    def fitness(each: Common) -> tuple[int, int]:
        return -USUAL.index(each.metric) if each.metric in USUAL else -len(USUAL), each.newest

    return max(candidates, key=fitness, default=None)


def _ranks(model: ModelState, metric: str) -> bool:
    """Whether versions are ranked by a metric: its direction is known."""
    return not _refusal(model, [metric])


def _refusal(model: ModelState, metrics: Sequence[str]) -> str:
    """Why nothing is ranked by these metrics: of one whose direction nobody said, rather than of a count."""
    refusals: list[Refused] = []
    for metric in metrics:
        try:
            better_when(metric, model.better)
        except Refused as refusal:
            refusals.append(refusal)
    return str(min(refusals, key=lambda refusal: isinstance(refusal, Malformed))) if refusals else ""


def _unranked(model: ModelState, sides: Mapping[int, VersionFigures], metric: str | None) -> str:
    """Why versions are not ranked, and what to do."""
    if len(sides) == 1:
        return ""
    alike = common(sides, None)
    names = sorted({each.name for each in alike if len(each.figures) == len(sides)})
    if metric is None and names:
        return f"not ranked: {_refusal(model, names)}"
    what = "not ranked: " + ("their figures are" if metric is None else f"{metric!r} is") + " not of the same rows"
    tasks = sorted({each.task for of in sides.values() for each in of.newest.values() if each.task})
    what += f" and task ({', '.join(tasks)})" if len(tasks) > 1 else ""
    if ranking := [name for name in names if _ranks(model, name)]:
        return f"{what}; they share {', '.join(ranking)}"
    some = max((each for each in alike if _ranks(model, each.name)), key=lambda each: len(each.figures), default=None)
    if some is not None:
        return f"{what}; only versions {', '.join(map(str, sorted(some.figures)))} share {some.name}"
    return f"{what}; evaluate them on the same rows, or give the rows here where versions learnt other columns"


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Values by name, nested ones by dotted names."""
    flattened: dict[str, Any] = {}
    for name, value in values.items():
        inner = flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {}  # pyright: ignore
        flattened |= inner or {f"{prefix}{name}": value}
    return flattened


def told_rows(rows: Rows | None) -> dict[str, Any] | None:
    """Rows by their digest and number, as a fingerprint has them."""
    return None if rows is None else {"digest": rows.digest, "rows": rows.size}


def values(figures: Mapping[str, Figure]) -> dict[str, float]:
    """The figures by name."""
    return {name: figure.value for name, figure in figures.items()}


def rows_by_name(figures: Mapping[str, Figure]) -> dict[str, Any]:
    """The rows of each figure that are known, by the figure's name."""
    return {name: told_rows(figure.rows) for name, figure in figures.items() if figure.rows is not None}
