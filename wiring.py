"""The wiring: settings to adapters, once."""

from __future__ import annotations

import logging
import os
import shutil
from collections import OrderedDict
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, cast
from weakref import WeakKeyDictionary

import uuid_utils

from .desk_wiring import desk_of, workplace_of
from .domain.access.rights import ALL, Rights
from .errors import Refused, Unavailable
from .events import forks
from .events.actor import checked_actor
from .events.ledger import FORMAT
from .events.sql.actors import Actors
from .events.sql.address import database_at
from .events.sql.creation import exists, open_or_create
from .events.sql.database import Database
from .events.sql.store import Store
from .home import HomeFolder
from .ledger import Folds, Ledger
from .parts import Once
from .results import PendingVersion, Version
from .settings import Settings, log
from .tensors.address import objects_at
from .tensors.folder import FolderStore
from .tensors.objects import ObjectStore
from .versions.spool.spool import Spool
from .versions.workspace import Workspace
from .workers import tasks as tasks  # whoever submits jobs, assigns or does them knows the kinds of work

if TYPE_CHECKING:
    from .desk_wiring import HomeOfWork
    from .events.kafka.cluster import Cluster
    from .events.kafka.genuine import ForeignRecords
    from .events.kafka.log import KafkaLog
    from .events.log import EventLog
    from .events.sql.lock import Held
    from .evidence.head import KnownHead
    from .evidence.witness import Witness
    from .jobs.desk import Desk
    from .projections.following import Follower
    from .projections.projector import Projection
    from .projections.queries.client import First, There
    from .projections.queries.copies import ViewCopies
    from .projections.queries.standing import Standing
    from .results import Status, Upgraded
    from .versions.incoming.staging import Staging
    from .versions.spool.outbox import Outbox
    from .workers.local import Workplace

MOST_ACTING: Final = 1000
"""Whose ways of using a home are kept, those used last."""
_ANNOUNCED: Final[set[Path]] = set()
"""Homes that were found upwards and named once."""


@dataclass
class Home:
    """A ledger with its parts, opened on first use."""

    settings: Settings
    strict: bool = False
    """Whether an outage is raised, not spooled."""
    origins: WeakKeyDictionary[Any, Version | PendingVersion] = field(
        default_factory=WeakKeyDictionary[Any, Version | PendingVersion]
    )
    """Which version a live object was loaded from or last saved as; it outlives what is opened and closed here."""
    opening: RLock = field(default_factory=RLock, repr=False)
    quiet: bool = False
    """Whether it is said elsewhere that a ledger was made."""
    rights: Rights = ALL
    """What who asks here may do."""
    root: Home | None = field(default=None, repr=False)
    """The home that was opened, where others act in it: its parts are theirs."""
    _acting: OrderedDict[tuple[str, Rights], Home] = field(default_factory=OrderedDict[Any, Any], repr=False)
    _temporary: TemporaryDirectory[str] | None = field(default=None, repr=False)
    _stood: bool = field(default=False, repr=False)
    """Whether this process found or made the home's folder."""

    def __post_init__(self) -> None:
        forks.guard(self)

    def before_fork(self) -> None:
        """Nothing: what a thread is about to open, a child opens for itself."""

    def after_fork(self, *, child: bool) -> None:
        """A child's threads are not those that were opening."""
        if child:
            self.opening = RLock()

    def acting(self, actor: str, rights: Rights) -> Home:
        """This home as somebody else uses it, with rights of their own; what is open here they share."""
        if self.root is not None:
            return self.root.acting(actor, rights)
        with self.opening:
            if (home := self._acting.pop((actor, rights), None)) is None:
                settings = replace(self.settings, actor=actor)
                home = Home(settings, strict=True, origins=self.origins, rights=rights, root=self)
            self._acting[actor, rights] = home
            if len(self._acting) > MOST_ACTING:
                self._acting.popitem(last=False)
            return home

    @Once
    def database(self) -> Database:
        """The database of the ledger, made where there is none."""
        return self._made(lambda: str(uuid_utils.uuid4()))

    @Once
    def store(self) -> Store:
        """The event store."""
        return Store(self.database)

    @Once
    def workspace(self) -> Workspace:
        """What the handlers need."""
        from .versions.runs.lost import LostRuns

        if self.root is not None:
            return self.root.workspace.acting(checked_actor(self.settings.actor), self.rights)
        actors = Actors(self.database)
        actor = checked_actor(self.settings.actor)
        folds = Folds(self.settings.home / "folds" / self.settings.ledger, self.store, self.folder.is_there)
        ledger = Ledger(self.store, folds)
        if self.store.is_empty():
            self._begin(ledger, actors)
        return Workspace(
            ledger=ledger,
            objects=self.objects,
            actors=actors,
            actor=actor,
            origins=self.origins,
            lost=LostRuns(ledger, actors, self.settings.terms.run),
            spool=self.spool,
        )

    @Once
    def spool(self) -> Spool:
        """What waits for the ledger in this home, and what it refused."""
        folder = self.settings.home / "spool" / self.settings.ledger
        return Spool(folder, FolderStore, wait=self.settings.wait, ready=self._make_folder)

    @Once
    def staging(self) -> Staging:
        """Where chunks are put that clients upload, until a save names them."""
        from .versions.incoming.staging import Staging

        return Staging(self.settings.home / "incoming" / self.settings.ledger, self._make_folder)

    @Once
    def outbox(self) -> Outbox:
        """The way of saves and runs into the ledger; it opens nothing before it is used."""
        from .versions.spool.delivery import Delivery
        from .versions.spool.ledger import LedgerDestination
        from .versions.spool.outbox import Outbox

        delivery = Delivery(self.spool, lambda: LedgerDestination(self.workspace), self.origins)
        keeping, term = self.root is None, self.settings.terms.run
        return Outbox(delivery, self.settings.actor, strict=self.strict, keeping=keeping, run_term=term)

    @Once
    def objects(self) -> ObjectStore:
        """The object store that LEPTON_OBJECTS names."""
        filled = self.store.places_any()
        return objects_at(self.settings.objects, self.settings.ledger, wait=self.settings.wait, filled=filled)

    def copies(self, places: Sequence[str | os.PathLike[str]]) -> list[ObjectStore]:
        """Where copies of objects may lie beside the ledger's store: its spool, its folder in the home, `places`."""
        from .tensors.copies import copies_in

        return copies_in(self.settings.home, self.settings.ledger, places, self.settings.wait)

    @Once
    def cluster(self) -> Cluster:
        """The ledger's topics. `Refused` where no Kafka is set."""
        from .events.kafka.cluster import Cluster
        from .events.kafka.tls import Certificate

        settings = self.settings
        if settings.kafka is None:
            raise Refused("no Kafka is set; LEPTON_KAFKA=host:port names one")
        certificate = Certificate.named(settings.kafka_certificate, settings.kafka_key, settings.kafka_key_password)
        return Cluster.parsed(settings.kafka, settings.ledger, settings.kafka_prefix, certificate, settings.wait)

    @property
    def workplace(self) -> Workplace:
        """What a worker needs: Kafka where it is set, and then no database; else tables."""
        return workplace_of(cast("HomeOfWork", self))  # a descriptor gives its parts, which a protocol cannot say

    @property
    def desk(self) -> Desk:
        """Where this ledger's jobs are given out."""
        return desk_of(cast("HomeOfWork", self)) if self.root is None else self.root.desk

    @property
    def desk_here(self) -> Desk | None:
        """The desk that local workers use; None with Kafka, where the intake has it and workers know no database."""
        return None if self.settings.kafka else self.desk

    def lock_now(self, name: str) -> Held:
        """A lock of the ledger's. Raises `LockHeld` at once where another holds it."""
        return database_at(self.settings.database, self.settings.ledger, wait=0.0).lock(name)

    def upgrade(self, *, dry_run: bool) -> Upgraded:
        """Bring an older ledger to today's format. Nothing else here opens one."""
        from .versions.maintenance.upgrade import upgrade

        settings = self.settings
        database = database_at(settings.database, settings.ledger, wait=settings.wait)
        alone = database_at(settings.database, settings.ledger, wait=0.0)
        try:
            return upgrade(database, alone.lock, dry_run=dry_run)
        finally:
            database.close()

    def kafka_log(self) -> KafkaLog:
        """The log as its topic alone tells it; a context manager."""
        from .events.kafka.log import KafkaLog

        return KafkaLog(self.cluster)

    def kafka_feed(self, strangers: ForeignRecords | None = None) -> KafkaLog:
        """The log as its topic tells it, each record checked against the database; a context manager."""
        from .events.kafka.log import KafkaLog

        return KafkaLog(self.cluster, self.store, strangers)

    def restorable(self, ledger_id: str) -> Store:
        """The store to restore a ledger into: made empty under the ledger's own id where there is none."""
        return Store(self._made(lambda: ledger_id, restoring=True))

    def projection(self, log: EventLog | None = None, wait: float | None = None) -> Projection:
        """The read model, fed by the event table or by another `log`; it holds its file until closed.

        Another holder is waited for up to `wait` seconds, else as long as the settings say.
        """
        from .projections.projector import Projection

        source = log or self.store  # first: views of no ledger are not made
        wait = self.settings.wait if wait is None else wait
        return Projection(self._views, source, ledger=self.settings.ledger, wait=wait)

    @Once
    def _views(self) -> Path:
        """The folder of the read model: the home's, else a temporary one that goes with this process."""
        if self.settings.source == "here" and not self.folder.is_there():
            return self._borrowed_views()
        read = self.settings.home / "read"
        self._check_not_gone()
        around = next(each for each in (read, *read.parents) if each.exists())
        if not os.access(around, os.W_OK | os.X_OK):
            return self._borrowed_views()
        self._make_folder()
        return read

    def _borrowed_views(self) -> Path:
        self._temporary = TemporaryDirectory(prefix="lepton-read-")
        folder = Path(self._temporary.name)
        log.info("%s cannot be written; the views are made in a temporary folder", self.settings.home)
        for file in (self.settings.home / "read").glob(f"{self.settings.ledger}-*.duckdb"):
            with suppress(OSError):  # they can be made anew as well
                shutil.copyfile(file, folder / file.name)
        return folder

    def read_model(self) -> First:
        """Whoever answers questions first: a projector that runs beside us, or we ourselves."""
        from .projections.queries.client import First, Here

        wait = self.settings.wait
        return First(self._projector, lambda turn: Here(lambda: self.projection(wait=turn), wait), wait)

    def status(self) -> Status:
        """How the ledger is, as far as that can be found out within seconds."""
        from .jobs.status import SOON, status_of

        with closing(Home(replace(self.settings, wait=min(SOON, self.settings.wait)))) as soon:
            return status_of(soon)

    def copies_of_views(self) -> ViewCopies:
        """Copies of the views for strangers' queries, in this process's own folder; to be closed."""
        from .projections.queries.copies import ViewCopies

        return ViewCopies(self._views / "strangers", self.store, lambda to: self.read_model().snapshot(to))

    def _projector(self) -> There | None:
        """The projector that listens beside us; None where none does."""
        from .projections.queries.client import There
        from .projections.queries.wire import connected

        try:
            connected(self.socket, min(1.0, self.settings.wait)).close()
        except TimeoutError:
            pass  # one that takes no more callers is there all the same
        except OSError:
            return None
        return There(self.socket, lambda: self.store.end(), self.settings.wait)

    def views(self) -> Standing | None:
        """How far the views are, as they are; None where there are none yet or nobody can tell at once."""
        from .projections.projector import Projection
        from .projections.queries.standing import standing_in, standing_of

        folder, ledger = self.settings.home / "read", self.settings.ledger
        if (projector := self._projector()) is not None:
            return standing_of(projector)
        return standing_in(folder, ledger, lambda: Projection(folder, self.store, ledger=ledger, wait=0.0))

    @property
    def socket(self) -> Path:
        """Where a projector of this home listens."""
        return self.settings.home / "read" / f"{self.settings.ledger}.sock"

    @contextmanager
    def follower(self, stuck: Callable[[str], None] | None = None) -> Generator[Follower]:
        """The read model kept up with Kafka where it is set, else with the event table, and answering on its socket.

        `stuck` is told of a query that cannot be stopped.
        """
        from .events.kafka.genuine import ForeignRecords
        from .events.kafka.relay import unattended
        from .projections.following import Follower
        from .projections.queries.server import Server

        strangers = ForeignRecords()
        feed = (lambda: self.kafka_feed(strangers)) if self.settings.kafka else lambda: nullcontext(self.store)
        silence = (lambda: unattended(self.lock_now)) if self.settings.kafka else lambda: None
        with (
            self.projection() as projection,
            self._witnessed(),
            Follower(projection, feed, lambda: strangers.count, silence) as follower,
            Server(self.socket, follower, stuck),
        ):
            yield follower

    def check_witnesses(self) -> None:
        """Raise `Malformed` or `Refused` where LEPTON_WITNESS is set and no head could be signed, or sent there."""
        if self._witnesses():
            self._signed_head(None)

    @contextmanager
    def _witnessed(self) -> Generator[None]:
        """Signed heads sent to where LEPTON_WITNESS says, by whoever keeps the views: there is one in a home."""
        from .evidence.witness import sending

        with ExitStack() as stack:
            for witness in self._witnesses():
                every = self.settings.terms.witness
                stack.enter_context(sending(witness, partial(self._signed_head, witness), every))
            yield

    def _witnesses(self) -> list[Witness]:
        if not self.settings.witness:
            return []
        from .evidence.witness import witnesses

        return witnesses(self.settings, lambda: self.cluster)

    def _signed_head(self, witness: Witness | None) -> KnownHead:
        from .versions.evidence.heads import signed_for, signer_of

        return signed_for(self.store, signer_of(self.settings, None, None, None), witness)

    def close(self) -> None:
        """Give back what is open; whoever acts in a home that others opened has nothing to give back."""
        if self.root is not None:
            return
        self._acting.clear()
        if "workspace" in vars(self):
            self.workspace.ledger.close()
        if "database" in vars(self):
            self.database.close()
        if self._temporary is not None:
            vars(self).pop("_views", None)
            self._temporary.cleanup()
            self._temporary = None

    @property
    def folder(self) -> HomeFolder:
        """The home's folder."""
        return HomeFolder(self.settings.home, self.settings.ledger)

    def seek(self) -> None:
        """Raise `Refused` where there is no ledger: what only reads makes none."""
        if self.root is not None:
            return self.root.seek()
        if "database" in vars(self) or self.spool.waiting():
            return None
        database = self._unopened()
        try:
            if (self.folder.is_there() or not self._is_in_home()) and exists(database):
                return None
        finally:
            database.close()
        raise Refused(
            f"there is no ledger in {self.settings.home}; `lepton init` makes one there",
            python="home= or LEPTON_HOME names the home of another",
            cli="--home or LEPTON_HOME names the home of another",
        )

    def seek_unless_named(self) -> None:
        """As `seek`, for processes that keep a ledger running: they make one where its place was named to them."""
        if self.settings.source == "here" and self._is_in_home():
            self.seek()

    def begin(self, *, for_group: bool = False) -> bool:
        """Make the home and its ledger where there is none: whether the ledger was made."""
        fresh = not self.folder.is_there() or not exists(self._unopened())
        if fresh:
            self._check_unused(self._unopened())
            self.folder.make(for_group=for_group)
        self.quiet = True
        self.workspace  # noqa: B018 - makes the ledger
        return fresh

    def _unopened(self) -> Database:
        return database_at(self.settings.database, self.settings.ledger, wait=self.settings.wait)

    def _is_in_home(self) -> bool:
        return self.settings.database.startswith("sqlite:")

    def _make_folder(self) -> None:
        """Make the home for what lies beside its database; one that is gone by now is not made anew."""
        self._check_not_gone()
        self.folder.make()
        self._stood = True

    def _check_not_gone(self) -> None:
        if self._stood and not self.folder.is_there():
            raise Unavailable(f"{self.settings.home} is gone, and what is in it; bring it back, then try again")

    def _made(self, ledger_id: Callable[[], str], *, restoring: bool = False) -> Database:
        self._announce()
        self.folder.is_there()
        database = self._unopened()
        if not exists(database):
            if not restoring:
                self._check_unused(database)
            if self.folder.make():
                # whoever named no home must learn where one is made
                level = logging.WARNING if self.settings.source == "here" else logging.INFO
                log.log(level, "a new home, %s", self.settings.home)
        open_or_create(database, ledger_id)
        self._stood = self.folder.is_there()
        if self._stood:
            self.folder.check(Store(database).ledger_id, database.name)
        return database

    def _check_unused(self, database: Database) -> None:
        try:
            self.folder.check_unused(self.settings.objects_folder(), database.name)
        except Refused:
            if not exists(database):  # else another process made this very ledger meanwhile
                raise

    def _announce(self) -> None:
        """Say which home was found where none was named: a folder above captures what is done below it."""
        if self.settings.source == "above" and self.settings.home not in _ANNOUNCED:
            _ANNOUNCED.add(self.settings.home)
            log.info("the home is %s", self.settings.home)

    def _begin(self, ledger: Ledger, actors: Actors) -> None:
        """The first event. Another process may have been faster, which is as good."""
        if not self.quiet:
            log.info("a new ledger, %s, in %s", self.settings.ledger, self.settings.home)
        from .domain.commands import CreateLedger

        command = CreateLedger(ledger=self.store.ledger_id, format=FORMAT)
        try:
            ledger.admit(command, actors.named("lepton"), key=f"created-{self.store.ledger_id}")
        except Refused:
            if not self.store.end():
                raise
