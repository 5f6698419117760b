"""Evaluating: a version judged on labelled rows, its figures recorded, its report and outcomes kept."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...datasets.selection import Selection, schema_of
from ...domain.commands import RecordEvaluation, Stored
from ...domain.model.figures import UNNAMED, Figure, KeptReport, Rows
from ...domain.model.figures import rows_of as identity_of
from ...domain.model.metric import checked_better
from ...domain.model.state import ModelState
from ...domain.names import checked_rows
from ...errors import Damaged, Malformed, Refused
from ...results import Evaluation, Report
from ...tensors.graph import Graph
from ..data.named_data import rows_of
from ..filling import all_converted
from ..rows import LabelledFile, as_learnt, to_judge
from ..save import placed, stored, told_ahead
from ..workspace import Workspace

if TYPE_CHECKING:
    from ...datasets.columns import Table
    from ...evaluation.judgement import Judgement
    from ...evaluation.outcomes import Outcomes
    from ...evaluation.request import ReportRequest


def requested(given: Mapping[str, Any]) -> ReportRequest:
    """What a report is asked with. Raises `Malformed` on an option that there is not."""
    from ...evaluation.request import ReportRequest

    known = ReportRequest.__dataclass_fields__
    if unknown := [name for name in given if name not in known]:
        raise Malformed(f"there is no option {unknown[0]!r}; a report takes {', '.join(known)}")
    return ReportRequest(**given)


def evaluate(
    workspace: Workspace,
    model: ModelState,
    number: int,
    data: Any,
    labels: Any,
    *,
    task: str | None,
    name: str,
    chosen: Selection,
    request: ReportRequest,
    **told: Any,
) -> Evaluation:
    """Judge a version on labelled rows, record the figures with the rows' fingerprint, and keep the report."""
    from ...datasets.tables import fingerprint
    from ...evaluation.judgement import judge_subject

    checked_rows(name)
    data, labels, called = rows_of(workspace, data, labels)
    beside = columns_beside(data, request, labels)
    learnt = without_extra(model, number, data, request)
    rows, labels = as_learnt(workspace, model, number, learnt, labels, chosen)
    judgement = judge_subject(judgeable(workspace, model, number), rows, labels, task, request, beside)
    return _recorded(
        workspace, model, number, judgement, request, fingerprint(rows, labels), name=name or called, **told
    )


def evaluate_predictions(
    workspace: Workspace,
    model: ModelState,
    number: int,
    predictions: Any,
    labels: Any,
    *,
    probabilities: Any,
    classes: Sequence[Any] | None,
    data: Any,
    task: str | None,
    request: ReportRequest,
    **told: Any,
) -> Evaluation:
    """As `evaluate`, of predictions that were made elsewhere, one a row."""
    from ...datasets.tables import fingerprint
    from ...evaluation.judgement import judge_outcomes
    from ...evaluation.predictions import outcomes_of_predictions
    from ...evaluation.structured.predictions import told_apart

    checked_rows(told["name"])
    beside = columns_beside(data, request)
    sampling = request.sampling(beside)
    outcomes = outcomes_of_predictions(task, labels, predictions, probabilities, classes, sampling)
    judgement = judge_outcomes(outcomes, request, beside)
    labels = told_apart(outcomes, labels)
    rows = fingerprint({"label": labels} if data is None else data, labels)
    return _recorded(workspace, model, number, judgement, request, rows, **told)


def report(workspace: Workspace, model: ModelState, number: int, name: str | None) -> Report:
    """The report that is kept of a version's evaluation: of the name, else the newest. Raises `Refused` without one."""
    kept = kept_reports(model, number)
    chosen = next((each for each in reversed(kept) if name in (None, each.name)), None)
    if chosen is None:
        known = ", ".join(repr(each.name) for each in kept)
        what = "no report" if name is None else f"no report of an evaluation called {name!r}"
        some = f"; it has {known}" if known else ""
        raise Refused(f"version {number} of {model.name} has {what}{some}; `evaluate` makes one")
    return report_of_kept(workspace, model, number, chosen)


def report_of_kept(workspace: Workspace, model: ModelState, number: int, kept: KeptReport) -> Report:
    """A report that is kept of a version."""
    from ...evaluation.judgement import REPORT, report_in

    rows = None if kept.rows is None else {"digest": kept.rows.digest, "rows": kept.rows.size}
    found = report_in(_arrays(workspace, kept.digest, [REPORT]))
    return replace(found, of=_called(model, number, kept.name), rows=rows)


def kept_reports(model: ModelState, number: int) -> tuple[KeptReport, ...]:
    """The reports that are kept of a version's evaluations, of each name the newest, the newest last."""
    return model.reports.get(model.version(number).number, ())


def kept_outcomes(
    workspace: Workspace, model: ModelState, number: int, rows: Rows, figure: Figure | None = None
) -> Outcomes | None:
    """What a version said of each of those rows, as it was kept last; None where nothing was.

    Of a `figure` those that it was measured of: the same evaluation's, else such as give it the same value.
    """
    from ...evaluation.judgement import REPORT
    from ...evaluation.outcomes import Outcomes

    of_rows = [each for each in kept_reports(model, number) if each.rows is not None and each.rows.same(rows)]
    for each in sorted(of_rows, key=lambda each: (figure is not None and each.seq == figure.seq, each.seq))[::-1]:
        names = [entry.name for entry in workspace.vault.manifest(each.digest).tensors if entry.name != REPORT]
        if not names:
            continue
        outcomes = Outcomes.of_tensors(_arrays(workspace, each.digest, names))
        if figure is None or each.seq == figure.seq or _gives(outcomes, figure):
            return outcomes
    return None


def _gives(outcomes: Outcomes, figure: Figure) -> bool:
    """Whether a figure may be of these outcomes: one that was measured of other predictions has another value."""
    if figure.task not in (None, outcomes.task):
        return False
    value = outcomes.performance.figures().get(figure.metric, figure.value)
    return math.isclose(value, figure.value, rel_tol=1e-9, abs_tol=1e-12)


def judgeable(workspace: Workspace, model: ModelState, number: int) -> Any:
    """The object of a version, where it says anything of rows."""
    from ...evaluation.subjects import says_something

    subject = to_judge(workspace, model, number)
    if not says_something(subject):
        raise Refused(
            f"version {number} of {model.name} cannot judge itself, for its class does not say how",
            python="give it a predict(data), or judge what it predicted by evaluate_predictions",
            cli="judge it from Python, and record the figures there",
        )
    return subject


def _recorded(
    workspace: Workspace,
    model: ModelState,
    number: int,
    judgement: Judgement,
    request: ReportRequest,
    data: Mapping[str, Any],
    *,
    name: str,
    better: Mapping[str, str],
    key: str | None,
) -> Evaluation:
    from ...models.state import tensors_of

    arrays, kept = judgement.arrays(with_outcomes=request.keep_outcomes), None
    if arrays:
        kept = workspace.vault_to_save().keep(tensors_of(arrays), base=None, graph=Graph({}, ()))
    rest = Stored() if kept is None else told_ahead(stored(kept), lambda page: workspace.admit(page, None))
    command = RecordEvaluation(
        model=model.name,
        version=number,
        data=data,
        name=name,
        metrics=judgement.figures,
        task=judgement.performance.task,
        better=judgement.better | checked_better(better),
        **judgement.intervals(),
        report=None if kept is None else kept.manifest.digest,
        stored=rest,
    )
    workspace.admit(command, key, () if kept is None else placed(kept))
    report = judgement.report and replace(judgement.report, of=_called(model, number, name), rows=_rows(data))
    return Evaluation(workspace.version(model, number), name, judgement.performance, report)


def _called(model: ModelState, number: int, name: str) -> str:
    """What a report is of."""
    return f"{model.name}@{number}, {name or UNNAMED}"


def _rows(data: Mapping[str, Any]) -> dict[str, Any] | None:
    rows = identity_of(data)
    return None if rows is None else {"digest": rows.digest, "rows": rows.size}


def columns_beside(data: Any, request: ReportRequest, labels: Any = None) -> Table | None:
    """The columns of the data that a report was asked for by name; all but the labels, where all are searched."""
    from ...datasets.tables import read_table

    if not request.named and request.slices is not True:
        return None
    if data is None:
        raise Malformed(
            "columns are named, and there are no data to find them in",
            python="give data=, or the values",
            cli="judge a file or named data",
        )
    if not isinstance(data, LabelledFile):
        return read_table(data)
    columns = data.columns(None if request.slices is True else request.named)
    return read_table(columns.drop_columns([labels]) if request.slices is True else columns)


def without_extra(model: ModelState, number: int, data: Any, request: ReportRequest) -> Any:
    """The data without columns that the report alone was asked for, which the version never learnt."""
    from ...datasets.selection import selection
    from ...datasets.tables import read_table, selected

    event = model.version(number).event
    schema = schema_of(event.architecture, event.data)
    if not schema or isinstance(data, LabelledFile):
        return data
    asked = read_table(data).by_name if request.slices is True else request.named
    extra = [name for name in asked if name not in schema]
    return selected(data, selection(None, extra, None)) if extra else data


def _arrays(workspace: Workspace, digest: str, names: Sequence[str]) -> dict[str, Any]:
    """Arrays that are kept of an evaluation. Raises `Damaged` where it has them not."""
    from ...models.arrays import empty_numpy

    manifest = workspace.vault.manifest(digest)
    if absent := [name for name in names if name not in manifest]:
        raise Damaged("what was kept of an evaluation", expected=f"an array {absent[0]!r}", found="none")
    return all_converted(workspace.vault, digest, Graph({digest: 1}, ()), names, empty_numpy)
