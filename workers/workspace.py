"""What all work stands on: the ledger, the vault of tensors, and who asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

from ..domain.commands import OBJECTS, AnyCommand, model_stream
from ..domain.model import Model
from ..domain.objects import Objects
from ..domain.revisions import only, resolve, split
from ..errors import UnknownRevision
from ..events.actors import FORGOTTEN, Actor, Actors
from ..events.store import Placement as PlacementRow
from ..ledger import Ledger, Receipt
from ..results import Version
from ..settings import log
from ..tensors.objects import ObjectStore

if TYPE_CHECKING:
    from ..tensors.vault import Vault


@dataclass
class Workspace:
    """The parts that a handler needs, wired once."""

    ledger: Ledger
    objects: ObjectStore
    actors: Actors
    actor: Actor
    origins: WeakKeyDictionary[Any, Version] = field(default_factory=WeakKeyDictionary[Any, Version])
    """Which version a live object was loaded from or last saved as."""

    @cached_property
    def vault(self) -> Vault:
        """The tensors of all versions; opened late, since history is told without them."""
        return self._vault(frozenset())

    def models(self) -> list[str]:
        """The names of all models, in order."""
        return [stream.removeprefix("model/") for stream in self.ledger.store.streams("model/")]

    def model(self, name: str) -> Model:
        """A model's state; an unregistered one where there is none of that name."""
        return cast(Model, self.ledger.state(model_stream(name)))

    def archived(self, name: str) -> bool:
        """Whether a model is closed to writing."""
        return self.model(name).archived

    def known_model(self, name: str | None) -> Model:
        """A model's state by its name, or the only one's. Raises `UnknownRevision`."""
        if name is None:
            name = only(self.models(), self.archived, "say which by `model=` or --model")
        model = self.model(name)
        if not model.registered:
            raise UnknownRevision(f"there is no model {name!r}; this ledger holds {', '.join(self.models()) or 'none'}")
        return model

    def resolve(self, rev: str | int, model: str | None = None) -> tuple[Model, int]:
        """The model and version that a revision names; `model` says which where the revision does not."""
        if isinstance(rev, Version):
            model = rev.model
        text = str(int(rev)) if isinstance(rev, int) else rev
        name, revision = split(text, [model] if model else self.models(), self.archived)
        found = self.known_model(name)
        resolved = resolve(found, revision)
        if resolved.seq is not None:
            log.info("%s was put on version %d by event %d", rev, resolved.version, resolved.seq)
        return found, resolved.version

    def version(self, model: Model, number: int) -> Version:
        """A version as callers hold it."""
        event = model.version(number).event
        return Version(
            number,
            model=model.name,
            digest=event.digest,
            branch=event.branch,
            parents=tuple((parent.version, parent.role) for parent in event.parents),
        )

    def origin(self, source: Any) -> Version | None:
        """Which version a live object was loaded from or last saved as; mappings are not followed."""
        return self.origins.get(source) if _followed(source) else None

    def remember(self, source: Any, version: Version) -> None:
        """Note that a live object is what a version holds."""
        if _followed(source):
            self.origins[source] = version

    def vault_to_save(self) -> Vault:
        """The vault as a save may rely on it: without the packs that are condemned."""
        condemned = cast(Objects, self.ledger.state(OBJECTS)).condemned
        return self._vault(condemned) if condemned else self.vault

    def _vault(self, condemned: frozenset[str]) -> Vault:
        from ..tensors.vault import Vault
        from .placements import StoredPlacements

        return Vault(self.objects, StoredPlacements(self.ledger.store, condemned))

    def admit(self, command: AnyCommand, key: str | None, placements: tuple[PlacementRow, ...] = ()) -> Receipt:
        """Send a command as this workspace's actor."""
        return self.ledger.admit(command, self.actor, key=key, placements=placements)

    def opened(self, actor: str, text: str, actors: Mapping[str, Actor] | None = None) -> str:
        """A sealed text as its reader sees it."""
        if not text:
            return text
        found = (self.actors.all() if actors is None else actors).get(actor)
        return found.open(text) if found else FORGOTTEN


def _followed(source: Any) -> bool:
    """Whether an object can be told apart by identity for as long as it lives."""
    return not isinstance(source, Mapping) and hasattr(source, "__weakref__")
