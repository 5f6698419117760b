"""Workers of a Ray cluster learn what one process learns, and go on where one of them was killed."""

from __future__ import annotations

import multiprocessing
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
import ray
import torch
from click.testing import CliRunner

from lepton_ai import ModelManager
from lepton_ai.building.parallel import launch
from lepton_ai.building.parallel.cluster import VARIABLE, ray_package
from lepton_ai.cli.app import lepton
from lepton_ai.errors import Refused, Unavailable
from lepton_ai.tests.building.ray_driver import (  # as the other process finds it
    MARK,
    address,
    begin,
    processes,
    trained_though_one_was_killed,
)

from ..asking import PATIENCE
from .test_parallel import trained
from .test_trainer import rows


def test_a_cluster_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not ray.is_initialized(), "this process would go to the cluster of other tests"
    with socket.create_server(("127.0.0.1", 0)) as free:
        monkeypatch.setenv(VARIABLE, place := f"127.0.0.1:{free.getsockname()[1]}")
    with pytest.raises(Unavailable, match=f"there is no Ray cluster at '{place}'"):
        trained(nodes=2)


@pytest.fixture(scope="module")
def driver() -> Iterator[ProcessPoolExecutor]:
    """A process that Ray's own code may end, which begins the cluster and trains on it."""
    folder = tempfile.mkdtemp(prefix="ray")  # a short path, for its sockets
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_worker_niceness", "0")  # else every other test goes first
        patch.setenv("RAY_memory_monitor_refresh_ms", "0")  # other tests' memory is none of its concern
        patch.setenv("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", "0.2")
        patch.setenv("RAY_TRAIN_ENABLE_PREEMPTION_WATCHER", "0")  # which would be two processes more
        patch.setenv("RAY_TRAIN_METRICS_ENABLED", "0")
        patch.setenv(MARK, secrets.token_hex(8))
        try:
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
                process.submit(begin, folder).result()
                yield process
                process.submit(ray.shutdown).result()
        finally:
            gone = time.monotonic() + PATIENCE
            while processes() and time.monotonic() < gone:
                time.sleep(0.1)
            left = processes()
            for pid in left:
                os.kill(pid, signal.SIGKILL)
            shutil.rmtree(folder, ignore_errors=True)
    assert left == []


@pytest.fixture
def cluster(driver: ProcessPoolExecutor) -> str:
    """The address of a Ray of this machine with two CPUs."""
    return driver.submit(address).result()


def written(path: Path) -> str:
    """The rows as a file."""
    columns, labels = rows()
    pd.DataFrame(columns | {"label": labels}).to_csv(path, index=False)
    return str(path)


def test_a_job_for_two_nodes_and_a_training_of_which_one_worker_was_killed_learn_what_one_process_learns(
    driver: ProcessPoolExecutor, cluster: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(launch, "KEPT_EVERY", 0.0)
    alone, expected = trained()

    with monkeypatch.context() as here, ModelManager(tmp_path / "home") as manager:
        here.setenv(VARIABLE, cluster)  # whoever asks could do it too
        chosen = dict(alone.hyperparameters) | {"nodes": 2}
        job = manager.jobs.train("table-model", written(tmp_path / "rows.csv"), "label", hyperparameters=chosen)
        here.delenv(VARIABLE)
        worked = CliRunner().invoke(lepton, ["--home", str(tmp_path / "home"), "worker", "--ray", cluster, "--once"])
        figures: list[Mapping[str, float]] = []
        ended = manager.jobs.wait(job.job, on_epoch=lambda epoch, told: figures.append(told))
        assert (worked.exit_code, ended.status) == (0, "finished"), (worked.output, ended)
        assert ended.version is not None
        version = manager.show(ended.version)
        whole = manager.load_tensors(ended.version)

    again, told = driver.submit(trained_though_one_was_killed).result()

    for name in ("loss", "held_out_loss"):
        assert [each[name] for each in figures] == pytest.approx([each[name] for each in expected], rel=1e-5)
        assert [each[name] for each in told] == pytest.approx([each[name] for each in expected], rel=1e-5)
    assert version.hyperparameters["nodes"] == 2
    assert version.settings == again.settings
    assert again.settings["steps"] == alone.settings["steps"] == 50
    assert again.data == alone.data
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in whole.items())


def test_nodes_without_a_cluster_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(Refused, match="2 nodes are asked for, and this process knows no Ray cluster"):
        trained(nodes=2)
    chosen = {"nodes": 2}
    with (
        ModelManager(tmp_path / "home") as manager,
        pytest.raises(Refused, match="no worker of pool default has a Ray cluster for 2 nodes; start one with `lepton"),
    ):
        manager.jobs.train("table-model", written(tmp_path / "rows.csv"), "label", hyperparameters=chosen)


def test_where_ray_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(Refused, match=r"a training on Ray needs the package ray: pip install 'lepton-ai-sdk\[ray\]'"):
        ray_package()
    worked = CliRunner().invoke(lepton, ["--home", str(tmp_path), "worker", "--ray", "auto", "--once"])
    assert "needs the package ray" in worked.output
