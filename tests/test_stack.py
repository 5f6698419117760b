"""`make stack`: the whole ledger runs, works, and leaves nothing running."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
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
def stack(kafka: Kafka, postgresql: PostgreSQL, s3_server: S3) -> subprocess.Popen[str]:
    """The stack as `make stack` starts it; what it needs is known to run here."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.stack"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_the_stack_runs_works_and_stops_without_a_trace(
    stack: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stack.stdout is not None
    settings: dict[str, str] = {}
    while not (line := stack.stdout.readline()).startswith("#"):
        assert line, "it ended before it ran"
        name, value = re.fullmatch(r"export (\w+)='(.*)'\n", line).groups()
        settings[name] = value
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
