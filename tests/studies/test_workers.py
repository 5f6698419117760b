"""A search over workers: whoever is killed, each trial is done once and told once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lepton_ai import ModelManager
from lepton_ai.events.kafka.cluster import Cluster

from ..asking import until
from ..broker import Kafka
from ..worker_process import worker

LONG = 240.0
TERMS = {"start": 8, "lease": 4, "heartbeat": 0.3, "pause": 0.1, "drain": 1}
SEARCH = """
import sys
from lepton_ai import ModelManager
sys.path.insert(0, sys.argv[1])
import parabola
with ModelManager(sys.argv[2]) as manager:
    manager.tune("parabola", sys.argv[3], "y", trials=int(sys.argv[4]), workers=2, sampler="random")
"""


@pytest.fixture
def beside_kafka(kafka: Kafka, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEPTON_KAFKA", kafka.servers)
    monkeypatch.setenv("LEPTON_KAFKA_PREFIX", cluster.prefix)


@pytest.mark.study
def test_no_trial_is_lost_or_doubled_beside_kafka(
    beside_kafka: None, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ModelManager(home) as manager:
        manager.save_version({"w": np.ones(3)}, name="other")  # workers beside Kafka make no folder of objects
    others = [ledger_process(home, name) for name in ("relay", "intake")]
    try:
        searched_though_killed(home, tmp_path, 64, monkeypatch)
    finally:
        for each in others:
            os.killpg(each.pid, signal.SIGKILL)
            each.wait()


@pytest.mark.parametrize("trials", [4, pytest.param(64, marks=pytest.mark.study)])
def test_no_trial_is_lost_or_doubled_though_workers_and_search_are_killed(
    home: Path, tmp_path: Path, trials: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched_though_killed(home, tmp_path, trials, monkeypatch)


def ledger_process(home: Path, name: str) -> subprocess.Popen[bytes]:
    """`lepton relay` or `lepton intake` of a home."""
    return subprocess.Popen(
        (sys.executable, "-c", "from lepton_ai.cli import main; main()", name),
        env=os.environ | {"PYTHONSAFEPATH": "1", "LEPTON_HOME": str(home), **settings_of(TERMS)},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def settings_of(terms: Mapping[str, float]) -> dict[str, str]:
    return {f"LEPTON_TERM_{name.upper()}": str(seconds) for name, seconds in terms.items()}


def searched_though_killed(home: Path, tmp_path: Path, trials: int, monkeypatch: pytest.MonkeyPatch) -> None:
    here = str(Path(__file__).parent)
    monkeypatch.setenv("PYTHONPATH", here)
    rows = tmp_path / "rows.csv"
    rows.write_text("a,y\n" + "".join(f"{n},{n % 2}\n" for n in range(8)))
    manager = ModelManager(home)
    manager.jobs.begun()
    workers = [worker(home, "--import", "parabola", **TERMS) for _ in range(2)]

    until(lambda: len(manager.jobs.desk().heard_of()) == 2, LONG)

    def search() -> subprocess.Popen[bytes]:
        program = (sys.executable, "-c", SEARCH, here, str(home), str(rows), str(trials))
        return subprocess.Popen(
            program, env=os.environ | {"PYTHONSAFEPATH": "1", **settings_of(TERMS)}, start_new_session=True
        )

    def ended() -> int:
        return manager.sql("SELECT coalesce(sum(complete), 0)::INT AS n FROM studies")["n"][0].as_py()

    searching = search()
    for turn, victim in enumerate((*workers, searching)):
        until(lambda turn=turn: ended() > turn, LONG)
        os.killpg(victim.pid, signal.SIGKILL)
        victim.wait()
        if turn < len(workers):
            workers[turn] = worker(home, "--import", "parabola", **TERMS)
    searching = search()

    try:
        assert searching.wait(LONG) == 0
        study = manager.show_study("parabola")
        assert [(each.trial, each.status) for each in study.trials] == [(n, "complete") for n in range(trials)]
        told: list[Any] = manager.sql(
            "SELECT stream, data ->> 'trial' AS trial FROM events WHERE type = 'lepton.trial.ended.v1'"
        ).to_pylist()
        assert len(told) == trials
        asked = manager.sql("SELECT kind, count(*)::INT AS n FROM jobs GROUP BY kind ORDER BY kind").to_pylist()
        assert asked == [{"kind": "train", "n": 1}, {"kind": "trial", "n": trials}]
        assert len(manager.versions("parabola").versions) == 1
        assert study.best is not None
        assert study.best.version == "parabola@1"
        assert manager.fsck() == []
    finally:
        for each in (*workers, searching):
            if each.poll() is None:
                os.killpg(each.pid, signal.SIGKILL)
                each.wait()
        manager.close()
