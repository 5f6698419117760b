"""Every wait for the read model has an end, and a query that nothing else stops costs the projector a restart."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from pathlib import Path

import numpy as np
import pytest

from lepton_ai.errors import LeptonError, Malformed, Refused, Unavailable
from lepton_ai.manager import ModelManager
from lepton_ai.projections.following import Feed, Follower
from lepton_ai.projections.projector import Projection
from lepton_ai.projections.queries.child import answer
from lepton_ai.projections.queries.query import query
from lepton_ai.projections.queries.server import Server
from lepton_ai.projections.queries.wire import connected
from lepton_ai.settings import load
from lepton_ai.wiring import Home

from ..asking import PATIENCE, freeze, until
from .past import Past
from .test_storage import small_past

LAST = "SELECT max(version) AS v FROM versions"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with ModelManager(tmp_path / "home") as manager:
        manager.save_version({"w": np.zeros(3, np.float32)}, name="m")
    return tmp_path / "home"


@pytest.fixture
def projector(home: Path) -> Iterator[subprocess.Popen[str]]:
    running = subprocess.Popen(
        [str(Path(sys.executable).with_name("lepton")), "projector"],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"LEPTON_HOME": str(home), "PYTHONSAFEPATH": "1"},
    )
    until((home / "read" / "main.sock").exists)
    with running:
        yield running
        running.send_signal(signal.SIGCONT)
        running.kill()


def test_a_projector_that_is_stopped_is_given_up_and_named(
    home: Path, projector: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with ModelManager(home) as manager:
        assert manager.sql(LAST)["v"].to_pylist() == [1]
    monkeypatch.setenv("LEPTON_WAIT", "2")
    with ModelManager(home) as manager:
        freeze(projector.pid)
        begun = time.monotonic()
        for ask in (lambda: manager.sql(LAST), lambda: manager.find("metric.f1 > 1")):
            with pytest.raises(Unavailable, match=f"process {projector.pid}, did not answer within 2 s"):
                ask()
        failures: list[str] = []

        def asks() -> None:
            try:
                manager.sql(LAST)
            except LeptonError as error:
                failures.append(str(error))

        # more than its queue of callers takes
        callers = [threading.Thread(target=asks) for _ in range(200)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(PATIENCE)
        assert len(failures) == 200
        assert time.monotonic() - begun < PATIENCE
    monkeypatch.setenv("LEPTON_WAIT", "60")
    projector.send_signal(signal.SIGCONT)
    with ModelManager(home) as manager:
        assert manager.sql(LAST)["v"].to_pylist() == [1]


def test_a_query_that_cannot_be_stopped_costs_the_projector_a_restart_and_nothing_else(
    home: Path, projector: subprocess.Popen[str]
) -> None:
    """`lpad` builds its text in one step, in which DuckDB looks for no interruption."""
    hostile = "SELECT sum(length(lpad('x', 2000000000, 'yz'))) FROM range(100) AS r (i)"
    with ModelManager(home) as manager:
        assert manager.sql(LAST)["v"].to_pylist() == [1]
        with pytest.raises(LeptonError) as ended:
            manager.sql(hostile, timeout=0.5)
        assert isinstance(ended.value, Unavailable | Refused)
        manager.tag("after", "m@1")

        def answers() -> bool:
            try:
                return manager.sql("SELECT tag FROM tags")["tag"].to_pylist() == ["after"]
            except Unavailable:
                return False

        until(answers)
    assert projector.poll() is None


def test_who_waits_for_the_views_asks_the_projector_as_soon_as_it_listens(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A projector holds the file of the views before it listens; whoever asks meanwhile must not wait for the file."""
    monkeypatch.setenv("LEPTON_WAIT", str(10 * PATIENCE))
    with (
        ModelManager(home) as manager,
        closing(Home(load(home))) as beside,
        beside.projection() as projection,
        Follower(projection, lambda: nullcontext(beside.store)) as follower,
        ThreadPoolExecutor(1) as pool,
    ):
        answer = pool.submit(lambda: manager.sql(LAST))
        assert not wait([answer], timeout=1.0).done
        with Server(home / "read" / "main.sock", follower):
            assert answer.result(PATIENCE)["v"].to_pylist() == [1]


def never() -> AbstractContextManager[Feed]:
    raise AssertionError("nobody follows")


def test_a_socket_stands_at_its_path_only_once_somebody_listens(tmp_path: Path) -> None:
    connected_at_once: list[bool] = []
    stop = threading.Event()
    path = tmp_path / "main.sock"

    def looks() -> None:
        while not stop.is_set():
            if path.exists():
                with suppress(FileNotFoundError):
                    connected(path, 5.0).close()
                    connected_at_once.append(True)

    with Projection(tmp_path, small_past(3), wait=0) as projection, ThreadPoolExecutor(1) as pool:
        looking = pool.submit(looks)
        follower = Follower(projection, never)
        for _ in range(30):
            seen = len(connected_at_once)
            with Server(path, follower):
                until(lambda seen=seen: len(connected_at_once) > seen or looking.done())
        stop.set()
        looking.result(PATIENCE)  # raises where a path was there and nobody listened


def test_a_query_that_overruns_by_far_has_the_program_begin_anew_in_its_process(tmp_path: Path) -> None:
    code = (
        "import os, sys, time\n"
        "from lepton_ai.projections.queries import watchdog\n"
        "watchdog.GRACE = 0.1\n"
        "begun = os.environ.get('BEGUN')\n"
        "few = len(os.listdir('/proc/self/fd')) < 10\n"
        "if begun: print('again', begun == str(os.getpid()), few, flush=True); os._exit(0)\n"
        "os.environ['BEGUN'] = str(os.getpid())\n"
        "kept = [os.open('/dev/null', os.O_RDONLY) for _ in range(50)]\n"
        "for each in kept: os.set_inheritable(each, True)\n"
        "dog = watchdog.Watchdog(watchdog.restart); dog.start()\n"
        "with dog.watching('SELECT 1', 0.0): time.sleep(60)\n"
    )
    (tmp_path / "stuck.py").write_text(code)
    ended = subprocess.run(
        [sys.executable, str(tmp_path / "stuck.py")], capture_output=True, text=True, timeout=100, check=False
    )
    assert ended.stdout == "again True True\n", ended.stderr


def test_a_lock_that_cannot_write_its_holder_is_held_and_given_back(tmp_path: Path) -> None:
    code = (
        "import os, resource, sys\n"
        "from pathlib import Path\n"
        "from lepton_ai.errors import Unavailable\n"
        "from lepton_ai.events.sql.lock import FileLock\n"
        "before = len(os.listdir('/proc/self/fd'))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "lock = FileLock(Path(sys.argv[1]), 'it', 0)\n"
        "try: FileLock(Path(sys.argv[1]), 'it', 0)\n"
        "except Unavailable as error: assert 'process unknown' in str(error), error\n"
        "else: raise AssertionError('held twice')\n"
        "lock.release()\n"
        "FileLock(Path(sys.argv[1]), 'it', 0).release()\n"
        "assert len(os.listdir('/proc/self/fd')) == before\n"
        "print('held')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "lock")], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.stdout == "held\n", ended.stderr


def test_a_read_model_that_cannot_be_opened_leaves_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    past = small_past(3)

    class Away(Past):
        def read(self, after: int, limit: int) -> list[object]:  # type: ignore[override]
            raise Unavailable("the log is away; try again")

    with Projection(tmp_path, past, wait=0) as held:
        held.catch_up()

    def opened_here() -> list[str]:
        files: list[str] = []
        for each in Path("/proc/self/fd").iterdir():
            with suppress(OSError):
                files.append(str(each.readlink()))
        return sorted(file for file in files if file.startswith(str(tmp_path)))

    before = opened_here()
    for _ in range(3):
        with pytest.raises(Unavailable, match="away"):
            Projection(tmp_path, Away(), wait=0)
    assert opened_here() == before
    with Projection(tmp_path, past, wait=0) as held:
        assert held.position == past.end()


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELECT " + "+".join(["1"] * 5000), r"nested too deeply|depth|stack"),
        ("SELECT " + "(" * 5000 + "1" + ")" * 5000, r"nested too deeply|depth|stack|does not stand"),
        ("SELECT '" + "x" * 300_000 + "'", "at most 262,144 bytes"),
        (" UNION ALL ".join(["SELECT 1"] * 4000), r"20,000 parts|nested too deeply|depth"),
        ("SELECT * FROM (VALUES " + ",".join(["(1,2,3,4,5,6)"] * 8000) + ")", "20,000 parts"),
    ],
)
def test_a_query_too_large_to_plan_is_refused_at_once(tmp_path: Path, sql: str, says: str) -> None:
    with Projection(tmp_path, small_past(3), wait=0) as held:
        held.catch_up()
        with pytest.raises((Refused, Malformed), match=says):
            query(held, sql, timeout=60)
        assert query(held, "SELECT 1 AS one").to_pylist() == [{"one": 1}]


def test_beside_a_projector_the_views_are_checked_rebuilt_and_copied(
    home: Path, projector: subprocess.Popen[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    until(lambda: (home / "read" / "main.sock").is_socket())
    monkeypatch.chdir(tmp_path)
    with ModelManager(home) as manager:
        manager.save_version({"w": np.ones(3, np.float32)}, name="m")
        end = manager.verify().size
        assert manager.fsck() == []
        assert manager.rebuild() == end
        manager.snapshot("views.duckdb")
        with pytest.raises(Refused, match=r"views\.duckdb exists"):
            manager.snapshot("views.duckdb")
        assert manager.sql(LAST)["v"].to_pylist() == [2]
    assert projector.poll() is None
    assert [path.name for path in (home / "read").iterdir() if "snapshot" in path.name] == []
    assert answer("views.duckdb", LAST)["v"].to_pylist() == [2]
    with pytest.raises(Refused, match=r"there is no copy of the views in none\.duckdb"):
        answer("none.duckdb", LAST)


def test_who_waits_for_an_event_that_cannot_come_learns_it_at_once(tmp_path: Path) -> None:
    past, over = small_past(3), threading.Event()

    class Fed:
        read = staticmethod(past.read)
        wait = staticmethod(over.wait)

    with Projection(tmp_path, past, wait=0) as projection:
        with Follower(projection, lambda: nullcontext(Fed), silence=lambda: "nobody sends them") as follower:
            end = past.end()
            follower.reach(end, 60)
            with pytest.raises(Unavailable, match=f"does not reach the read model, .* event {end}: nobody sends them"):
                follower.reach(end + 1, 86_400)

        def away() -> AbstractContextManager[Feed]:
            raise Unavailable("Kafka does not answer; try again")

        with Follower(projection, away) as follower, pytest.raises(Unavailable, match="Kafka does not answer"):
            follower.reach(end + 1, 86_400)
