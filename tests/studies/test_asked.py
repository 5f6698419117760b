"""Searches asked for as jobs: run where jobs are given out, gone on with by whoever takes over, over HTTP too."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lepton_ai import ModelManager
from lepton_ai.errors import LeptonError, Refused

from ..asking import until
from ..web.server import served
from ..worker_process import worker
from .test_workers import beside_kafka as beside_kafka
from .test_workers import ledger_process

TERMS = {"start": 8, "lease": 4, "heartbeat": 0.3, "pause": 0.1, "drain": 1}
RNG = np.random.default_rng(0)
ROWS = {"income": RNG.normal(size=80), "debt": RNG.normal(size=80)}
DEFAULTS = (ROWS["debt"] > ROWS["income"]).astype(int)
ASKED: dict[str, Any] = {"hyperparameters": {"epochs": 1, "members": 1, "hidden": [4]}, "sampler": "random"}
MODEL = "credit-scoring-model"


@pytest.fixture
def manager(home: Path) -> Iterator[ModelManager]:
    with ModelManager(home) as manager:
        manager.add_data("loans", ROWS, DEFAULTS, keep=True)
        yield manager


def test_a_search_is_a_job_that_whoever_waits_runs(manager: ModelManager) -> None:
    asked = manager.jobs.tune(MODEL, "loans", trials=2, study="asked for", key="once", **ASKED)
    again = manager.jobs.tune(MODEL, "loans", trials=2, study="asked for", key="once", **ASKED)

    ended = manager.jobs.wait(asked.job, timeout=300)

    study = manager.show_study("asked for")
    assert (again.job, asked.kind, ended.status) == (asked.job, "tune", "finished")
    assert [each.status for each in study.trials] == ["complete", "complete"]
    assert study.best is not None
    assert study.best.version == f"{MODEL}@1"
    assert ended.figures == {"f1": study.best.values[0] if study.best.values else None}
    kinds = sorted((each.kind, each.pool) for each in manager.jobs.recent())
    assert kinds == [("train", "default"), ("trial", "default"), ("trial", "default"), ("tune", "searches")]


@pytest.mark.study
def test_a_search_survives_those_who_run_it_and_a_stop_survives_too(manager: ModelManager, home: Path) -> None:
    manager.jobs.tune(MODEL, "loans", trials=40, **ASKED)

    def complete() -> int:
        studies = manager.studies()
        return studies[0].counts["complete"] if studies else 0

    first = worker(home, **TERMS)
    try:
        until(lambda: complete() > 0, 240)
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    before = complete()
    second = worker(home, **TERMS)
    try:
        until(lambda: complete() > before, 240)
        manager.stop_study(MODEL)
        until(lambda: next(each for each in manager.jobs.recent(99) if each.kind == "tune").ended, 240)
    finally:
        os.killpg(second.pid, signal.SIGKILL)
        second.wait()

    study = manager.show_study(MODEL)
    assert len(study.trials) < 40
    assert {each.status for each in study.trials} == {"complete"}
    assert study.stopped is not None
    assert len(manager.versions(MODEL).versions) == 1
    trials = [each for each in manager.jobs.recent(99) if each.kind == "trial"]
    assert len(trials) == len(study.trials)


@pytest.mark.study
def test_beside_kafka_the_intake_runs_what_was_asked_for(beside_kafka: None, home: Path) -> None:
    with ModelManager(home) as manager:
        manager.add_data("loans", ROWS, DEFAULTS, keep=True)
        others = [ledger_process(home, name) for name in ("relay", "intake")]
        others.append(worker(home, **TERMS))
        try:
            asked = manager.jobs.tune(MODEL, "loans", trials=2, **ASKED)
            ended = manager.jobs.wait(asked.job, timeout=240)
        finally:
            for each in others:
                os.killpg(each.pid, signal.SIGKILL)
                each.wait()

        study = manager.show_study(MODEL)
        assert (ended.status, [each.status for each in study.trials]) == ("finished", ["complete", "complete"])
        assert study.best is not None
        assert study.best.version == f"{MODEL}@1"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"space": {}}, "empty"),
        ({"metric": "size"}, "nobody has said"),
        ({"trials": 0}, "1 to 100,000"),
        ({"budget": "soon"}, "above 0"),
        ({"sampler": "psychic"}, "no sampler"),
        ({"warm": -1}, "earlier versions"),
        ({"pool": "A b"}, "cannot name a pool"),
    ],
)
def test_what_no_search_can_be_is_refused_when_it_is_asked_for(
    manager: ModelManager, asked: dict[str, Any], words: str
) -> None:
    with pytest.raises(LeptonError, match=words):
        manager.jobs.tune(MODEL, "loans", **(ASKED | asked))

    assert manager.jobs.recent() == []


def test_a_server_searches_for_who_asks_it(home: Path) -> None:
    with served(home, works=True) as server:
        server.manager.add_data("loans", ROWS, DEFAULTS, keep=True)
        with ModelManager(server.url) as remote:
            told: list[int] = []
            study = remote.tune(MODEL, "loans", trials=2, on_trial=lambda number, *_: told.append(number), **ASKED)

            assert (sorted(told), study.best and study.best.version) == ([0, 1], f"{MODEL}@1")
            assert remote.studies()[0] == study.summary
            with pytest.raises(Refused, match="another seed"):
                remote.jobs.tune(MODEL, "loans", trials=3, seed=1, **ASKED)
            with pytest.raises(Refused, match="named data"):
                remote.tune(MODEL, ROWS, DEFAULTS)
