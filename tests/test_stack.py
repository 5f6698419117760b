"""`make stack`: the whole ledger runs, works, and leaves nothing running."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from lepton_ai import ModelManager, Unavailable

from .asking import until
from .broker import Kafka
from .buckets import S3
from .cli_home import Cli
from .servers import PostgreSQL

ROOT = Path(__file__).parents[1]


@pytest.fixture
def start(kafka: Kafka, postgresql: PostgreSQL, s3_server: S3) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Starts the stack as `make stack` does, in a folder of the test's own; what it needs is known to run here."""
    folder = Path(tempfile.mkdtemp(prefix="lepton-stack-test-", dir="/tmp"))
    folder.chmod(0o711)
    started: list[subprocess.Popen[str]] = []

    def begin() -> subprocess.Popen[str]:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHONSAFE", "LEPTON"))
        }
        stack = subprocess.Popen(
            [sys.executable, "-m", "tests.stack"],
            cwd=ROOT,
            env=environment | {"STACK": str(folder)},
            stdout=subprocess.PIPE,
            stderr=(folder / "said").open("a"),
            text=True,
            start_new_session=True,
        )
        started.append(stack)
        return stack

    yield begin
    for stack in started:
        if stack.poll() is None:
            for each in (*processes_of(stack), stack.pid):
                os.kill(each, signal.SIGKILL)
            stack.wait()
    print((folder / "said").read_text())
    shutil.rmtree(folder)


def settings_of(stack: subprocess.Popen[str]) -> dict[str, str]:
    """What the stack says how to talk to it, once it runs."""
    assert stack.stdout is not None
    settings: dict[str, str] = {}
    while not (line := stack.stdout.readline()).startswith("#"):
        assert line, "it ended before it ran"
        name, value = re.fullmatch(r"export (\w+)='(.*)'\n", line).groups()
        settings[name] = value
    return settings


def test_the_stack_stops_and_goes_on_with_what_it_held_and_the_demo_runs_on_it_unchanged(
    start: Callable[[], subprocess.Popen[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = start()
    settings = settings_of(stack)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    home = Path(settings["LEPTON_HOME"])
    with ModelManager() as manager:
        for n in range(3):
            manager.save_version({"w": np.full((50, 50), n, dtype=np.float32)}, name="held")
        until(lambda: (home / "read" / "main.sock").exists())
        os.kill(process_of(stack, "relay"), signal.SIGKILL)  # it is started again
        until(lambda: versions(manager) == 3)
        manager.rollback(1, model="held", reason="to see")
        assert manager.load_arrays("held@main")["w"][0, 0] == 0
        assert manager.fsck(projection=False) == []
    until(lambda: Cli(home)("status --json").json["kafka"]["lag"] == 0)

    stop(stack, signal.SIGINT)

    again = start()
    assert settings_of(again) == settings
    with ModelManager() as manager:
        assert [manager.load_arrays(f"held@{n}")["w"][0, 0] for n in (1, 2, 3)] == [0, 1, 2]
        assert manager.save_version({"w": np.full((50, 50), 9, dtype=np.float32)}, name="held") == 4
        the_demo_runs(manager, tmp_path)
        end = manager.verify().size
    until(
        lambda: (
            Cli(home)("status --json").json["kafka"] | {"lost_since": 0} == {"events": end, "lag": 0, "lost_since": 0}
        ),
        60,
    )
    stop(again, signal.SIGTERM)
    assert "Traceback" not in (home.parent / "said").read_text()


def the_demo_runs(manager: ModelManager, folder: Path) -> None:
    """It does, and its trainings are the worker's."""
    demo = [sys.executable, "-m", "lepton_ai.demo", "--home", str(folder / "demo"), "--lang", "en"]

    told = subprocess.run(demo, capture_output=True, text=True, timeout=300, cwd=folder)

    assert told.returncode == 0, told.stderr
    assert "Equal to the first evaluation to the last digit." in told.stdout
    assert shutil.which(folder / re.search(r"see it on the page: (\S+) serve --home", told.stdout)[1])
    assert not re.search(r"[\u4e00-\u9fff]", told.stdout), "there is Chinese in it"
    jobs = [job for job in manager.jobs.recent() if job.status == "finished"]
    assert [job.version for job in jobs] == [2, 1]
    assert manager.sql("SELECT count(*) AS n FROM rollbacks WHERE model <> 'held'").to_pylist() == [{"n": 2}]
    assert manager.fsck(projection=False) == []


def versions(manager: ModelManager) -> int | None:
    """How many the views have; None where they are away, to be asked again."""
    try:
        return manager.sql("SELECT count(*) AS n FROM versions").to_pylist()[0]["n"]
    except Unavailable:
        return None


def processes_of(stack: subprocess.Popen[str]) -> list[int]:
    """The processes that the stack started, by their ids."""
    return [int(each) for each in Path(f"/proc/{stack.pid}/task/{stack.pid}/children").read_text().split()]


def process_of(stack: subprocess.Popen[str], name: str) -> int:
    """The id of one of Lepton's own."""
    ends = f"\0{name}\0".encode()
    return next(each for each in processes_of(stack) if Path(f"/proc/{each}/cmdline").read_bytes().endswith(ends))


def stop(stack: subprocess.Popen[str], how: signal.Signals) -> None:
    """Stop a stack as a terminal does, its whole group; it leaves nothing running."""
    processes = processes_of(stack)
    assert len(processes) >= 7
    os.killpg(stack.pid, how)
    assert stack.wait(60) == 0
    assert [each for each in processes if Path(f"/proc/{each}").exists()] == []
