"""Restoring: a version's tensors back from the vault, exact to the last bit, and the object they belong to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from ..domain.model.recipe import Recipe, version_digest
from ..domain.model.state import ModelState
from ..errors import Damaged, Malformed, Refused
from ..events.model import VersionCommitted
from ..results import PendingVersion
from ..settings import log
from .deltas import graph_of
from .workspace import Workspace

if TYPE_CHECKING:
    from ..tensors.graph import Graph
    from ..tensors.tensor import LiveTensor, Tensor
    from ..tensors.vault import Vault

T = TypeVar("T")
Empty: TypeAlias = "Callable[[str, tuple[int, ...]], tuple[T, LiveTensor]]"
"""Makes what is still to be filled, of a dtype and shape, and gives its memory beside it."""


def tensors(workspace: Workspace, model: ModelState, number: int) -> Mapping[str, Tensor]:
    """A version's tensors, each verified; `Damaged` where a byte is not what was saved."""
    event = verified_event(workspace, model, number)
    return workspace.vault.restore(event.tensors, graph_of(model, event.tensors))


def converted(
    workspace: Workspace, model: ModelState, number: int, names: Sequence[str] | None, empty: Empty[T]
) -> dict[str, T]:
    """A version's tensors, all or those named, as torch's or numpy's; tied ones are one object."""
    event = verified_event(workspace, model, number)
    known = {entry.name for entry in workspace.vault.manifest(event.tensors).tensors}
    wanted = sorted(known if names is None else set(names))
    if missing := sorted(set(wanted) - known):
        raise Malformed(f"version {number} of {model.name} has no tensor {missing[0]!r}; `lepton show` lists them")
    return all_converted(workspace.vault, event.tensors, graph_of(model, event.tensors), wanted, empty)


def all_converted(vault: Vault, digest: str, graph: Graph, names: Iterable[str], empty: Empty[T]) -> dict[str, T]:
    """Tensors of a manifest, restored into memory that `empty` gives; tied ones are one object."""
    manifest = vault.manifest(digest)
    owners = {name: manifest.owner(name) for name in names}
    made = {owner.name: empty(owner.dtype, owner.shape) for owner in owners.values()}
    vault.fill(digest, graph, {name: memory for name, (_, memory) in made.items()})
    return {name: made[owner.name][0] for name, owner in owners.items()}


def files(workspace: Workspace, model: ModelState, number: int) -> dict[str, bytes]:
    """The files kept beside a version."""
    return {file.name: workspace.vault.blob(file.digest) for file in model.version(number).event.files}


def load(workspace: Workspace, model: ModelState, number: int, into: Any = None) -> Any:
    """The object a version was saved from: rebuilt from its architecture, or filled into one that the caller built."""
    from ..models.model import Model

    event = verified_event(workspace, model, number)
    if into is None and not event.architecture:
        from ..models.registry import FROM_PYTHON, INTO

        what = f"version {number} of {model.name} was saved as bare tensors, without a class"
        raise Refused(what, python=INTO, cli=FROM_PYTHON)
    target = restored_into(workspace.vault, event.tensors, graph_of(model, event.tensors), event.architecture, into)
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


def restored_into(vault: Vault, digest: str, graph: Graph, architecture: Mapping[str, Any], into: Any = None) -> Any:
    """Tensors of a manifest in the object that an architecture describes, or in one that the caller built.

    What the caller holds is written in place, and on any error is left bit for bit as it was.
    """
    from ..models.places import fitting_places, hand_over
    from ..models.rebuild import rebuilt

    stored = vault.stored(digest, graph)
    if into is not None:
        vault.overwrite(digest, graph, places := fitting_places(into, stored))
        hand_over(into, places)
        return into
    built = rebuilt(architecture, stored)
    vault.fill(digest, graph, places := fitting_places(built, stored))
    hand_over(built, places)
    return built


def apply(workspace: Workspace, model: ModelState, number: int, module: Any) -> tuple[str, ...]:
    """Put a live module on another version by replaying deltas in place: the digests replayed, in order.

    Where the module is not what this workspace last loaded or saved, or no deltas lead from there, the version is read
    and written whole, and none are named. On any error the module is left bit for bit as it was.
    """
    from ..models.places import fitting_places, hand_over, places_of

    event, vault = verified_event(workspace, model, number), workspace.vault
    origin, replayed = workspace.origin(module), None
    if isinstance(origin, PendingVersion):
        origin = None
    live = places_of(module)
    if origin is not None and origin.model == model.name and all(place.live for place in live.values()):
        stands = vault.manifest(model.version(origin).event.tensors)
        with suppress(Refused):
            graph = graph_of(model, event.tensors, stands.digest)
            replayed = vault.apply(event.tensors, graph, stands, live)
    if replayed is None:
        graph = graph_of(model, event.tensors)
        live = fitting_places(module, vault.stored(event.tensors, graph))
        vault.overwrite(event.tensors, graph, live)
    hand_over(module, live)
    workspace.remember(module, workspace.version(model, number))
    return tuple(digest for digest, _ in replayed or ())


def verified_event(workspace: Workspace, model: ModelState, number: int) -> VersionCommitted:
    """The event that made a version, its digest recomputed from manifest, parents and recipe."""
    event = model.version(number).event
    models = {model.name: model}
    try:
        for name in {parent.model for parent in event.parents} - {model.name}:
            models[name] = workspace.any_model(name)
    except Damaged as damage:  # of another model: what this version is made of is told by its own event
        log.warning("%s; what version %d of %s came from cannot be checked", damage, number, model.name)
        return event
    parents = [(models[each.model].version(each.version).event.digest, each.role) for each in event.parents]
    recipe = Recipe(event.hyperparameters, event.architecture, event.settings, event.data, event.derivation)
    digest = version_digest(event.tensors, parents, recipe.digest())
    if digest != event.digest:
        raise Damaged(f"version {number} of {model.name}", expected=event.digest, found=digest)
    return event
