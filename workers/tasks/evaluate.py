"""Evaluate: a version judged on labelled rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ...domain.job.kinds import REPORT_OPTIONS, JudgesVersion, LabelledRows
from ..task import task

if TYPE_CHECKING:
    from ...jobs.protocol.messages import Finished
    from ..context import Context


class Evaluate(LabelledRows, JudgesVersion):
    """What an evaluation is asked with."""

    kind: Literal["evaluate"] = "evaluate"


@task(Evaluate)
def evaluate(payload: Evaluate, context: Context) -> Finished:
    """Rebuild the version's model, ask it about each row, and keep the report."""
    from ...datasets.examination import noted
    from ...datasets.selection import schema_of
    from ...datasets.tables import fingerprint, read_table
    from ...evaluation.judgement import judge_subject
    from ...evaluation.request import ReportRequest
    from ...jobs.protocol.messages import MadeEvaluation
    from ...models.model import Model
    from ...models.places import fill
    from ...models.rebuild import rebuilt
    from ..rows import OrderedRows

    base = context.order.base
    assert base is not None, "the ledger names the version to judge"
    tensors = context.restored(base.way)
    model = rebuilt(base.architecture, tensors)
    fill(model, tensors)
    if isinstance(model, Model):
        model.recall(hyperparameters=base.hyperparameters, settings=base.settings, data=base.data, metrics=base.metrics)

    request = ReportRequest(**{option: getattr(payload, option) for option in REPORT_OPTIONS})
    schema = schema_of(base.architecture, base.data, {payload.label: getattr(model, "label_type", None)})
    source, beside = OrderedRows(payload, context), None
    rows, labels = source.labelled(schema)
    if request.named or request.slices is True:
        columns = source.columns(None if request.slices is True else request.named)
        beside = read_table(columns.drop_columns([payload.label]) if request.slices is True else columns)
    with noted() as remarks:
        judgement = judge_subject(model, rows, labels, payload.task, request, beside)

    performance = judgement.performance
    made = MadeEvaluation(
        data=fingerprint(rows, labels),
        metrics=judgement.figures,
        task=performance.task,
        better=judgement.better,
        kept=context.keep_arrays(judgement.arrays(with_outcomes=request.keep_outcomes)),
        **judgement.intervals(),
    )
    return context.finished(made, performance.to_dict(), remarks)
