"""The SDK over HTTP while its server is killed: a script goes on, and what it told is delivered once and in order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lepton_ai import ModelManager, PendingVersion

from ..web.process import ServerProcess

STEPS = 30


def test_a_run_goes_on_while_its_server_is_killed_and_is_delivered_once_and_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("LEPTON_SPOOL", str(tmp_path / "spool")), ("LEPTON_HOME", "")):
        monkeypatch.setenv(name, value)
    with ModelManager(tmp_path / "home") as local:
        local.save_version({"w": np.zeros(4, dtype=np.float32)}, name="net", message="before")
    server = ServerProcess(tmp_path / "home", environment={"LEPTON_WAIT": "30"})
    server.start()
    monkeypatch.setenv("LEPTON_WAIT", "1")
    try:
        saved = []
        with ModelManager(server.url) as manager:
            with manager.run("net") as run:
                for step in range(STEPS):
                    if step == 10:
                        server.kill()
                    if step == 20:
                        server.start()
                    run.log({"loss": 1.0 / (step + 1)}, step=step)
                    if step % 5 == 4:
                        weights = {"w": np.full(4, step, dtype=np.float32)}
                        saved.append(run.save(weights, message=f"step {step}"))
            manager.sync()
            history = [entry.message for entry in manager.log(model="net") if entry.kind == "committed"]
            points = manager.run_metrics(run.id)
            record = manager.show_run(run.id)
            again = manager.sync()
    finally:
        server.kill()

    assert any(isinstance(each, PendingVersion) for each in saved)
    assert history == [*(f"step {step}" for step in reversed(range(4, STEPS, 5))), "before"]
    assert points.column("step").to_pylist() == list(range(STEPS))
    assert (record.status, record.points) == ("finished", STEPS)
    assert not again.delivered
    with ModelManager(tmp_path / "home") as local:
        local.verify()
        assert local.fsck() == []
