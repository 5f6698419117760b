"""Crashes: what was acknowledged stays, at `kill -9` and on a full disk; nothing half-written is visible."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from lepton_ai.events.sql.actors import Actors
from lepton_ai.events.sql.address import database_at
from lepton_ai.events.sql.audit import verify
from lepton_ai.events.sql.creation import open_or_create
from lepton_ai.events.sql.store import Store
from lepton_ai.ledger import Ledger

from ..asking import commit, note

ROUNDS = 50
"""How often the writer is killed, on each database."""

WRITER = """
import os, sys
from lepton_ai.domain.commands import Annotate
from lepton_ai.events.sql.actors import Actors
from lepton_ai.events.sql.address import database_at
from lepton_ai.events.sql.store import Store
from lepton_ai.ledger import Request, Ledger
import sqlalchemy.dialects.sqlite, psycopg
for url in map(str.strip, sys.stdin):
    child = os.fork()
    if child:
        print(child, flush=True)
        os.waitpid(child, 0)
        print("killed", flush=True)
        continue
    database = database_at(url, sys.argv[1], wait=30)
    ledger, actor, n = Ledger(Store(database)), Actors(database).named("Ada"), 0
    while n := n + 1:
        notes = [Request(Annotate(model="credit", version=1, annotations={"n": f"{os.getpid()} {n} {m}"}), actor)
                 for m in range(1 + n % 5)]
        for receipt in ledger.admit_all(notes):
            os.write(1, b"%d\\n" % receipt.events[0].seq)
"""

FULL = """
import resource, sys
from pathlib import Path
from lepton_ai.domain.commands import Annotate
from lepton_ai.errors import Unavailable
from lepton_ai.events.sql.actors import Actors
from lepton_ai.events.sql.address import database_at
from lepton_ai.events.sql.store import Store
from lepton_ai.ledger import Ledger
database = database_at(f"sqlite:///{sys.argv[1]}/main.db", "main", wait=1)
ledger, actor = Ledger(Store(database)), Actors(database).named("Ada")
kept = [ledger.admit(Annotate(model="credit", version=1, annotations={"n": "first"}), actor).events[0].seq]
room = Path(sys.argv[1], "main.db-wal").stat().st_size + int(sys.argv[2])
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (room, most))
try:
    for n in range(10000):
        kept.append(ledger.admit(Annotate(model="credit", version=1, annotations={"n": n}), actor).events[0].seq)
except Unavailable as error:
    key = error.key
    print(error, key, sep="\\n")
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
print(*kept)
print(ledger.admit(Annotate(model="credit", version=1, annotations={"n": n}), actor, key=key).events[0].seq)
"""


def test_what_was_acknowledged_survives_kill_9_at_any_moment(store: Store) -> None:
    chance = random.Random(0)
    Ledger(store).admit(commit(1), Actors(store.database).named("Ada"))
    url = store.database.url
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, store.database.ledger],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONSAFEPATH": "1"},
    )
    assert writer.stdin is not None
    assert writer.stdout is not None
    acknowledged: list[int] = []
    for _ in range(ROUNDS):
        writer.stdin.write(f"{url}\n".encode())
        writer.stdin.flush()
        child = int(writer.stdout.readline())
        # killed while it is busy with what comes after some number of acknowledgements
        for _ in range(chance.randint(1, 30)):
            acknowledged.append(int(writer.stdout.readline()))
        os.kill(child, signal.SIGKILL)
        while (line := writer.stdout.readline()) != b"killed\n":
            if line.endswith(b"\n"):
                acknowledged.append(int(line))
    writer.communicate()

    assert len(set(acknowledged)) == len(acknowledged) >= ROUNDS
    assert {row.seq for row in store.read(0, 1_000_000)} >= set(acknowledged)
    assert verify(store).size >= max(acknowledged)
    Ledger(store).admit(note("life goes on"), Actors(store.database).named("Ada"))


@pytest.mark.parametrize("room", [0, 1, 4096, 20_000, 50_001])
def test_on_a_full_disk_nothing_is_half_written(home: Path, room: int) -> None:
    database = database_at(f"sqlite:///{home / 'main.db'}", "main", wait=1)
    open_or_create(database, lambda: str(uuid4()))
    Ledger(Store(database)).admit(commit(1), Actors(database).named("Ada"))
    database.close()

    done = subprocess.run(
        [sys.executable, "-c", FULL, str(home), str(room)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONSAFEPATH": "1"},
        check=True,
    )

    message, key, kept, again = done.stdout.splitlines()
    assert "main.db" in message
    assert key
    seqs = [int(seq) for seq in kept.split()]
    assert seqs == list(range(3, 3 + len(seqs)))
    assert int(again) == seqs[-1] + 1
    assert verify(Store(database)).size == int(again)
    database.close()
