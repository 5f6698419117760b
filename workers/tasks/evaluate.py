"""Evaluate: a version judged on labelled rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ...domain.job.kinds import JudgesVersion, LabelledRows
from ...errors import Refused
from ..task import task

if TYPE_CHECKING:
    from ...jobs.protocol.messages import Finished
    from ..context import Context


class Evaluate(LabelledRows, JudgesVersion):
    """What an evaluation is asked with."""

    kind: Literal["evaluate"] = "evaluate"


@task(Evaluate)
def evaluate(payload: Evaluate, context: Context) -> Finished:
    """Rebuild the version's model and have it judge itself."""
    from ...datasets.examination import noted
    from ...datasets.selection import schema_of
    from ...datasets.tables import fingerprint
    from ...jobs.protocol.messages import MadeEvaluation
    from ...models.model import Model
    from ...models.places import fill
    from ...models.rebuild import rebuilt
    from ..rows import labelled_rows

    base = context.order.base
    assert base is not None, "the ledger names the version to judge"
    tensors = context.restored(base.way)
    model = rebuilt(base.architecture, tensors)
    if not isinstance(model, Model):
        raise Refused(f"version {base.version} is no Lepton model; it cannot judge itself")
    fill(model, tensors)
    model.recall(hyperparameters=base.hyperparameters, settings=base.settings, data=base.data, metrics=base.metrics)

    schema = schema_of(base.architecture, base.data, {payload.label: model.label_type})
    rows, labels = labelled_rows(payload, context, schema)
    with noted() as remarks:
        performance = model.evaluate(rows, labels)

    evaluation = MadeEvaluation(data=fingerprint(rows, labels), metrics=performance.figures(), task=performance.task)
    return context.finished(evaluation, performance.to_dict(), remarks)
