"""Train: one of Lepton's own models fitted to labelled rows, as the branch's next version."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from ...domain.job.kinds import LabelledRows, LogsMetrics, MakesVersion
from ..task import task

if TYPE_CHECKING:
    from ...jobs.protocol.messages import Finished
    from ..context import Context


class Train(LabelledRows, MakesVersion, LogsMetrics):
    """What a training is asked with."""

    kind: Literal["train"] = "train"
    model_class: Annotated[str, Field(alias="class")]
    checkpoint_seconds: Annotated[float, Field(ge=0)] = 60.0
    """Between two checkpoints."""


@task(Train)
def train(payload: Train, context: Context) -> Finished:
    """Fit the model; an attempt that was lost goes on from its last checkpoint where the model can."""
    from ...datasets.examination import examine, noted
    from ...datasets.read import labelled_alike
    from ...datasets.selection import selected_by
    from ...datasets.tables import fingerprint
    from ...models.registry import is_own, untrained
    from ...models.state import tensors_of
    from ...provenance import code, environment
    from ..rows import OrderedRows

    chosen = selected_by(payload)
    model = untrained(payload.model_class, payload.hyperparameters)
    ordered = OrderedRows(payload, context)
    rows, labels = ordered.in_parts() if model.reads_in_parts else ordered.labelled()
    other = context.order.validation_source
    validation = labelled_alike(other, payload.label, chosen, (rows, labels)) if other else None

    progress = {"progress": CheckpointWriter(context, payload.checkpoint_seconds)} if model.RESUMES else {}
    with noted() as remarks:
        if not is_own(model):  # which examines them itself
            examine(rows, labels)
        model.train(rows, labels, validation=validation, on_epoch=context.measured, **progress)

    made = context.version(
        context.keep(tensors_of(model)),
        hyperparameters=model.hyperparameters,
        architecture=model.architecture(),
        settings=model.settings,
        data=model.data or fingerprint(rows, labels),
        environment=environment(),
        code=code(),
        metrics=model.metrics,
        validation=model.validation,
        task=model.TASK or None,
    )
    return context.finished(made, dict(model.metrics), remarks)


class CheckpointWriter:
    """A fit's progress in the object store: kept now and then, and when the worker has to leave."""

    def __init__(self, context: Context, every: float) -> None:
        self._context = context
        self._every = every
        self._kept = time.monotonic()

    def begun(self) -> Mapping[str, Any] | None:
        """What an earlier attempt had come to."""
        from ...models.state import to_torch

        checkpoint = self._context.order.checkpoint
        if checkpoint is None:
            return None
        return {name: to_torch(tensor) for name, tensor in self._context.restored(checkpoint.way).items()}

    def reached(self, epoch: int, capture: Callable[[], Mapping[str, Any]]) -> None:
        """Keep what the attempt has come to, if it is time."""
        from ...datasets.fetch import Stopped
        from ...models.state import tensors_of

        stopping = self._context.stopping.is_set()
        if not stopping and time.monotonic() - self._kept < self._every:
            return
        self._context.checkpoint(epoch, tensors_of(capture()))
        self._kept = time.monotonic()
        if stopping:
            raise Stopped(f"it was stopped after epoch {epoch}")
