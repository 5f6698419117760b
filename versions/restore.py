"""Restoring: a version's tensors back from the vault, exact to the last bit, and the object they belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ..domain.model.recipe import Recipe, version_digest
from ..domain.model.state import ModelState
from ..errors import Damaged, Malformed
from ..events.model import VersionCommitted
from ..results import PendingVersion
from ..settings import log
from .deltas import graph_of
from .filling import RECALLED, Empty, all_converted, applied, loaded
from .workspace import Workspace

if TYPE_CHECKING:
    from ..tensors.graph import Graph
    from ..tensors.tensor import LiveTensor, Tensor
    from ..tensors.vault import Vault

T = TypeVar("T")


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


def files(workspace: Workspace, model: ModelState, number: int) -> dict[str, bytes]:
    """The files kept beside a version."""
    return {file.name: workspace.vault.blob(file.digest) for file in model.version(number).event.files}


def load(workspace: Workspace, model: ModelState, number: int, into: Any = None) -> Any:
    """The object a version was saved from: rebuilt from its architecture, or filled into one that the caller built."""
    event = verified_event(workspace, model, number)
    recalled = {name: getattr(event, name) for name in RECALLED}
    bare, graph = f"version {number} of {model.name}", graph_of(model, event.tensors)
    target = loaded(workspace.vault, event.tensors, graph, recalled, bare, into)
    workspace.remember(target, workspace.version(model, number))
    return target


def apply(workspace: Workspace, model: ModelState, number: int, module: Any) -> tuple[str, ...]:
    """Put a live module on another version by replaying deltas in place: the digests replayed, in order.

    Where the module is not what this workspace last loaded or saved, or no deltas lead from there, the version is read
    and written whole, and none are named. On any error the module is left bit for bit as it was.
    """
    event, vault = verified_event(workspace, model, number), workspace.vault
    origin = workspace.origin(module)
    known = None if isinstance(origin, PendingVersion) or origin is None or origin.model != model.name else origin

    def replay(live: Mapping[str, LiveTensor]) -> tuple[str, ...]:
        stands = vault.manifest(model.version(int(known or 0)).event.tensors)
        steps = vault.apply(event.tensors, graph_of(model, event.tensors, stands.digest), stands, live)
        return tuple(digest for digest, _ in steps)

    def whole() -> tuple[Vault, str, Graph]:
        return vault, event.tensors, graph_of(model, event.tensors)

    replayed = applied(module, None if known is None else replay, whole)
    workspace.remember(module, workspace.version(model, number))
    return replayed


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
