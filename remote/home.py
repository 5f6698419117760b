"""What stands in the place of a home where the ledger is a server's: the client, the spool and the outbox."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final
from weakref import WeakKeyDictionary

from ..models.wrapped import followed, unwrapped
from ..results import PendingVersion, Version
from ..tensors.folder import FolderStore
from ..versions.spool.delivery import Delivery
from ..versions.spool.outbox import Outbox
from ..versions.spool.spool import Spool
from .client import Client
from .destination import ServerDestination
from .place import Place
from .transfer.vault import RemoteVersions

NOBODY: Final = "whoever holds the token"
"""Who spooled an entry: the server knows whose its token is."""


class RemoteHome:
    """The parts of one ledger behind a server, made on first use."""

    def __init__(
        self,
        place: Place,
        strict: bool,
        origins: WeakKeyDictionary[Any, Version | PendingVersion],
        at: int | None = None,
    ) -> None:
        self.place = place
        self.strict = strict
        self.origins = origins
        self.client = Client(place, at)

    @cached_property
    def versions(self) -> RemoteVersions:
        """The server's stored bytes, restored here."""
        return RemoteVersions(self.client, self._origin, self._remember)

    @cached_property
    def destination(self) -> ServerDestination:
        """The server, as saves and runs are told to it."""
        return ServerDestination(self.client, self.versions)

    @cached_property
    def spool(self) -> Spool:
        """What waits for the server, and what it refused."""
        return Spool(self.place.spool, FolderStore, wait=self.place.wait)

    @cached_property
    def outbox(self) -> Outbox:
        """The way of saves and runs to the server."""
        delivery = Delivery(self.spool, lambda: self.destination, self.origins)
        return Outbox(delivery, NOBODY, strict=self.strict, run_term=self.place.terms.run)

    def seek(self) -> None:
        """Nothing: a server has a ledger."""

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def _origin(self, source: Any) -> Version | PendingVersion | None:

        return self.origins.get(unwrapped(source)) if followed(source) else None

    def _remember(self, source: Any, version: Version) -> None:

        if followed(source):
            self.origins[unwrapped(source)] = version
