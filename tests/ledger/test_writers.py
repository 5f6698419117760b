"""Several processes write into one home at once, and some die while they do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from lepton_ai import ModelManager

SCRIPT = Path(__file__).with_name("writers.py")


def run(home: Path, *arguments: str) -> list[int]:
    environment = os.environ | {"PYTHONSAFEPATH": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        (sys.executable, str(SCRIPT), arguments[0], str(home), *arguments[1:]),
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [int(word) for word in done.stdout.split()]


def begun(home: Path) -> ModelManager:
    manager = ModelManager(home)
    manager.save_version({"w": np.zeros((64, 64), "float32")}, name="shared")
    return manager


def test_twelve_processes_save_five_versions_each_and_no_answer_is_given_twice(home: Path) -> None:
    manager = begun(home)

    told = run(home, "many", "12", "5")

    assert sorted(told) == list(range(2, 62))
    assert manager.sql("SELECT count(*) AS n FROM versions").to_pylist() == [{"n": 61}]
    assert manager.fsck() == []
    assert manager.verify().size == manager.sql("SELECT max(seq) AS s FROM events").to_pylist()[0]["s"]


def test_what_was_acknowledged_before_a_kill_is_there_and_whole(home: Path) -> None:
    manager = begun(home)

    told = run(home, "killed", "20", "2026")

    assert len(told) >= 20
    assert len(set(told)) == len(told)
    kept = {row["version"] for row in manager.sql("SELECT version FROM versions").to_pylist()}
    assert set(told) <= kept
    assert kept == set(range(1, max(kept) + 1))
    assert manager.fsck() == []
    manager.verify()


def test_two_processes_make_one_home_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from lepton_ai.settings import load; from lepton_ai.wiring import Home\n"
        "print(Home(load(sys.argv[1])).workspace.ledger.store.ledger_id)"
    )
    for round in range(3):
        home = tmp_path / f"home{round}"
        racing = [
            subprocess.Popen((sys.executable, "-c", code, str(home)), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            for _ in range(2)
        ]
        told = [process.communicate() for process in racing]
        assert [process.returncode for process in racing] == [0, 0], told
        assert told[0][0] == told[1][0]
        with ModelManager(home) as manager:
            assert [event["type"] for event in manager.events()] == ["lepton.ledger.created.v1"]
