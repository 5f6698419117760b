"""What all work stands on: the ledger, the vault of tensors, and who asks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, cast
from weakref import WeakKeyDictionary

from ..domain.access.rights import ALL, Rights
from ..domain.job.state import JobState
from ..domain.model.resolve import Revision, only, resolve, split
from ..domain.model.revision import parts
from ..domain.model.state import ModelState, ModelVersion
from ..domain.names import checked_model
from ..domain.run.state import RunState
from ..domain.state import Objects
from ..domain.streams import OBJECTS, job_stream, model_stream, run_stream
from ..errors import ReadOnly, Refused, UnknownRevision
from ..events.actor import FORGOTTEN, Actor
from ..events.envelope import Recorded, decode
from ..events.model import ModelRegistered
from ..events.sql.actors import Actors
from ..events.sql.rows import PlacementRow
from ..ledger import Ledger, Receipt
from ..models.wrapped import followed, unwrapped
from ..results import PendingVersion, Version
from ..settings import log
from ..tensors.objects import ObjectStore
from ..tracing import traceparent
from .made_by_job import numbered
from .news import note

if TYPE_CHECKING:
    from ..domain.commands import AnyCommand
    from ..tensors.cache import ChunkCache
    from ..tensors.keep import SoundPacks
    from ..tensors.vault import Vault
    from .access.tokens import TokenHolders
    from .runs.lost import LostRuns
    from .spool.spool import Spool


SHORTEST: Final = 4
"""Characters of a job's or a run's id that may stand for it."""
_WHOLE_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(\.[0-9]+)?")


@dataclass
class Workspace:
    """The parts that a handler needs, wired once."""

    ledger: Ledger
    objects: ObjectStore
    actors: Actors
    actor: str
    """The name of who asks. Who is forgotten must not act on under a key that is gone, nor come back by reading."""
    origins: WeakKeyDictionary[Any, Version | PendingVersion] = field(
        default_factory=WeakKeyDictionary[Any, Version | PendingVersion]
    )
    """Which version a live object was loaded from or last saved as."""
    lost: LostRuns | None = None
    """Who finds runs that are lost, where anybody does."""
    spool: Spool | None = None
    """Where what is refused is kept, in a home that has a place for it."""
    rights: Rights = ALL
    """What who asks may do. A model that they may not read is as if it were not there."""
    past: int | None = None
    """The event behind which the ledger is looked at; None as it is now."""
    shares: Workspace | None = None
    """Whose vault and caches it uses, where it has none of its own."""

    def acting(self, actor: str, rights: Rights) -> Workspace:
        """The same ledger and vault, asked by somebody else with rights of their own."""
        return replace(self, actor=actor, rights=rights, shares=self.shares or self)

    def as_of(self, seq: int) -> Workspace:
        """The same as the ledger was behind event `seq`, to be read."""
        past = self.ledger.as_of(seq)
        return replace(self, ledger=past, lost=None, spool=None, shares=self.shares or self, past=past.store.end())

    @property
    def now(self) -> datetime:
        """The time; of the past when its last event was recorded."""
        if self.past is None:
            return datetime.now(UTC)
        row = next(iter(self.ledger.store.read(self.past - 1, 1)), None)
        return datetime.fromtimestamp(0, UTC) if row is None else decode(row.envelope, row.leaf, row.seq).recorded

    @cached_property
    def vault(self) -> Vault:
        """The tensors of all versions; opened late, since history is told without them."""
        return self._vault(frozenset()) if self.shares is None else self.shares.vault

    def models(self) -> list[str]:
        """The names of the models that may be read, in order; a name that was only offered a version is none."""
        self.rights.check("read")
        streams = self.ledger.store.streams_holding("model/", ModelRegistered.type_name())
        names = (stream.removeprefix("model/") for stream in streams)
        return [name for name in names if self.rights.covers(name)]

    def model(self, name: str) -> ModelState:
        """A model's state; an unregistered one where there is none of that name, or it may not be read."""
        return self.any_model(name) if self.rights.may("read", name) else ModelState(name=name)

    def any_model(self, name: str) -> ModelState:
        """As `model`, whoever asks: what a version is made of is verified by models that may not be read, too."""
        return cast(ModelState, self.ledger.state(model_stream(name)))

    def archived(self, name: str) -> bool:
        """Whether a model is closed to writing."""
        return self.model(name).archived

    def known_model(self, name: str | None) -> ModelState:
        """A model's state by its name, or the only one's. Raises `UnknownRevision`."""
        if name is None:
            name = only(self.models(), self.archived, python="say which by model=", cli="say which by --model")
        model = self.model(name)
        if not model.registered:
            raise UnknownRevision(f"there is no model {name!r}; this ledger holds {', '.join(self.models()) or 'none'}")
        return model

    def resolve(self, rev: str | int, model: str | None = None) -> ModelVersion:
        """The version that a revision names, with its model."""
        name, revision = self.split(rev, model)
        state = self.known_model(name)
        resolved = resolve(state, revision)
        if resolved.seq is not None:
            log.info("%s was put on version %d by event %d", rev, resolved.version, resolved.seq)
        return ModelVersion(state, resolved.version)

    def split(self, rev: str | int, model: str | None = None) -> tuple[str, Revision]:
        """A revision, and the model it is of: `model` where it names none, `Refused` where it names another."""
        text = f"{rev.model}@{rev}" if isinstance(rev, Version) else numbered(self, str(rev))
        named, *_ = parts(text)
        if model is not None and named not in (None, model):
            raise Refused(f"{text!r} is of model {named}, and what was asked is about {model}; name one of the two")
        if model is None and named is not None and self.model(checked_model(named)).registered:
            model = named  # without a look at all others
        return split(text, self.models() if model is None else [model], self.archived)

    def guard(self, rev: str | int, model: str) -> int:
        """Where a caller believes a branch or alias of a model to be, 0 meaning nowhere."""
        return 0 if str(rev) == "0" else self.resolve(rev, model).number

    def named(self, kind: Literal["job", "run"], words: str) -> str:
        """The job or run whose id begins or ends so. Raises `UnknownRevision` where there is none, or more than one."""
        if _WHOLE_ID.fullmatch(words) and self._stands(kind, words) and self.may_read(kind, words):
            return words  # without a look at all others
        names = [stream.removeprefix(f"{kind}/") for stream in self.ledger.store.streams(f"{kind}/")]
        if words in names and self.may_read(kind, words):
            return words
        ids = [name for name in names if len(words) >= SHORTEST and (name.startswith(words) or name.endswith(words))]
        ids = [name for name in ids if self.may_read(kind, name)]
        if not ids and len(words) < SHORTEST:
            raise UnknownRevision(
                f"{words!r} is too short for the id of a {kind}; `lepton {kind}s` lists them, and {SHORTEST} "
                "characters of its beginning or end are enough where no other has them"
            )
        if len(ids) != 1:
            many = f"{len(ids)} {kind}s have ids like" if ids else f"there is no {kind}"
            raise UnknownRevision(f"{many} {words!r}; `lepton {kind}s` lists them")
        return ids[0]

    def _stands(self, kind: Literal["job", "run"], name: str) -> bool:
        stream = run_stream(name) if kind == "run" else job_stream(name)
        return cast(RunState | JobState, self.ledger.state(stream)).status != "unknown"

    def may_read(self, kind: Literal["job", "run"], name: str) -> bool:
        """Whether a job or a run may be read: its model may."""
        self.rights.check("read")
        if self.rights.everywhere:
            return True
        stream = run_stream(name) if kind == "run" else job_stream(name)
        return self.rights.covers(cast(RunState | JobState, self.ledger.state(stream)).model)

    def version(self, model: ModelState, number: int) -> Version:
        """A version as callers hold it; parents of models that may not be read are left out."""
        event = model.version(number).event
        known = (parent for parent in event.parents if self.rights.covers(parent.model))
        parents = ((each.version if each.model == model.name else each.ref, each.role) for each in known)
        return Version(number, model=model.name, digest=event.digest, branch=event.branch, parents=tuple(parents))

    def origin(self, source: Any) -> Version | PendingVersion | None:
        """Which version a live object was loaded from or last saved as; mappings are not followed."""
        return self.origins.get(unwrapped(source)) if followed(source) else None

    def remember(self, source: Any, version: Version) -> None:
        """Note that a live object is what a version holds."""
        if followed(source):
            self.origins[unwrapped(source)] = version

    @cached_property
    def holders(self) -> TokenHolders:
        """Who looks up whose a token is."""
        from .access.tokens import TokenHolders

        return TokenHolders(self)

    def vault_to_save(self) -> Vault:
        """The vault as a save may rely on it: without the packs that are condemned."""
        condemned = cast(Objects, self.ledger.state(OBJECTS)).condemned
        return self._vault(condemned) if condemned else self.vault

    def _vault(self, condemned: frozenset[str]) -> Vault:
        from ..tensors.vault import Vault
        from .placements import StoredPlacements

        return Vault(self.objects, StoredPlacements(self.ledger.store, condemned), self._sound, self._cache)

    @cached_property
    def _sound(self) -> SoundPacks:
        from ..tensors.keep import SoundPacks

        return SoundPacks(self.objects) if self.shares is None else self.shares._sound

    @cached_property
    def _cache(self) -> ChunkCache:
        from ..tensors.cache import ChunkCache

        return ChunkCache() if self.shares is None else self.shares._cache

    def admit(
        self,
        command: AnyCommand,
        key: str | None,
        placements: tuple[PlacementRow, ...] = (),
        time: datetime | None = None,
    ) -> Receipt:
        """Send a command as who asks here, a new actor where the name is new or was forgotten.

        `time` is when it happened, if not now.
        """
        if self.past is not None:
            raise ReadOnly(self.past)
        if self.lost is not None:
            self.lost.note()
        receipt = self.ledger.admit(
            command,
            self.actors.named(self.actor),
            key=key,
            placements=placements,
            time=time,
            traceparent=traceparent(),
            rights=self.rights,
        )
        note(receipt.events[-1].seq if receipt.events else None)
        return receipt

    def known(self, key: str | None) -> tuple[Recorded, ...]:
        """What a command under this key was recorded as before. Only admitting it again tells if it was the same."""
        store = self.ledger.store
        if key is None or (known := store.known(key)) is None:
            return ()
        rows = store.read(known.first - 1, known.last - known.first + 1)
        return tuple(decode(row.envelope, row.leaf, row.seq) for row in rows)

    def opened(self, actor: str, text: str, actors: Mapping[str, Actor] | None = None) -> str:
        """A sealed text as its reader sees it."""
        if not text:
            return text
        known = (self.actors.all() if actors is None else actors).get(actor)
        return known.open(text) if known else FORGOTTEN
