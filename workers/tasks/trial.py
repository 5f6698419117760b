"""Trial: a model fitted to labelled rows for its figures alone, as a search asks; what was learnt is not kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from ...building.automatic.plan import FoldPlan
from ...domain.job.kinds import LabelledRows, LogsMetrics
from ..task import task

if TYPE_CHECKING:
    from ...jobs.protocol.messages import Finished
    from ..context import Context


class TrialTraining(LabelledRows, LogsMetrics):
    """What a trial is asked with."""

    kind: Literal["trial"] = "trial"
    model_class: Annotated[str, Field(alias="class")]
    folds: FoldPlan | None = None
    """By which folds it is judged; without it by the rows that the model itself holds out."""
    study: str = ""
    """The study that it is a trial of."""


@task(TrialTraining)
def trial(payload: TrialTraining, context: Context) -> Finished:
    """Fit the model and tell what it came to on the rows that it did not learn from."""
    from ...datasets.examination import noted
    from ...datasets.read import labelled_alike
    from ...datasets.selection import selected_by
    from ...models.registry import untrained
    from ..rows import OrderedRows

    chosen = selected_by(payload)
    rows, labels = OrderedRows(payload, context).labelled()
    if payload.folds is not None:
        from ...building.automatic.folded import FoldedRows

        folded = FoldedRows.of(rows, labels, payload.folds)
        return context.finished(None, folded.figures(payload.model_class, payload.hyperparameters, context.measured))
    model = untrained(payload.model_class, payload.hyperparameters)
    other = context.order.validation_source
    validation = labelled_alike(other, payload.label, chosen, (rows, labels)) if other else None
    with noted() as remarks:
        model.train(rows, labels, validation=validation, on_epoch=context.measured)
    return context.finished(None, dict(model.metrics), remarks)
