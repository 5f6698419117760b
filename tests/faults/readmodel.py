"""The read model damaged, held up, killed and forked from, and rows of the database that hold anything."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np

from lepton_ai.errors import LeptonError, Refused, Unavailable
from lepton_ai.manager import ModelManager
from lepton_ai.projections.queries import child
from lepton_ai.projections.queries.child import QueryLimits
from lepton_ai.projections.queries.client import Question

from ..asking import until
from ..events.damaged_rows import VALUES, complaints, damaged, ledger

TITLE: Final = "the read model is damaged while it is asked, its projector stopped and killed, and rows hold anything"

COUNT: Final = "SELECT count(*) AS n FROM annotations, versions"
HOSTILE: Final = (
    "SELECT length(repeat('x', 3000000000))",
    "SELECT sum(length(lpad('x', 100000000, i::VARCHAR))) FROM range(100000) AS r (i)",
    " UNION ALL ".join(["SELECT 1"] * 5000),
    "SELECT " + "+".join(["1"] * 2000),
    "WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r",
    "SELECT count(*) FROM range(10000000) a (i), range(10000000) b (j) WHERE i * j = -1",
    "SELECT i, repeat('x', 1000) FROM range(1000000) AS r (i)",
)
FORKS: Final = """
import os, sys, threading, time
from lepton_ai.manager import ModelManager
manager, stop = ModelManager(sys.argv[1]), threading.Event()
def busy(act):
    while not stop.is_set():
        act()
        time.sleep(0.01)  # or nobody else would get the read model
acts = (
    lambda: manager.sql("FROM versions"),
    lambda: manager.annotate("m@1", {"n": time.time()}),
    lambda: manager.log("m"),
)
threads = [threading.Thread(target=busy, args=(act,), daemon=True) for act in acts]
[each.start() for each in threads]
children = []
for n in range(int(sys.argv[2])):
    pid = os.fork()
    if pid == 0:
        manager.log("m")
        manager.sql("FROM tags") if n % 4 == 0 else manager.tag(f"t{n}", "m@1")
        sys.exit(0)
    children.append(pid)
    time.sleep(0.05)
codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
stop.set()
[each.join(60) for each in threads]
assert not any(codes), codes
"""


def suffer(seed: int, say: Callable[[str], None]) -> None:
    """Each part in turn, on homes of its own."""
    chance = random.Random(seed)
    os.environ["LEPTON_WAIT"] = "20"
    with tempfile.TemporaryDirectory(prefix="lepton-readmodel-") as folder:
        for name, part in (
            ("damage", _damages),
            ("projector", _projector),
            ("strangers", _strangers),
            ("forks", _forks),
            ("rows", _rows),
        ):
            home = Path(folder) / name
            say(f"{name}: {part(home, chance)}")


def _made(home: Path) -> None:
    with ModelManager(home) as manager:
        manager.save_version({"w": np.zeros(9, np.float32)}, name="m")
        for n in range(200):
            manager.annotate("m@1", {f"n{n}": n})


def _damages(home: Path, chance: random.Random) -> str:
    """The file is overwritten at random while threads ask; each answer is right or a sentence, the last is right."""
    _made(home)
    stop, wrong, outcomes = threading.Event(), list[str](), Counter[str]()

    def asks() -> None:
        with ModelManager(home) as manager:
            while not stop.is_set():
                try:
                    if (found := manager.sql(COUNT)["n"].to_pylist()) != [200]:
                        wrong.append(str(found))
                    outcomes["right"] += 1
                except LeptonError as error:
                    outcomes[type(error).__name__] += 1
                except Exception as error:  # noqa: BLE001 - each one is what is looked for
                    wrong.append(repr(error))

    threads = [threading.Thread(target=asks) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(40):
        time.sleep(chance.uniform(0.05, 0.3))  # at any moment of a query
        for path in (home / "read").glob("main-*.duckdb"):
            _overwritten(path, chance)
    stop.set()
    for thread in threads:
        thread.join(120)
    assert not wrong, wrong[:3]
    with ModelManager(home) as manager:
        assert manager.sql(COUNT)["n"].to_pylist() == [200]
        manager.fsck(objects=False)
        assert manager.fsck(objects=False) == []
    return f"40 damages while asked: {dict(outcomes)}"


def _overwritten(path: Path, chance: random.Random) -> None:
    try:
        with path.open("r+b") as file:
            size = os.fstat(file.fileno()).st_size
            if chance.random() < 0.1:
                file.truncate(size // 2)
            file.seek(chance.randrange(max(1, size)))
            file.write(chance.randbytes(chance.choice([1, 64, 4096])))
    except FileNotFoundError:
        return


def _projector(home: Path, chance: random.Random) -> str:
    """A projector that is stopped, killed and asked what cannot be answered; the ledger answers behind each."""
    _made(home)
    command = [str(Path(sys.executable).with_name("lepton")), "--home", str(home), "projector"]
    outcomes = Counter[str]()
    for n in range(8):
        running = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=os.environ | {"PYTHONSAFEPATH": "1"})
        try:
            with ModelManager(home) as manager:
                until((home / "read" / "main.sock").is_socket, 120)
                _answers(manager)
                act = ("stop", "kill", "hostile", "stop")[n % 4]
                if act == "stop":
                    running.send_signal(signal.SIGSTOP)
                elif act == "kill":
                    threading.Timer(chance.uniform(0, 0.5), running.kill).start()
                begun = time.monotonic()
                try:
                    manager.sql(HOSTILE[0] if act == "hostile" else COUNT, timeout=1.0)
                    outcomes[f"{act}: answered"] += 1
                except LeptonError as error:
                    outcomes[f"{act}: {type(error).__name__}"] += 1
                assert time.monotonic() - begun < 120, act
                running.send_signal(signal.SIGCONT)
                _answers(manager)
        finally:
            running.kill()
            running.wait()
            (home / "read" / "main.sock").unlink(missing_ok=True)
    return str(dict(outcomes))


def _answers(manager: ModelManager) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            assert manager.sql(COUNT)["n"].to_pylist() == [200]
        except Unavailable:
            assert time.monotonic() < deadline, "it never answered again"
            time.sleep(0.1)
        else:
            return


def _strangers(home: Path, chance: random.Random) -> str:
    """Hostile queries through the door for strangers, in random order: each is refused in time."""
    _made(home)
    copy = home / "copy.duckdb"
    with ModelManager(home) as manager:
        manager.snapshot(copy)
    limits = QueryLimits(seconds=2.0, cpu_seconds=4, memory=1 << 29, answer=4 << 20)
    slowest = 0.0
    for sql in chance.sample(HOSTILE, len(HOSTILE)):
        begun = time.monotonic()
        with suppress(Refused):
            child.answer(copy, Question(sql), limits)
        slowest = max(slowest, time.monotonic() - begun)
        assert child.answer(copy, Question(COUNT), limits)["n"].to_pylist() == [200]
    assert slowest < 60
    return f"{len(HOSTILE)} hostile queries, the slowest for {slowest:.1f} s"


def _forks(home: Path, chance: random.Random) -> str:
    """Two dozen children of a process of busy threads, ended as Python ends."""
    _made(home)
    command = [sys.executable, "-c", FORKS, str(home), "24"]
    environment = os.environ | {"PYTHONSAFEPATH": "1", "LEPTON_WAIT": "60"}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=environment)
    assert ended.returncode == 0, ended.stderr[-2000:]
    with ModelManager(home) as manager:
        assert manager.sql("SELECT count(*) AS n FROM tags")["n"][0].as_py() == 18
        assert manager.fsck(objects=False) == []
    return "24 children of a busy process, none hung"


def _rows(home: Path, chance: random.Random) -> str:
    """Cells of the database that hold anything, drawn at random."""
    os.environ["LEPTON_WAIT"] = "2"
    cells = ledger(home / "good")
    tried = 0
    for cell in chance.choices(cells, k=60):
        value = chance.choice(VALUES)
        if damaged(home / "good", home / "tried", cell, value):
            tried += 1
            found = list(complaints(home / "tried"))
            assert not found, (cell, value, found)
    return f"{tried} cells damaged, each told as damage"
