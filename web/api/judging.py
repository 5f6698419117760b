"""Versions judged on labelled rows: evaluations, their reports, gates, corrections, thresholds, robustness."""
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

from pydantic import Field
from starlette.responses import Response

from ...results import Evaluation
from ...results.shapes import judging as shapes
from ...results.shapes.judging import EVALUATION, GATE, JUDGED, ROBUSTNESS
from ...results.shapes.ledger import TABLE
from ...results.shapes.names import VERSION
from ..caller import Call
from ..described import RECORDS_NOTHING, TABLES, answers
from ..routing import Router
from ..tables import of_table, tabled
from .pages import REPORT, page
from .places import version_at
from .predicted import PredictionsAsked, predictions_in
from .rows_asked import ROWS, Chosen, Names, Reported, RequestBody, RowsAsked, rows_if_any, rows_in, uploaded
from .turns import COMPARES, JUDGES

router = Router("judging")
_VERSION = "/models/{model}/versions/{rev}"


class EvaluationAsked(Reported, Chosen, RowsAsked):
    """A version judged on rows, with its report."""

    name: str | None = None
    task: str | None = None
    better: dict[str, str] | None = None


class GateAsked(EvaluationAsked):
    """Requirements on a version's figures, or a suite's; with rows all sides are judged on these first."""

    against: str | None = None
    require: str | Names | None = None
    suite: str | None = None


class CorrectionAsked(Chosen, RowsAsked):
    """A version whose probabilities are corrected on rows."""

    method: Literal["temperature", "isotonic"] | None = None
    branch: str | None = None
    message: str | None = None


class ThresholdAsked(Chosen, RowsAsked):
    """A version whose threshold costs least on rows."""

    costs: dict[str, float]
    branch: str | None = None
    message: str | None = None


class RobustnessAsked(Chosen, RowsAsked):
    """A version judged on rows and on perturbed copies of them."""

    metric: str | None = None
    task: str | None = None
    outputs: str | None = None
    draws: int | None = None
    level: float | None = None
    seed: int | None = None


class RowsToPredict(RequestBody):
    """Rows to be predicted."""

    rows: str = Field(description="The id of rows that were sent (`POST /rows`).")
    keep: bool | Names | None = Field(None, description="Columns to stand before the answers; true: all.")


@router.get(
    f"{_VERSION}/evaluations", summary="What a version was judged on", responses=answers(JUDGED), dependencies=COMPARES
)
def evaluations(call: Call, model: str, rev: str) -> Response:
    """The figures of each set of rows, and whether a report of them is kept; the version's own have no name."""
    call.needs("read")
    judged = call.manager.card(call.rev(model, rev)).judged
    told = [each.to_dict() | {"report": each.report is not None} for each in judged]
    return call.read({"evaluations": told})


@router.post(
    f"{_VERSION}/evaluations",
    status_code=201,
    summary="Judge a version on rows",
    responses=answers(EVALUATION, status=201, place=True),
    dependencies=JUDGES,
)
def evaluate(call: Call, model: str, rev: str, asked: EvaluationAsked) -> Response:
    """Judge a version on rows, record its figures with the rows' fingerprint, and keep the report."""
    call.needs("write")
    data, labels = rows_in(call, asked)
    told, version = asked.given(*ROWS), call.rev(model, rev)
    return call.wrote(
        lambda: call.manager.evaluate(version, data, labels, key=call.key, **told), status=201, location=_report_at
    )


@router.post(
    f"{_VERSION}/evaluations/predictions",
    status_code=201,
    summary="Judge what a version predicted elsewhere",
    responses=answers(EVALUATION, status=201, place=True),
    dependencies=JUDGES,
)
def evaluate_predictions(call: Call, model: str, rev: str, asked: PredictionsAsked) -> Response:
    """As evaluations, of predictions that were made elsewhere: columns of rows that were sent."""
    call.needs("write")
    told, version = predictions_in(call, asked), call.rev(model, rev)
    return call.wrote(
        lambda: call.manager.evaluate_predictions(version, key=call.key, **told), status=201, location=_report_at
    )


@router.post(
    f"{_VERSION}/predictions",
    summary="What a version says of rows",
    responses=answers(TABLE, also=TABLES, marks=(RECORDS_NOTHING,)),
    dependencies=JUDGES,
)
def predict(call: Call, model: str, rev: str, asked: RowsToPredict) -> Response:
    """What a version says of rows that were sent, one answer a row and in their order; a table by Accept."""
    call.needs("read")
    keep = None if asked.keep is True else asked.keep or ()
    return tabled(call, of_table(call.manager.predict(call.rev(model, rev), uploaded(call, asked.rows), keep=keep)))


@router.get(
    f"{_VERSION}/report",
    summary="The report of an evaluation",
    responses=answers(shapes.REPORT, also=tuple(REPORT)),
    dependencies=COMPARES,
)
def report(call: Call, model: str, rev: str, name: str | None = None) -> Response:
    """The report that is kept of an evaluation: of the name, else the newest. JSON, HTML or Markdown by Accept."""
    call.needs("read")
    return page(call, call.manager.report(call.rev(model, rev), name), REPORT)


@router.post(
    f"{_VERSION}/gates", summary="Hold a version against requirements", responses=answers(GATE), dependencies=JUDGES
)
def gate(call: Call, model: str, rev: str, asked: GateAsked) -> Response:
    """Judge a gate and record it. One that is not met is an answer with `passed` false."""
    call.needs("write")
    told, version = asked.given(*ROWS) | rows_if_any(call, asked), call.rev(model, rev)
    return call.wrote(lambda: call.manager.gate(version, key=call.key, **told))


@router.post(
    f"{_VERSION}/calibrations",
    status_code=201,
    summary="Correct a version's probabilities",
    responses=answers(VERSION, status=201, place=True),
    dependencies=JUDGES,
)
def calibrate(call: Call, model: str, rev: str, asked: CorrectionAsked) -> Response:
    """Keep a child version of the same parameters whose probabilities are corrected on rows."""
    call.needs("write")
    data, labels = rows_in(call, asked)
    told, version = asked.given(*ROWS), call.rev(model, rev)
    return call.wrote(
        lambda: call.manager.calibrate(version, data, labels, key=call.key, **told), status=201, location=version_at
    )


@router.post(
    f"{_VERSION}/thresholds",
    status_code=201,
    summary="Choose the threshold that costs least",
    responses=answers(VERSION, status=201, place=True),
    dependencies=JUDGES,
)
def best_threshold(call: Call, model: str, rev: str, asked: ThresholdAsked) -> Response:
    """Keep a child version that calls rows positive from the probability on that costs least."""
    call.needs("write")
    data, labels = rows_in(call, asked)
    told, version = asked.given(*ROWS), call.rev(model, rev)
    return call.wrote(
        lambda: call.manager.best_threshold(version, data, labels, key=call.key, **told),
        status=201,
        location=version_at,
    )


@router.post(
    f"{_VERSION}/robustness",
    summary="Judge a version on perturbed rows",
    responses=answers(ROBUSTNESS, marks=(RECORDS_NOTHING,)),
    dependencies=JUDGES,
)
def robustness(call: Call, model: str, rev: str, asked: RobustnessAsked) -> Response:
    """How a version does on rows whose inputs go missing, shift, are noisy or unknown. Nothing is recorded."""
    call.needs("read")
    data, labels = rows_in(call, asked)
    return call.read(call.manager.robustness(call.rev(model, rev), data, labels, **asked.given(*ROWS)))


def _report_at(told: Evaluation) -> str:
    """Where the report of an evaluation is shown."""
    return f"{version_at(told.version)}/report?name={quote(told.name, safe='')}"
