"""Several ledgers in one database behind a PgBouncer in transaction mode, which is killed, as its servers are."""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from ..pooler import PgBouncer
from ..servers import PostgreSQL
from ._savers import saving, unharmed

TITLE: Final = (
    "a PgBouncer before PostgreSQL: killed, its backends ended, its server restarted; three ledgers, none mixed"
)
LEDGERS: Final = ("one", "two", "three")
ROUNDS: Final = 20


def suffer(seed: int, say: Callable[[str], None]) -> None:
    """A saver in each of three ledgers, over two server connections that are shared by all."""
    chance = random.Random(seed)
    with ExitStack() as close:
        server = PostgreSQL()
        close.callback(server.remove)
        server.start()
        pooler = PgBouncer(server, "transaction", size=2)
        close.callback(pooler.remove)
        pooler.start()
        folder = Path(close.enter_context(tempfile.TemporaryDirectory(prefix="lepton-faults-pooler-")))
        os.environ |= {"LEPTON_DATABASE": pooler.url(), "LEPTON_HOME": str(folder)}
        killed = ended = restarted = 0
        with saving(folder, LEDGERS, 1, {}) as savers:
            for _ in range(ROUNDS):
                match chance.choice(["pooler", "backends", "backends", "server", "saver"]):
                    case "pooler":
                        pooler.stop()
                        time.sleep(chance.uniform(0.0, 2.0))
                        pooler.start()
                        killed += 1
                    case "backends":
                        server.hang_up()
                        ended += 1
                    case "server":
                        server.stop()
                        time.sleep(chance.uniform(0.0, 2.0))
                        server.start()
                        restarted += 1
                    case _:
                        victim = chance.choice(savers)
                        victim.kill()
                        victim.start()
                time.sleep(chance.uniform(0.1, 2.0))
            lives = sum(saver.lives - 1 for saver in savers)
            say(
                f"seed {seed}; killed: PgBouncer {killed}, savers {lives}; sessions ended {ended}, restarts {restarted}"
            )
        say(unharmed(savers, {ledger: folder / ledger for ledger in LEDGERS}))
