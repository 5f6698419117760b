"""A child that is forked from a process of busy threads neither hangs nor touches what is its parent's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lepton_ai.manager import ModelManager


def check_held(program: str, home: Path, *words: str, timeout: float = 200, **more: str) -> None:
    """Run a program on a home; it says so where all that it asserts held."""
    ended = subprocess.run(
        [sys.executable, "-c", program, str(home), *words],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env=os.environ | {"LEPTON_WAIT": "30", "PYTHONSAFEPATH": "1"} | more,
    )
    assert ended.stdout.endswith("held\n"), ended.stderr[-3000:]


BUSY = """
import multiprocessing, os, sys, threading, time
from pathlib import Path
import numpy as np
from lepton_ai.manager import ModelManager
from lepton_ai.settings import load
from lepton_ai.wiring import Home

home, way, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
manager = ModelManager(home)
manager.save_version({"w": np.zeros(3, np.float32)}, name="m")
manager.sql("FROM versions")
stop = threading.Event()
fault = []

def busy(act):
    def run():
        try:
            while not stop.is_set():
                act()
                time.sleep(0.01)  # or nobody else would get the read model
        except BaseException as error:
            fault.append(repr(error))
    return run

parts = Home(load(home))
acts = [
    lambda: manager.sql("SELECT count(*) FROM versions, range(20000)"),
    lambda: manager.annotate("m@1", {"n": time.time()}),
    lambda: list(manager.events()),
    lambda: manager.fsck(objects=False),
]
threads = [threading.Thread(target=busy(act), daemon=True) for act in acts]
for thread in threads:
    thread.start()

def child(n):
    with ModelManager(home) as own:
        own.tag(f"t{os.getpid()}", "m@1")
        assert own.log("m")
        assert manager.log("m")
        if n % 3 == 0:
            assert manager.sql("SELECT count(*) AS n FROM tags").num_rows == 1

ended = []
if way == "multiprocessing":
    context = multiprocessing.get_context("fork")
    children = []
    for n in range(count):
        children.append(context.Process(target=child, args=(n,)))
        children[-1].start()
    for each in children:
        each.join(120)
        ended.append(each.exitcode)
        each.kill()
else:
    for n in range(count):
        pid = os.fork()
        if pid == 0:
            child(n)
            sys.exit(0)  # with all that Python does at its end
        deadline = time.monotonic() + 120
        while (found := os.waitpid(pid, os.WNOHANG))[0] == 0 and time.monotonic() < deadline:
            time.sleep(0.01)
        if found[0] == 0:
            os.kill(pid, 9)
        ended.append(os.waitstatus_to_exitcode(found[1]) if found[0] else "hung")
stop.set()
for thread in threads:
    thread.join(120)
assert ended == [0] * count, ended
assert not fault, fault
assert manager.fsck(objects=False) == []
assert manager.sql("SELECT count(*) AS n FROM tags")["n"][0].as_py() == count
names = sorted(path.name for path in (home / "read").iterdir())
assert len([name for name in names if name.endswith(".duckdb")]) == 1, names
assert not [name for name in names if "damaged" in name or "compare" in name], names
print("held")
"""


@pytest.mark.parametrize(
    ("url", "way", "count"),
    [("sqlite", "fork", 4), ("postgresql", "fork", 3), ("sqlite", "multiprocessing", 3)],
    indirect=["url"],
)
def test_children_of_a_busy_process_end_and_their_parent_goes_on(
    tmp_path: Path, url: str, way: str, count: int
) -> None:
    place = {"LEPTON_DATABASE": url, "LEPTON_LEDGER": f"forks{os.getpid()}"}
    check_held(BUSY, tmp_path / "home", way, str(count), timeout=300, LEPTON_WAIT="60", **place)


INHERITED = """
import os, sys, threading, time
from pathlib import Path
from lepton_ai.errors import Unavailable
from lepton_ai.manager import ModelManager
from lepton_ai.settings import load
from lepton_ai.wiring import Home
import numpy as np

home = Path(sys.argv[1])
with ModelManager(home) as manager:
    manager.save_version({"w": np.zeros(3, np.float32)}, name="m")
parts = Home(load(home))
with parts.follower() as follower, ModelManager(home) as manager, manager.run("m") as run:
    follower.reach(parts.store.end(), 30)
    run.log({"f1": 0.5})
    with follower.projection.reading() as cursor:
        pid = os.fork()
        if pid == 0:
            try:
                follower.projection.position
                follower.projection.catch_up()
            except Unavailable as error:
                assert "forked" in str(error)
                sys.exit(7)  # unwinds through all of it
            os._exit(1)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert status == 7, status
        assert cursor.execute("SELECT count(*) FROM versions").fetchall() == [(1,)]
    assert parts.socket.exists()
    assert manager.sql("SELECT count(*) AS n FROM versions")["n"][0].as_py() == 1
    manager.tag("t", "m@1")
    assert manager.sql("SELECT tag FROM tags").num_rows == 1
with ModelManager(home) as manager:
    assert manager.sql("SELECT status, points FROM runs").to_pylist() == [{"status": "finished", "points": 1}]
    assert manager.sql("FROM metrics").num_rows == 1
print("held")
"""


def test_a_child_that_unwinds_through_its_parents_blocks_leaves_all_of_it_alone(tmp_path: Path) -> None:
    check_held(INHERITED, tmp_path / "home")


AMID = """
import os, sys, threading
from pathlib import Path
from lepton_ai.errors import Unavailable
from lepton_ai.manager import ModelManager
from lepton_ai.projections import inherited
from lepton_ai.settings import load
from lepton_ai.wiring import Home
import numpy as np

home = Path(sys.argv[1])
manager = ModelManager(home)
manager.save_version({"w": np.zeros(3, np.float32)}, name="m")
inherited._LONGEST = 0.1
within, stop = threading.Event(), threading.Event()
projection = Home(load(home)).projection()
projection.catch_up()

def query():
    with projection.reading():
        within.set()
        stop.wait()

reader = threading.Thread(target=query)
reader.start()
within.wait()
pid = os.fork()
if pid == 0:
    assert manager.log("m")
    try:
        manager.sql("FROM versions")
    except Unavailable as error:
        os._exit(7 if "forked" in str(error) else 8)
    os._exit(1)
stop.set()
reader.join()
projection.close()  # the read model is free for whoever asks
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
assert status == 7, status
assert manager.sql("FROM versions").num_rows == 1
names = sorted(path.name for path in (home / "read").iterdir())
assert not [name for name in names if "damaged" in name], names
print("held")
"""


def test_a_child_forked_amid_a_query_is_refused_the_read_model_and_leaves_it_in_its_place(tmp_path: Path) -> None:
    check_held(AMID, tmp_path / "home")


IMPORTS = """
import os, sys, threading
from lepton_ai.events import forks
sys.path.insert(0, sys.argv[1])
begun = threading.Event()
sys.modules["begun"] = begun
forks._IMPORTING = 0.1  # as where an import never ends
threading.Thread(target=__import__, args=("slow",), daemon=True).start()
begun.wait()
if (pid := os.fork()) == 0:
    import slow
    os._exit(slow.whole)
"""

ENDED = """
import time
end = time.monotonic() + 120
while not (ended := os.waitpid(pid, os.WNOHANG))[0] and time.monotonic() < end:
    time.sleep(0.01)
if not ended[0]:
    os.kill(pid, 9)
    sys.exit("the child waits for a thread that it does not have")
assert os.waitstatus_to_exitcode(ended[1]) == 7, ended
print("held")
"""

SLOW = """
import begun, threading
if threading.current_thread() is not threading.main_thread():
    begun.set()
    threading.Event().wait()
whole = 7
"""


def test_a_child_forked_within_an_import_of_another_thread_imports_anew(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW)

    check_held(IMPORTS + ENDED, tmp_path, timeout=100)


FIRST = """
import os, sys, threading
from lepton_ai.manager import ModelManager
sys.path.insert(0, sys.argv[1])
begun = threading.Event()
begun.forked = threading.Event()
sys.modules["begun"] = begun
threading.Thread(target=__import__, args=("late",), daemon=True).start()
begun.wait()
os.register_at_fork(before=begun.forked.set)
if (pid := os.fork()) == 0:
    import late
    os._exit(late.whole)
"""


def test_a_fork_waits_for_imports_before_any_ledger_is_opened(tmp_path: Path) -> None:
    (tmp_path / "late.py").write_text("import begun\nbegun.set()\nbegun.forked.wait()\nwhole = 7\n")

    check_held(FIRST + ENDED, tmp_path, timeout=100, PYTHONHASHSEED="0")  # which has it begin with no import done


CLOSING = """
import os, sys, threading
from lepton_ai.manager import ModelManager
from lepton_ai.events.sql import sqlite_file
manager = ModelManager(sys.argv[1])
manager.annotate("m", {"n": 1})
begun, forked, close = threading.Event(), threading.Event(), sqlite_file.Connection.close
def closes(connection):
    begun.set()
    forked.wait()
    close(connection)
sqlite_file.Connection.close = closes
closing = threading.Thread(target=manager.close)
closing.start()
begun.wait()
os.register_at_fork(before=forked.set)
if (pid := os.fork()) == 0:
    os._exit(1 if sqlite_file._open.all() else 7)
closing.join()
"""


def test_a_fork_waits_for_connections_that_are_being_closed(tmp_path: Path) -> None:
    with ModelManager(tmp_path / "home") as manager:
        manager.save_version({"w": np.zeros(1, np.float32)}, name="m")

    check_held(CLOSING + ENDED, tmp_path / "home", timeout=100)
