"""The kinds of work a job can be: each fetches, computes, keeps and answers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from ..errors import Refused
from ..tensors.graph import Graph
from ..tensors.keep import Kept
from ..tensors.objects import ObjectStore
from ..tensors.pack import Placement, read_index
from ..tensors.tensor import Tensor
from ..tensors.vault import Vault
from . import messages
from .datasets import labelled
from .environment import code, environment
from .messages import Finished, KeptDelta, MadeEvaluation, MadeVersion
from .orders import Base, Way
from .saving import packs_of
from .training import figures
from .work import Stopped, Work


class Packs:
    """Where digests lie, told by the packs that an order names; read when first asked."""

    def __init__(self, objects: ObjectStore, *ways: Way | None) -> None:
        self._objects = objects
        self._keys = sorted({key for way in ways if way is not None for key in way.packs})
        self._known: dict[str, Placement] | None = None

    def find(self, digests: Collection[str]) -> Mapping[str, Placement]:
        """Where digests lie; those that lie nowhere are left out."""
        if self._known is None:
            lines = ((key, line) for key in self._keys for line in read_index(self._objects, key).entries)
            self._known = {line.digest: Placement(line.digest, key, line.offset, line.length) for key, line in lines}
        return {digest: self._known[digest] for digest in digests if digest in self._known}


def train(work: Work) -> Finished:
    """Fit one of Lepton's own models to labelled rows; what comes of it becomes the branch's next version."""
    from ..models.state import tensors_of

    payload, base = work.order.payload, work.order.base
    rows, labels = labelled(work.order.source, payload["label"])
    model = untrained(payload["class"])
    for name, value in payload.get("hyperparameters", {}).items():
        model.add_hyperparameter(name, value)

    def epoch_ended(epoch: int, losses: Mapping[str, float]) -> None:
        work.measured(epoch, losses)
        if work.stopping.is_set():
            raise Stopped(f"it was stopped after epoch {epoch}")

    model.train(rows, labels, on_epoch=epoch_ended)

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
    fill(model, Vault(work.objects, Packs(work.objects, base.way)).restore(base.way.tensors, base.way.graph()))
    model.recall(hyperparameters=base.hyperparameters, settings=base.settings, data=base.data, metrics=base.metrics)

    performance = model.evaluate(rows, labels)

    made = MadeEvaluation(data=fingerprint(rows, labels), metrics=figures(performance))
    return Finished(job=work.order.job, epoch=work.order.epoch, n=0, made=made, result=performance.to_dict())


def untrained(name: str) -> Any:
    """One of Lepton's own models before its first fit; `Refused` where there is none of that name."""
    from difflib import get_close_matches

    from ..models.registry import OWN, registered

    if name not in OWN:
        near = get_close_matches(name, OWN, 1)
        hint = f"did you mean {near[0]}?" if near else f"Lepton knows {', '.join(sorted(OWN))}"
        raise Refused(f"there is no model {name!r} to train; {hint}")
    return registered(name)()


def keep(work: Work, tensors: Mapping[str, Tensor], base: Base | None) -> Kept:
    """Write tensors to the object store, as a delta from the base where that is smaller."""
    way = base.way if base else None
    vault = Vault(work.objects, Packs(work.objects, way))
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
