"""The kinds of work a job can be: each fetches, computes, keeps and answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from ..errors import Refused
from ..tensors.graph import Graph
from ..tensors.keep import Kept
from ..tensors.tensor import Tensor
from ..tensors.vault import Vault
from . import messages
from .datasets import labelled
from .environment import code, environment
from .messages import Checkpointed, Finished, KeptDelta, MadeEvaluation, MadeVersion
from .orders import Base, Way
from .placements import KnownPlacements, told_by
from .saving import packs_of
from .training import figures, known
from .work import Stopped, Work

EVERY: Final = 60.0
"""Seconds between two checkpoints."""


def _vault(work: Work, way: Way | None) -> Vault:
    """The object store, with what the packs of a way hold."""
    return Vault(work.objects, KnownPlacements(lambda: told_by(work.objects, way.packs if way else ())))


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
    made = MadeVersion(
        kept=told(kept),
        base=base.version if base else None,
        keyframe=kept.keyframe,
        delta=None if kept.delta is None else KeptDelta.model_validate(_delta(kept)),
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
    from ..models.data import fingerprint
    from ..models.model import Model
    from ..models.registry import build
    from ..models.state import fill

    base = work.order.base
    assert base is not None, "the ledger names the version to judge"
    rows, labels = labelled(work.order.source, work.order.payload["label"])
    model = build(base.architecture)
    if not isinstance(model, Model):
        raise Refused(f"version {base.version} is no Lepton model; it cannot judge itself")
    fill(model, _vault(work, base.way).restore(base.way.tensors, base.way.graph()))
    model.recall(hyperparameters=base.hyperparameters, settings=base.settings, data=base.data, metrics=base.metrics)

    performance = model.evaluate(rows, labels)

    made = MadeEvaluation(data=fingerprint(rows, labels), metrics=figures(performance))
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
        vault = _vault(self._work, found.way)
        return {name: to_torch(tensor) for name, tensor in vault.restore(found.way.tensors, found.way.graph()).items()}

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


def keep(work: Work, tensors: Mapping[str, Tensor], base: Base | None) -> Kept:
    """Write tensors to the object store, as a delta from the base where that is smaller."""
    way = base.way if base else None
    vault = _vault(work, way)
    manifest = vault.manifest(way.tensors) if way else None
    return vault.keep(tensors, base=manifest, graph=way.graph() if way else Graph({}, ()))


def told(kept: Kept) -> messages.Kept:
    """What was kept, in the worker's words."""
    return messages.Kept(tensors=kept.manifest.digest, packs=packs_of(kept), relies_on=tuple(sorted(kept.relies_on)))


def _delta(kept: Kept) -> dict[str, Any]:
    delta = kept.delta
    assert delta is not None
    return {name: getattr(delta, name) for name in KeptDelta.model_fields}


HANDLERS: Final[Mapping[str, Callable[[Work], Finished]]] = {"train": train, "evaluate": evaluate}
