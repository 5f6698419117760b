"""Versions beside each other: what differs, which does better, which one to take."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import Field
from starlette.responses import Response

from ...results.shapes.versions import COMPARISON, DIFF, PICK
from ..caller import Call
from ..described import RECORDS_NOTHING, answers
from ..routing import Router
from .rows_asked import ROWS, Names, RowsAsked, Sampled, rows_if_any
from .turns import COMPARES, JUDGES

router = Router("contests")
Several = Annotated[list[str], Query()]


class CompareAsked(Sampled, RowsAsked):
    """Versions of a model side by side; with rows they are judged on these."""

    revs: Names
    metric: str | None = None
    against: str | None = None


class PickAsked(Sampled, RowsAsked):
    """One of some versions, or of all of a model, by a rule; with rows they are judged on these."""

    revs: Names = Field(default_factory=list[str])
    by: str | Names | None = None
    require: str | Names | None = None
    in_order: bool | None = None


@router.get(
    "/models/{model}/diff", summary="What differs between two versions", responses=answers(DIFF), dependencies=COMPARES
)
def diff(call: Call, model: str, first: Annotated[str, Query(alias="from")], to: str | None = None) -> Response:
    """What differs from one version to another; `from` alone may be a range `A..B`."""
    call.needs("read")
    return call.read(call.manager.diff(call.rev(model, first), to))


@router.get(
    "/models/{model}/compare",
    summary="Versions side by side, by what is recorded",
    responses=answers(COMPARISON),
    dependencies=COMPARES,
)
def compare_recorded(
    call: Call,
    model: str,
    rev: Several,
    metric: str | None = None,
    against: str | None = None,
    draws: int | None = None,
    level: float | None = None,
    seed: int | None = None,
) -> Response:
    """Versions by figures, and tests of outcomes, of rows that all of them were judged on."""
    asked = {"metric": metric, "against": against, "draws": draws, "level": level, "seed": seed}
    return _compared(call, model, rev, {name: value for name, value in asked.items() if value is not None})


@router.post(
    "/models/{model}/compare",
    summary="Versions side by side, judged on rows",
    responses=answers(COMPARISON, marks=(RECORDS_NOTHING,)),
    dependencies=JUDGES,
)
def compare(call: Call, model: str, asked: CompareAsked) -> Response:
    """Versions judged on rows there and then. Nothing is recorded."""
    return _compared(call, model, asked.revs, asked.given("revs", *ROWS) | rows_if_any(call, asked))


@router.get(
    "/models/{model}/pick",
    summary="Pick a version, by what is recorded",
    responses=answers(PICK),
    dependencies=COMPARES,
)
def pick_recorded(
    call: Call,
    model: str,
    rev: Several = [],  # noqa: B006 - FastAPI copies it
    by: Several = [],  # noqa: B006
    require: Several = [],  # noqa: B006
    in_order: bool | None = None,
    draws: int | None = None,
    level: float | None = None,
    seed: int | None = None,
) -> Response:
    """The version that a rule picks, and why; of all versions of the model where none are named."""
    asked: dict[str, Any] = {"by": by or None, "require": require or None, "in_order": in_order}
    asked |= {"draws": draws, "level": level, "seed": seed}
    return _picked(call, model, rev, {name: value for name, value in asked.items() if value is not None})


@router.post(
    "/models/{model}/pick",
    summary="Pick a version, judged on rows",
    responses=answers(PICK, marks=(RECORDS_NOTHING,)),
    dependencies=JUDGES,
)
def pick(call: Call, model: str, asked: PickAsked) -> Response:
    """As above, of versions judged on rows there and then. Nothing is recorded."""
    return _picked(call, model, asked.revs, asked.given("revs", *ROWS) | rows_if_any(call, asked))


def _compared(call: Call, model: str, revs: Names, told: dict[str, Any]) -> Response:
    call.needs("read")
    first = [call.rev(model, rev) for rev in revs[:1]]
    return call.read(call.manager.compare(*first, *revs[1:], **told))


def _picked(call: Call, model: str, revs: Names, told: dict[str, Any]) -> Response:
    call.needs("read")
    return call.read(call.manager.pick(*revs, model=call.model(model), **told))
