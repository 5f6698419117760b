"""Kills: whatever is killed while it spools or delivers, what was promised is there, once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from lepton_ai import ModelManager

ROUNDS = 4


def test_kill_9_at_any_moment_of_spooling_or_delivering_neither_loses_nor_doubles(home: Path) -> None:
    with ModelManager(home) as manager:
        manager.save_version({"w": np.zeros((8, 8), "float32")}, name="net")
    environment = os.environ | {"PYTHONSAFEPATH": "1", "OMP_NUM_THREADS": "1", "LEPTON_WAIT": "0.02"}
    script = (sys.executable, "-m", "tests.versions.spoolers", str(home), str(ROUNDS), "2026")

    done = subprocess.run(
        script, env=environment | {"PYTHONPATH": str(Path(__file__).parents[2])}, cwd="/", capture_output=True,
        text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr[-3000:]
    promised = [line.split() for line in done.stdout.splitlines()]
    assert len(promised) >= ROUNDS
    manager = ModelManager(home)
    assert manager.sync().refused == ()
    events = list(manager.events())
    made = Counter(event["commandid"] for event in events if event["type"] == "lepton.version.committed.v2")
    assert {key for key, _ in promised} <= made.keys()
    assert set(made.values()) == {1}
    notes = Counter(
        event["data"]["annotations"]["is"] for event in events if event["type"] == "lepton.version.annotated.v1"
    )
    assert set(notes.values()) == {1}
    stories = {run: [event["type"] for event in events if event["subject"] == f"run/{run}"] for _, run in promised}
    whole = ["lepton.run.started.v1", "lepton.metrics.logged.v1", "lepton.run.finished.v1"]
    assert all(story == whole for story in stories.values())
    assert manager.fsck() == []
    assert manager.verify().size == len(events)
