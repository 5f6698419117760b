"""Tensors of a vault in the objects that they belong to. No ledger is asked, so a client of a server does the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from ..errors import Refused
from ..models.optimizer_state import FILE as OPTIMIZER
from ..models.optimizer_state import fitting

if TYPE_CHECKING:
    from ..tensors.graph import Graph
    from ..tensors.tensor import LiveTensor
    from ..tensors.vault import Vault

T = TypeVar("T")
Empty: TypeAlias = "Callable[[str, tuple[int, ...]], tuple[T, LiveTensor]]"
"""Makes what is still to be filled, of a dtype and shape, and gives its memory beside it."""

RECALLED: Final = ("architecture", "hyperparameters", "settings", "data", "metrics", "validation")
"""What a version tells of the model that it was saved from."""


def parameters(vault: Vault, digest: str) -> list[str]:
    """The names of a manifest's tensors, without what keeps an optimizer's state."""
    return [entry.name for entry in vault.manifest(digest).tensors if entry.name != OPTIMIZER]


def all_converted(vault: Vault, digest: str, graph: Graph, names: Iterable[str], empty: Empty[T]) -> dict[str, T]:
    """Tensors of a manifest, restored into memory that `empty` gives; tied ones are one object."""
    manifest = vault.manifest(digest)
    owners = {name: manifest.owner(name) for name in names}
    made = {owner.name: empty(owner.dtype, owner.shape) for owner in owners.values()}
    vault.fill(digest, graph, {name: memory for name, (_, memory) in made.items()})
    return {name: made[owner.name][0] for name, owner in owners.items()}


def restored_into(vault: Vault, digest: str, graph: Graph, architecture: Mapping[str, Any], into: Any = None) -> Any:
    """Tensors of a manifest in the object that an architecture describes, or in one that the caller built.

    What the caller holds is written in place, and on any error is left bit for bit as it was.
    """
    from ..models.places import fitting_places, hand_over
    from ..models.rebuild import rebuilt, with_room

    stored = {name: each for name, each in vault.stored(digest, graph).items() if name != OPTIMIZER}
    if into is not None:
        with with_room(into, stored) as target:
            vault.overwrite(digest, graph, places := fitting_places(target, stored))
            hand_over(target, places)
        return into
    built = rebuilt(architecture, stored)
    vault.fill(digest, graph, places := fitting_places(built, stored))
    hand_over(built, places)
    return built


def loaded(vault: Vault, digest: str, graph: Graph, recalled: Mapping[str, Any], bare: str, into: Any = None) -> Any:
    """The object that a version was saved from; `recalled` is what its model knows of itself, its architecture among
    it. Raises `Refused`, saying what is `bare`, where nothing tells which class it is of."""
    from ..models.model import Model

    architecture = recalled["architecture"]
    if into is None and not architecture:
        from ..models.registry import FROM_PYTHON, INTO

        raise Refused(f"{bare} was saved as bare tensors, without a class", python=INTO, cli=FROM_PYTHON)
    target = restored_into(vault, digest, graph, architecture, into)
    if isinstance(target, Model):
        target.recall(**{name: each for name, each in recalled.items() if name != "architecture"})
    return target


def checkpoint_loaded(
    vault: Vault,
    digest: str,
    graph: Graph,
    run: str,
    architecture: Mapping[str, Any],
    hyperparameters: Callable[[], Mapping[str, Any]],
    into: Any = None,
    optimizer: Any = None,
) -> Any:
    """A checkpoint filled into an object that the caller built, or rebuilt where its class is registered here.

    With `optimizer` that is put into the state that was kept beside.
    """
    from ..models.model import Model

    if into is None and not architecture:
        raise Refused(
            f"a checkpoint of run {run} was kept as bare tensors; take them with load_checkpoint_tensors, or pass into="
        )
    what = f"the checkpoint of run {run}"
    state = None if optimizer is None else fitting(optimizer, _optimizer(vault, digest, graph), what)
    try:
        target = restored_into(vault, digest, graph, architecture, into)
    except Refused as refusal:  # its advice is a version's
        refusal.python = refusal.python.replace("load_tensors", "load_checkpoint_tensors")
        raise
    if isinstance(target, Model):
        known, given = target.hyperparameters, hyperparameters()
        target.hyperparameters.update({name: given[name] for name in known if name in given})
    if optimizer is not None:
        optimizer.load_state_dict(state)
    return target


def _optimizer(vault: Vault, digest: str, graph: Graph) -> dict[str, bytes]:
    """What keeps an optimizer's state in a manifest, by its name, where something does."""
    from ..models.arrays import empty_numpy

    if all(entry.name != OPTIMIZER for entry in vault.manifest(digest).tensors):
        return {}
    kept = all_converted(vault, digest, graph, [OPTIMIZER], empty_numpy)
    return {name: each.tobytes() for name, each in kept.items()}


def applied(
    module: Any,
    replay: Callable[[Mapping[str, LiveTensor]], tuple[str, ...]] | None,
    whole: Callable[[], tuple[Vault, str, Graph]],
) -> tuple[str, ...]:
    """Put a live module on another version: by `replay`, deltas alone, unless that is `Refused` or there is none;
    else by reading the `whole` of it. The digests replayed. On any error it is left bit for bit as it was."""
    from ..models.places import fitting_places, hand_over, places_of
    from ..models.rebuild import with_room

    live, replayed = places_of(module), None
    if replay is not None and all(place.live for place in live.values()):
        with suppress(Refused):
            replayed = replay(live)
    if replayed is not None:
        hand_over(module, live)
        return replayed
    vault, digest, graph = whole()
    with with_room(module, stored := vault.stored(digest, graph)) as target:
        vault.overwrite(digest, graph, live := fitting_places(target, stored))
        hand_over(target, live)
    return ()
