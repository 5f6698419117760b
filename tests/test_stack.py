"""`make stack`: the whole ledger runs, works, and leaves nothing running."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lepton_ai import ModelManager

from .asking import until
from .broker import Kafka
from .buckets import S3
from .cli_home import Cli
from .servers import PostgreSQL

ROOT = Path(__file__).parents[1]


@pytest.fixture
def stack(kafka: Kafka, postgresql: PostgreSQL, s3_server: S3) -> Iterator[subprocess.Popen[str]]:
    """The stack as `make stack` starts it; what it needs is known to run here."""
    stack = subprocess.Popen(
        [sys.executable, "-m", "tests.stack"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    yield stack
    if stack.poll() is None:
        os.killpg(stack.pid, signal.SIGKILL)
        stack.wait()


def settings_of(stack: subprocess.Popen[str]) -> dict[str, str]:
    """What the stack says how to talk to it, once it runs."""
    assert stack.stdout is not None
    settings: dict[str, str] = {}
    while not (line := stack.stdout.readline()).startswith("#"):
        assert line, "it ended before it ran"
        name, value = re.fullmatch(r"export (\w+)='(.*)'\n", line).groups()
        settings[name] = value
    return settings


def test_the_stack_runs_works_and_stops_without_a_trace(
    stack: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(stack)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    home = Path(settings["LEPTON_HOME"])
    with ModelManager() as manager:
        for n in range(3):
            manager.save_version({"w": np.full((50, 50), n, dtype=np.float32)}, name="credit")
        until(lambda: (home / "read" / "main.sock").exists(), 60)
        assert manager.sql("SELECT count(*) AS n FROM versions").to_pylist() == [{"n": 3}]
        manager.rollback(1, model="credit", reason="to see")
        assert manager.load_arrays("credit@main")["w"][0, 0] == 0
        assert manager.fsck(projection=False) == []
    until(lambda: Cli(home)("status --json").json["kafka"]["lag"] == 0, 30)

    stack.send_signal(signal.SIGTERM)
    stack.wait(60)

    assert stack.returncode == 0
    with pytest.raises(ProcessLookupError):
        os.killpg(stack.pid, 0)
    assert not home.exists()


def test_the_demo_runs_unchanged_on_the_stack_and_its_trainings_are_the_workers(
    stack: subprocess.Popen[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings_of(stack).items():
        monkeypatch.setenv(name, value)
    demo = [sys.executable, str(ROOT / "examples" / "demo.py"), "--home", str(tmp_path / "demo"), "--lang", "en"]

    environment = os.environ | {"PYTHONSAFEPATH": ""}
    told = subprocess.run(demo, env=environment, capture_output=True, text=True, timeout=300, cwd=tmp_path)

    assert told.returncode == 0, told.stderr
    assert "Equal to the first evaluation to the last digit." in told.stdout
    with ModelManager() as manager:
        jobs = [job for job in manager.jobs.recent() if job.status == "finished"]
        assert [job.version for job in jobs] == [2, 1]
        assert manager.sql("SELECT count(*) AS n FROM rollbacks").to_pylist() == [{"n": 2}]
        assert manager.fsck(projection=False) == []
    stack.send_signal(signal.SIGTERM)
    assert stack.wait(60) == 0
