"""Restoring: a version's tensors back from the vault, exact to the last bit, and the object they belong to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from ..domain.model.recipe import Recipe, version_digest
from ..domain.model.state import ModelState
from ..errors import Damaged, Malformed, Refused
from ..events.model import VersionCommitted
from ..results import PendingVersion
from ..settings import log
from ..tensors.graph import Edge, Graph
from .workspace import Workspace

if TYPE_CHECKING:
    from ..tensors.tensor import Tensor

T = TypeVar("T")


def graph_of(model: ModelState) -> Graph:
    """The graph of a model's deltas: where a restore may start, and which ways lead on."""
    tensors = {number: version.event.tensors for number, version in model.versions.items()}
    for delta in model.deltas.values():
        if lost := {delta.from_version, delta.to_version} - tensors.keys():
            raise Damaged(f"version {min(lost)} of {model.name}", expected="its event", found="only a delta of it")
    events = (version.event for version in model.versions.values())
    keyframes = {event.tensors: event.bytes for event in events if event.keyframe}
    edges = (
        Edge(tensors[delta.from_version], tensors[delta.to_version], delta.digest, delta.bytes, delta.two_way)
        for delta in model.deltas.values()
    )
    return Graph(keyframes, tuple(edges))


def tensors(
    workspace: Workspace, model: ModelState, number: int, names: Iterable[str] | None = None
) -> Mapping[str, Tensor]:
    """A version's tensors, all or those named, each verified; `Damaged` where a byte is not what was saved."""
    event = verified_event(workspace, model, number)
    wanted = None if names is None else list(names)
    if wanted is not None:
        known = {entry.name for entry in workspace.vault.manifest(event.tensors).tensors}
        if missing := sorted(set(wanted) - known):
            raise Malformed(f"version {number} of {model.name} has no tensor {missing[0]!r}; `lepton show` lists them")
    return workspace.vault.restore(event.tensors, graph_of(model), names=wanted)


def converted(
    workspace: Workspace, model: ModelState, number: int, names: Sequence[str] | None, convert: Callable[[Tensor], T]
) -> dict[str, T]:
    """A version's tensors as torch's or numpy's; tied ones are one object."""
    return all_converted(tensors(workspace, model, number, names), convert)


def all_converted(found: Mapping[str, Tensor], convert: Callable[[Tensor], T]) -> dict[str, T]:
    """Tensors as torch's or numpy's; tied ones are one object."""
    made: dict[int, T] = {}
    return {name: made[id(t)] if id(t) in made else made.setdefault(id(t), convert(t)) for name, t in found.items()}


def files(workspace: Workspace, model: ModelState, number: int) -> dict[str, bytes]:
    """The files kept beside a version."""
    return {file.name: workspace.vault.blob(file.digest) for file in model.version(number).event.files}


def load(workspace: Workspace, model: ModelState, number: int, into: Any = None) -> Any:
    """The object a version was saved from: rebuilt from its architecture, or filled into one that the caller built."""
    from ..models.model import Model
    from ..models.registry import build
    from ..models.state import fill

    event = verified_event(workspace, model, number)
    if into is None and not event.architecture:
        raise Refused(
            f"version {number} of {model.name} was saved as bare tensors; take them with load_tensors, or pass into="
        )
    target = build(event.architecture) if into is None else into
    fill(target, tensors(workspace, model, number))
    if isinstance(target, Model):
        target.recall(
            hyperparameters=event.hyperparameters,
            settings=event.settings,
            data=event.data,
            metrics=event.metrics,
            validation=event.validation,
        )
    workspace.remember(target, workspace.version(model, number))
    return target


def apply(workspace: Workspace, model: ModelState, number: int, module: Any) -> tuple[str, ...]:
    """Put a live module on another version by replaying deltas in place: the digests replayed, in order.

    Where the module is not what this workspace last loaded or saved, or no deltas lead from there, the version is read
    and written whole, and none are named. On any error the module is left bit for bit as it was.
    """
    from ..models.state import fill, in_place, tensors_of

    event, graph, live = verified_event(workspace, model, number), graph_of(model), tensors_of(module)
    origin, replayed = workspace.origin(module), None
    if isinstance(origin, PendingVersion):
        origin = None
    if origin is not None and origin.model == model.name and in_place(live):
        stands = workspace.vault.manifest(model.version(origin).event.tensors)
        with suppress(Refused):
            replayed = workspace.vault.apply(event.tensors, graph, stands, live)
    if replayed is None:
        fill(module, workspace.vault.restore(event.tensors, graph))
    workspace.remember(module, workspace.version(model, number))
    return tuple(digest for digest, _ in replayed or ())


def verified_event(workspace: Workspace, model: ModelState, number: int) -> VersionCommitted:
    """The event that made a version, its digest recomputed from manifest, parents and recipe."""
    event = model.version(number).event
    models = {model.name: model}
    try:
        for name in {parent.model for parent in event.parents} - {model.name}:
            models[name] = workspace.model(name)
    except Damaged as damage:  # of another model: what this version is made of is told by its own event
        log.warning("%s; what version %d of %s came from cannot be checked", damage, number, model.name)
        return event
    parents = [(models[each.model].version(each.version).event.digest, each.role) for each in event.parents]
    recipe = Recipe(event.hyperparameters, event.architecture, event.settings, event.data, event.derivation)
    digest = version_digest(event.tensors, parents, recipe.digest())
    if digest != event.digest:
        raise Damaged(f"version {number} of {model.name}", expected=event.digest, found=digest)
    return event
