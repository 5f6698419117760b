"""A PostgreSQL that is frozen, read-only, restarted, without its standby or ending sessions, while others save."""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from ..servers import PostgreSQL
from ._savers import saving, unharmed

TITLE: Final = (
    "PostgreSQL is frozen, read-only, restarted, without its standby; its sessions are ended, its clients killed"
)
ROUNDS: Final = 12
MOST: Final = 3.0
"""Seconds that one state lasts at most."""


def suffer(seed: int, say: Callable[[str], None]) -> None:
    """Two savers in one ledger, while their server goes through its states in an order drawn from `seed`."""
    chance = random.Random(seed)
    with ExitStack() as close:
        server = PostgreSQL()
        close.callback(server.remove)
        server.start()
        folder = Path(close.enter_context(tempfile.TemporaryDirectory(prefix="lepton-faults-postgresql-")))
        os.environ |= {"LEPTON_DATABASE": server.url(), "LEPTON_HOME": str(folder)}
        ordeals = [_frozen, _read_only, _hung_up, _restarted, _without_standby]
        with saving(folder, ["main"], 2, {}) as savers:
            order = [*ordeals, *chance.choices(ordeals, k=ROUNDS - len(ordeals))]
            chance.shuffle(order)
            for ordeal in order:
                ordeal(server, chance.uniform(0.5, MOST))
                victim = chance.choice(savers)
                if chance.random() < 0.5:
                    victim.kill()
                    victim.start()
                time.sleep(chance.uniform(0.5, 4.0))
            say(f"seed {seed}; {dict(Counter(ordeal.__name__.strip('_') for ordeal in order))}")
            say(f"killed savers: {sum(saver.lives - 1 for saver in savers)}")
        say(unharmed(savers, {"main": folder / "main"}))


def _frozen(server: PostgreSQL, seconds: float) -> None:
    with server.frozen():
        time.sleep(seconds)


def _read_only(server: PostgreSQL, seconds: float) -> None:
    _set(server, "default_transaction_read_only = on", seconds)


def _without_standby(server: PostgreSQL, seconds: float) -> None:
    _set(server, "synchronous_standby_names = 'ghost'", seconds)


def _hung_up(server: PostgreSQL, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        server.hang_up()
        time.sleep(0.05)


def _restarted(server: PostgreSQL, seconds: float) -> None:
    server.stop()
    time.sleep(seconds / 2)
    server.start()


def _set(server: PostgreSQL, setting: str, seconds: float) -> None:
    """As an administrator sets it for a while, for all sessions."""
    server.execute(f"ALTER SYSTEM SET {setting}", "SELECT pg_reload_conf()")
    time.sleep(seconds)
    server.execute("ALTER SYSTEM RESET ALL", "SELECT pg_reload_conf()")
