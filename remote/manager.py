"""The manager of a ledger that a server has: all that ModelManager does, asked over HTTP or done here."""

from __future__ import annotations

import os
from datetime import date, datetime
from typing import Any

from ..errors import Malformed, Refused
from ..home import is_url
from ..manager import ModelManager
from ..versions.arguments import checked
from .methods.asked import on_its_machine
from .methods.evidence import EvidenceOverHTTP
from .methods.judging import JudgedOverHTTP
from .methods.names import NamedOverHTTP
from .methods.searches import SearchedOverHTTP
from .methods.tables import AskedOverHTTP
from .methods.tokens import TokensOverHTTP
from .methods.versions import ReadOverHTTP
from .methods.work import WorkOverHTTP
from .place import named


@checked
class RemoteManager(
    ReadOverHTTP,
    NamedOverHTTP,
    JudgedOverHTTP,
    WorkOverHTTP,
    SearchedOverHTTP,
    AskedOverHTTP,
    EvidenceOverHTTP,
    TokensOverHTTP,
):
    """A ledger behind a server, as `ModelManager` has one in a folder.

    `home` is the server's address; LEPTON_TOKEN is who asks. Models are built, trained and saved here, from classes
    that are registered here; rows in memory or in a file are read here and sent. While the server is away saves, runs
    and metrics are spooled on this machine. Safe to share between threads, and opened anew after a fork.
    """

    def __init__(
        self, home: str | os.PathLike[str] | None = None, *, actor: str | None = None, strict: bool = False
    ) -> None:
        if actor is not None:
            who = "over HTTP who acts is the owner of the token"
            raise Refused(who, python="leave actor= out", cli="leave --actor out")
        address = os.environ.get("LEPTON_HOME") if home is None else home
        if not isinstance(address, str) or not is_url(address):
            raise Malformed("this is the manager of a server; give its address, https://HOST[:PORT]")
        self._open_place(named(address), strict)

    def __reduce__(self) -> tuple[Any, ...]:
        """A manager is pickled and copied as its address: the token is that of wherever it is opened again."""
        return _reopened, (self.place.url, self._strict, self._past)

    def as_of(self, at: int | datetime | date | str) -> RemoteManager:
        """The ledger as it was behind an event, at the end of a day (UTC) or at a time, for all that reads."""
        when = at.isoformat() if isinstance(at, date) else str(at)
        seq = int(self._remote.client.get("/position", {"at": when})["seq"])
        manager = object.__new__(RemoteManager)
        manager._open_place(self.place, True, seq if self._past is None else min(seq, self._past))
        return manager

    def close(self) -> None:
        """Close the connections; the next call opens one."""
        self._remote.close()

    @property
    def transfer(self) -> Any:
        """Bytes as a server hands them on: `Refused`, for this is a client of one."""
        raise Refused(f"{self.place.host} hands bytes on; save and load by this manager's own methods")

    @property
    def open_runs(self) -> Any:
        """Runs of scripts elsewhere, as a server is told of them: `Refused`, for this is a client of one."""
        raise Refused(f"{self.place.host} is told of runs; begin one by this manager's own run()")

    acting = on_its_machine("acting")
    chain = on_its_machine("chain")
    fsck = on_its_machine("fsck")
    heal = on_its_machine("heal")
    rebuild = on_its_machine("rebuild")
    rebuild_from_kafka = on_its_machine("rebuild_from_kafka")
    snapshot = on_its_machine("snapshot")
    build = on_its_machine("build")
    upgrade = on_its_machine("upgrade")


def _reopened(url: str, strict: bool, at: int | None) -> ModelManager:
    manager = ModelManager(url, strict=strict)
    return manager if at is None else manager.as_of(at)
