"""`lepton upgrade` killed with -9 at random moments, again and again, on both databases."""

from __future__ import annotations

import os
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

from lepton_ai import ModelManager
from lepton_ai.events.ledger import FORMAT
from lepton_ai.events.sql.address import database_at
from lepton_ai.events.sql.upgrade import StoredLedger, standing

from ..homes import facts, kept
from ..servers import PostgreSQL

TITLE: Final = "kill -9 within `lepton upgrade`, at random moments, on SQLite and on PostgreSQL"
OF: Final = next(iter(kept.FORMATS))
KILLS: Final = int(os.environ.get("KILLS", "60"))
"""On each database."""


def suffer(seed: int, say: Callable[[str], None]) -> None:
    """Kill upgrades until enough were killed, look after each at what stands, and let the last one end."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="lepton-upgrade-") as folder:
        original = kept.home(OF, Path(folder) / "original")
        _ordeal("SQLite", _in_files(original, Path(folder)), kept.expected(OF, "home"), chance, say)
        server = PostgreSQL()
        server.start()
        try:
            os.environ["LEPTON_OBJECTS"] = kept.objects(OF, Path(folder) / "objects")
            _ordeal("PostgreSQL", _in(server, Path(folder)), kept.expected(OF, "postgresql"), chance, say)
        finally:
            server.remove()


Fresh = Callable[[int], tuple[Path, str]]
"""A ledger of the old format for the n-th time: its home and its database."""


def _in_files(original: Path, folder: Path) -> Fresh:
    def fresh(number: int) -> tuple[Path, str]:
        home = shutil.copytree(original, folder / f"home{number}")
        return home, f"sqlite:///{home / 'main.db'}"

    return fresh


def _in(server: PostgreSQL, folder: Path) -> Fresh:
    def fresh(number: int) -> tuple[Path, str]:
        os.environ["LEPTON_DATABASE"] = url = kept.postgresql(OF, server)
        return folder / f"beside{number}", url

    return fresh


def _ordeal(
    name: str, fresh: Fresh, told: dict[str, object], chance: random.Random, say: Callable[[str], None]
) -> None:
    ledgers, found = 0, Counter[str]()
    long = _whole(fresh(ledgers))
    while found["killed"] < KILLS:
        ledgers += 1
        home, url = fresh(ledgers)
        stands = _standing(url)
        while stands.format < FORMAT and found["killed"] < KILLS:
            found["killed" if _killed(home, chance.uniform(0, 1.1 * long)) else "ended by themselves"] += 1
            stands = _standing(url)
            assert stands.format == stands.announced, "it stands between two formats"
            assert (stands.events - (stands.format == FORMAT)) == told["events"], "an event was lost or doubled"
            found[f"left in format {stands.format}"] += 1
        with ModelManager(home, actor="dora") as manager:
            manager.upgrade()
            assert f"sha256:{manager._workspace.ledger.store.frontier(told['events']).root().hex()}" == told["root"]
            assert facts.models(manager, told["models"]) == told["models"]
            assert manager.fsck() == []
    say(f"{name}: " + ", ".join(f"{count} {what}" for what, count in sorted(found.items())) + f"; {ledgers} ledgers")


def _whole(ledger: tuple[Path, str]) -> float:
    """How long an upgrade takes that nobody kills."""
    begun = time.monotonic()
    assert not _killed(ledger[0], 600)
    return time.monotonic() - begun


def _killed(home: Path, after: float) -> bool:
    """Upgrade in a process of its own and kill it after some seconds: whether it was still at it."""
    child = os.fork()
    if not child:
        with ModelManager(home, actor="dora") as manager:
            try:
                manager.upgrade()
            finally:
                os._exit(0)
    end = time.monotonic() + after
    while time.monotonic() < end:
        if os.waitpid(child, os.WNOHANG)[0]:
            return False
        time.sleep(0.0005)
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1] == signal.SIGKILL


def _standing(url: str) -> StoredLedger:
    return standing(database_at(url, "main", wait=60))
