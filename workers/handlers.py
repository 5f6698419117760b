"""The kinds of work a job can be: each fetches, computes, keeps and answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from ..datasets.fetch import Stopped
from ..datasets.read import labelled
from ..errors import Refused
from ..jobs.protocol.messages import Checkpointed, Finished, MadeEvaluation
from ..models.registry import known
from ..provenance import code, environment
from .context import Work
from .keep import keep, told, vault, version
from .verifying import verify

EVERY: Final = 60.0
"""Seconds between two checkpoints."""


def train(work: Work) -> Finished:
    """Fit one of Lepton's own models to labelled rows; what comes of it becomes the branch's next version."""
    from ..models.registry import registered
    from ..models.state import tensors_of

    payload, base = work.order.payload, work.order.base
    rows, labels = labelled(work.order.source, payload["label"])
    model = registered(known(payload["class"]))()
    for name, value in payload.get("hyperparameters", {}).items():
        model.add_hyperparameter(name, value)

    model.train(rows, labels, on_epoch=work.measured, **({"progress": Checkpoints(work)} if model.RESUMES else {}))

    kept = keep(work, tensors_of(model), base)
    made = version(
        kept,
        base,
        hyperparameters=model.hyperparameters,
        architecture=model.architecture(),
        settings=model.settings,
        data=model.data,
        environment=environment(),
        code=code(),
        metrics=model.metrics,
    )
    return Finished(job=work.order.job, epoch=work.order.epoch, n=0, made=made, result=dict(model.metrics))


def evaluate(work: Work) -> Finished:
    """Judge a version on labelled rows."""
    from ..datasets.tables import fingerprint
    from ..models.model import Model
    from ..models.registry import build
    from ..models.state import fill

    base = work.order.base
    assert base is not None, "the ledger names the version to judge"
    rows, labels = labelled(work.order.source, work.order.payload["label"])
    model = build(base.architecture)
    if not isinstance(model, Model):
        raise Refused(f"version {base.version} is no Lepton model; it cannot judge itself")
    fill(model, vault(work, base.way).restore(base.way.tensors, base.way.graph()))
    model.recall(hyperparameters=base.hyperparameters, settings=base.settings, data=base.data, metrics=base.metrics)

    performance = model.evaluate(rows, labels)

    made = MadeEvaluation(data=fingerprint(rows, labels), metrics=performance.figures())
    return Finished(job=work.order.job, epoch=work.order.epoch, n=0, made=made, result=performance.to_dict())


class Checkpoints:
    """A fit's progress in the object store: kept now and then, and when the worker has to leave."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._every = float(work.order.payload.get("checkpoint_seconds", EVERY))
        self._kept = time.monotonic()

    def begun(self) -> Mapping[str, Any] | None:
        """What an earlier attempt had come to."""
        from ..models.state import to_torch

        found = self._work.order.checkpoint
        if found is None:
            return None
        stored = vault(self._work, found.way)
        return {name: to_torch(tensor) for name, tensor in stored.restore(found.way.tensors, found.way.graph()).items()}

    def reached(self, epoch: int, capture: Callable[[], Mapping[str, Any]]) -> None:
        """Keep what the attempt has come to, if it is time."""
        from ..models.state import tensors_of

        stopping = self._work.stopping.is_set()
        if not stopping and time.monotonic() - self._kept < self._every:
            return
        kept = keep(self._work, tensors_of(capture()), None)
        self._work.flush()
        self._work.say(Checkpointed(**self._work.next(), step=epoch, kept=told(kept)))
        self._kept = time.monotonic()
        if stopping:
            raise Stopped(f"it was stopped after epoch {epoch}")


HANDLERS: Final[Mapping[str, Callable[[Work], Finished]]] = {"train": train, "evaluate": evaluate, "verify": verify}
