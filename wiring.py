"""The wiring: settings to adapters, once; the only module that names them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import uuid_utils

from .domain.commands import CreateLedger
from .errors import Malformed, Refused
from .events.actors import Actors
from .events.address import database_at
from .events.cluster import Cluster
from .events.creation import open_or_create
from .events.database import Database
from .events.ledger import FORMAT
from .events.store import Store
from .ledger import Ledger
from .settings import FOLDER, Settings, log
from .tensors.folder import FolderStore
from .workers.workspace import Workspace

if TYPE_CHECKING:
    from .events.kafka_log import KafkaLog
    from .events.log import Log
    from .projections.projector import Projection


@dataclass
class Home:
    """A ledger with its parts, opened on first use."""

    settings: Settings

    @cached_property
    def database(self) -> Database:
        """The database of the ledger, made where there is none."""
        _folder(self.settings.home)
        database = database_at(self.settings.database, self.settings.ledger, wait=self.settings.wait)
        open_or_create(database, lambda: str(uuid_utils.uuid4()))
        return database

    @cached_property
    def store(self) -> Store:
        """The event store."""
        return Store(self.database)

    @cached_property
    def workspace(self) -> Workspace:
        """What the handlers need."""
        actors = Actors(self.database)
        actor = actors.named(self.settings.actor)
        ledger = Ledger(self.store)
        if not self.store.end():
            self._begin(ledger, actors)
        return Workspace(ledger=ledger, objects=self.objects, actors=actors, actor=actor)

    @cached_property
    def objects(self) -> FolderStore:
        """The object store that LEPTON_OBJECTS names."""
        return FolderStore(_objects(self.settings.objects) / self.settings.ledger)

    @cached_property
    def cluster(self) -> Cluster:
        """The ledger's topics. `Refused` where no Kafka is set."""
        if self.settings.kafka is None:
            raise Refused("no Kafka is set; LEPTON_KAFKA=host:port names one")
        return Cluster.parsed(self.settings.kafka, self.settings.ledger, self.settings.kafka_prefix)

    def kafka_log(self) -> KafkaLog:
        """The log as its topic tells it; a context manager."""
        from .events.kafka_log import KafkaLog

        return KafkaLog(self.cluster)

    def restorable(self, ledger_id: str) -> Store:
        """The store to restore a ledger into: made empty under the ledger's own id where there is none."""
        _folder(self.settings.home)
        database = database_at(self.settings.database, self.settings.ledger, wait=self.settings.wait)
        open_or_create(database, lambda: ledger_id)
        return Store(database)

    def projection(self, log: Log | None = None) -> Projection:
        """The read model, fed by the event table or by another `log`; it holds its file until closed."""
        from .projections.projector import Projection

        return Projection(
            self.settings.home / "read", log or self.store, ledger=self.settings.ledger, wait=self.settings.wait
        )

    def close(self) -> None:
        """Give back what is open."""
        if "database" in vars(self):
            self.database.close()

    def _begin(self, ledger: Ledger, actors: Actors) -> None:
        """The first event. Another process may have been faster, which is as good."""
        log.info("a new ledger, %s, in %s", self.settings.ledger, self.settings.home)
        command = CreateLedger(ledger=self.store.ledger_id, format=FORMAT)
        try:
            ledger.admit(command, actors.named("lepton"), key=f"created-{self.store.ledger_id}")
        except Refused:
            if not self.store.end():
                raise


def _folder(home: Path) -> None:
    try:
        fresh = not home.exists()
        home.mkdir(parents=True, exist_ok=True)
        if fresh and home.name == FOLDER:
            (home / ".gitignore").write_text("*\n")
    except (FileExistsError, NotADirectoryError) as error:
        raise Refused(f"{home} is not a folder; a home is one") from error
    except OSError as error:
        raise Refused(f"{home} cannot be made ({os.strerror(error.errno or 0)}); choose another home") from error
    if not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        raise Refused(f"{home} cannot be written; check its permissions or choose another home")


def _objects(url: str) -> Path:
    parts = urlsplit(url)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        raise Malformed(f"LEPTON_OBJECTS names a {parts.scheme or 'bare'} store; objects are kept in file:// folders")
    return Path(unquote(parts.path))
