"""Runs: the training script's door, and training that keeps its versions by itself."""

from __future__ import annotations

import math
import os
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from lepton_ai import ModelManager, Refused, Stale, Unavailable
from lepton_ai.errors import Malformed
from lepton_ai.models import CreditScoringModel
from lepton_ai.provenance import code
from lepton_ai.versions.runs.run import Run


@pytest.fixture
def manager(home: Path) -> ModelManager:
    return ModelManager(home, actor="ada")


def rows(count: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    data = rng.normal(size=(count, 4))
    return data, (data @ [2.0, -1.0, 0.5, 0.0] + rng.normal(size=count) > 0).astype(int)


def divide(run: Run) -> None:
    run.log({"loss": 1.0})
    1 / 0  # noqa: B018


def kinds(manager: ModelManager, stream: str) -> list[str]:
    return [event["type"].removeprefix("lepton.") for event in manager.events(stream=stream)]


def test_a_run_records_its_points_in_columns_and_its_version_bears_it(manager: ModelManager) -> None:
    net = nn.Linear(2, 1)
    with manager.run("net", hyperparameters={"lr": 0.1}) as run:
        for step in range(2500):
            run.log({"loss": 1 / (step + 1)}, step=step)
        version = run.save(net, message="trained")

    assert kinds(manager, f"run/{run.id}") == ["run.started.v1", *["metrics.logged.v1"] * 3, "run.finished.v1"]
    assert manager.show(version).run == run.id
    assert manager.show(version).hyperparameters == {"lr": 0.1}
    told = manager.sql("SELECT count(*) AS n, min(value) AS least FROM metrics WHERE name = 'loss'").to_pylist()
    assert told == [{"n": 2500, "least": 1 / 2500}]


def test_a_run_of_a_script_that_git_does_not_know_is_dirty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*words: str) -> None:
        subprocess.run(("git", "-c", "user.name=a", "-c", "user.email=a@b.c", *words), cwd=tmp_path, check=True)

    git("init", "-q")
    (tmp_path / "known.py").write_text("1")
    git("add", "known.py")
    git("commit", "-qm", "x")
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    ModelManager().save_version({"w": np.ones(1)}, name="toy")
    assert (tmp_path / "sub" / ".lepton").is_dir()
    assert code()["dirty"] is False

    (tmp_path / "new.py").write_text("2")
    assert (code()["dirty"], "diff" in code()) == (True, False)

    (tmp_path / "known.py").write_text("3")
    assert (code()["dirty"], "diff" in code()) == (True, True)


def test_columns_are_never_taken_for_a_fingerprint(manager: ModelManager) -> None:
    told = {"digest": "blake3:" + "ab" * 32, "rows": 3, "columns": [{"name": "age", "type": "number"}]}
    manager.save_version({"w": np.ones(1)}, name="toy", data=told)
    manager.save_version({"w": np.zeros(1)}, name="toy", data={"digest": ["a", "b"], "age": [41, 53]})

    assert manager.show("toy@1").data == told
    assert [column["name"] for column in manager.show("toy@2").data["columns"]] == ["digest", "age"]
    for leaky in ({"digest": "ab", "age": 41}, told | {"age": [41, 53]}):
        with pytest.raises(Malformed):
            manager.save_version({"w": np.ones(2)}, name="toy", data=leaky)


def test_a_diverging_run_may_log_what_is_not_finite(manager: ModelManager) -> None:
    with manager.run("net") as run:
        run.log({"loss": math.nan, "norm": math.inf})

    values = {row["name"]: row["value"] for row in manager.sql("SELECT name, value FROM metrics").to_pylist()}
    assert math.isnan(values["loss"])
    assert values["norm"] == math.inf


def test_an_exception_is_recorded_as_a_failed_run_and_raised_on(manager: ModelManager) -> None:
    run = manager.run("net")

    with pytest.raises(ZeroDivisionError, match="division by zero"), run:
        divide(run)

    finished = list(manager.events(stream=f"run/{run.id}"))[-1]["data"]
    assert finished == {"status": "failed", "error": "ZeroDivisionError", "reason": "division by zero", "points": 1}
    with pytest.raises(Refused, match="not open"):
        run.flush()


def test_an_exception_without_words_is_recorded_by_its_name(manager: ModelManager) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    with pytest.raises(Mute), manager.run("net") as run:
        raise Mute

    assert (manager.show_run(run.id).status, manager.show_run(run.id).reason) == ("failed", "Mute")


@pytest.mark.parametrize("value", [None, "0.5", {}, 1 + 2j, 10**400, np.zeros(2), torch.zeros(2)])
def test_what_is_no_number_is_refused_where_it_is_logged_and_the_run_ends_all_the_same(
    manager: ModelManager, value: object
) -> None:
    def script() -> None:
        with run:
            run.log({"loss": 1.0})
            run.log({"l": value, "loss": 0.5})

    run = manager.run("net")
    with pytest.raises(
        Malformed, match=r"metric 'l' is (an? \w+|nothing \(None\)); a metric is one real number a name"
    ):
        script()

    finished = list(manager.events(stream=f"run/{run.id}"))[-1]["data"]
    assert (finished["status"], finished["points"]) == ("failed", 1)


def test_a_run_logs_whatever_is_a_number_under_a_name_at_a_step(manager: ModelManager) -> None:
    with manager.run("net") as run:
        run.log({"a": np.float32(0.5), "b": torch.tensor(2), "c": True}, step=np.int64(3))
        for bad in ({"": 1.0}, {7: 1.0}, {"a\0": 1.0}, {"x" * 201: 1.0}):
            with pytest.raises(Malformed, match="cannot name a metric"):
                run.log(bad)
        with pytest.raises(Malformed, match="the step is a float"):
            run.log({"a": 1.0}, step=0.5)

    told = manager.sql("SELECT name, step, value FROM metrics ORDER BY name").to_pylist()
    assert [tuple(row.values()) for row in told] == [("a", 3, 0.5), ("b", 3, 2.0), ("c", 3, 1.0)]
    with pytest.raises(Refused, match="not open"):
        run.log({"a": 1.0})


def test_trouble_at_the_end_of_a_run_hides_no_interrupt_and_leaves_no_run_open(
    manager: ModelManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise Unavailable("the database does not answer; try again")

    interrupted, done = manager.run("net"), manager.run("net")
    for run in (interrupted, done):
        monkeypatch.setattr(run, "flush", away)
    with pytest.raises(KeyboardInterrupt), interrupted:
        raise KeyboardInterrupt
    with pytest.raises(Unavailable, match="does not answer"), done:
        done.log({"loss": 1.0})

    ends = [list(manager.events(stream=f"run/{run.id}"))[-1]["data"] for run in (interrupted, done)]
    assert [end["error"] for end in ends] == ["KeyboardInterrupt", "Unavailable"]


def test_a_run_saves_what_the_manager_saves(manager: ModelManager, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("fit()")
    data, labels = rows(20)
    first = manager.save_version({"w": torch.zeros(2)}, name="net")
    aside = manager.save_version({"w": torch.ones(2)}, name="net", branch="aside", parents=[first])

    with manager.run("net") as run:
        version = run.save(
            {"w": torch.full((2,), 3.0)},
            files=[tmp_path / "train.py"],
            parents=["net@main", ("net@aside", "merged")],
            data=(data, labels),
            annotations=None,
            expected="net@main",
            metrics={"f1": np.float32(0.5)},
        )
        other = run.save({"w": torch.ones(1)}, name="other")

    assert version.parents == ((first, "trained"), (aside, "merged"))
    assert manager.files(version) == {"train.py": b"fit()"}
    assert manager.show(version).data["rows"] == 20
    assert (other.model, manager.show(other).run) == ("other", run.id)


def test_a_script_run_again_under_one_key_saves_once(manager: ModelManager) -> None:
    saved = []
    for _ in range(2):
        with manager.run("net") as run:
            saved.append(run.save({"w": torch.zeros(2)}, key="nightly"))
            run.save({"w": torch.ones(2)}, key="later")

    assert saved == [1, 1]
    assert len(manager.log(model="net")) == 2


def test_a_checkpoint_keeps_tensors_without_making_a_version(manager: ModelManager) -> None:
    with manager.run("net") as run:
        digest = run.checkpoint({"w": torch.arange(5.0)}, step=10)

    assert digest.startswith("blake3:")
    assert manager.models() == []
    assert "run.checkpointed.v1" in kinds(manager, f"run/{run.id}")
    assert manager.fsck() == []


def test_training_keeps_a_version_by_itself_with_all_that_made_it(manager: ModelManager) -> None:
    data, labels = rows()
    model = CreditScoringModel()
    model.add_hyperparameter("epochs", 5)

    version = manager.train(model, data, labels, message="first")

    record = manager.show(version)
    assert record.hyperparameters["epochs"] == 5
    assert record.data["rows"] == 300
    assert record.settings["epochs"] == 5
    assert record.metrics["roc_auc"] > 0.5
    assert record.environment["packages"]["torch"] == torch.__version__.split("+")[0]
    assert record.run is not None
    steps = manager.sql("SELECT DISTINCT step FROM metrics WHERE name = 'loss'").to_pylist()
    assert len(steps) == 5


def test_what_a_save_would_be_refused_for_is_known_before_the_training(manager: ModelManager) -> None:
    manager.save_version({"w": torch.zeros(2)}, name="credit-scoring-model", tags=["first"])
    manager.save_version({"w": torch.ones(2)}, name="credit-scoring-model")
    began = len(list(manager.events()))

    def never(epoch: int, losses: object) -> None:
        pytest.fail("it was trained")

    for asked in ({"tags": ["first"]}, {"tags": ["main"]}, {"tags": ["9"]}, {"branch": "9"}):
        with pytest.raises(Refused, match=r"save without it, delete it first|name space|cannot name a"):
            manager.train(CreditScoringModel(), *rows(), on_epoch=never, **asked)

    assert len(list(manager.events())) == began


def test_numpy_scalars_are_the_numbers_that_they_are(manager: ModelManager) -> None:
    drawn = {"lr": np.float32(0.5), "layers": [np.int64(3)], "bias": np.bool_(True)}
    version = manager.save_version({"w": torch.zeros(2)}, name="net", hyperparameters=drawn)
    manager.annotate(version, {"seed": np.int64(7)})
    with manager.run("net", hyperparameters=drawn):
        pass

    assert manager.show(version).hyperparameters == {"lr": 0.5, "layers": [3], "bias": True}
    assert manager.show(version).annotations == {"seed": 7}
    other = manager.save_version({"w": torch.ones(2)}, name="net", hyperparameters={"lr": np.float32("nan")})
    assert manager.show(other).hyperparameters == {"lr": "NaN"}


def test_an_evaluation_is_recorded_and_changes_no_version(manager: ModelManager) -> None:
    data, labels = rows()
    model = CreditScoringModel()
    model.add_hyperparameter("epochs", 5)
    version = manager.train(model, data, labels)
    other = rows(100, seed=1)

    found = manager.evaluate(version, *other, name="later")

    assert found.performance == manager.load_version(version).evaluate(*other)
    recorded = manager.sql("SELECT DISTINCT name, version FROM evaluations").to_pylist()
    assert {"name": "later", "version": 1} in recorded
    assert len(manager.log(model=model.name)) == 1


def test_a_module_remembers_its_version_though_the_manager_was_closed(manager: ModelManager, home: Path) -> None:
    net = nn.Linear(2, 1)
    manager.save_version(net, name="net")
    manager.close()
    ModelManager(home).save_version(nn.Linear(2, 1), name="net", parents=[1])
    with torch.no_grad():
        net.weight.add_(1)

    with pytest.raises(Stale, match="branch 'main' is at 2, not at 1"):
        manager.save_version(net, name="net")


def test_threads_that_come_at_once_share_what_is_opened(manager: ModelManager) -> None:
    opened: list[object] = []
    start = threading.Barrier(8)

    def open_it() -> None:
        start.wait()
        opened.append(manager._home.workspace)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(opened) == 8
    assert len(set(map(id, opened))) == 1


def test_a_forked_process_opens_the_home_anew(manager: ModelManager) -> None:
    manager.save_version({"w": np.arange(3.0)}, name="toy")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            version = manager.save_version({"w": np.arange(3.0) + 1}, name="toy")
            os.write(writing, str(version).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reading, 10) == b"2"
    assert manager.save_version({"w": np.arange(3.0) + 2}, name="toy") == 3


def test_who_is_forgotten_comes_back_as_somebody_new_and_not_by_reading(home: Path) -> None:
    bob, ada = ModelManager(home, actor="bob"), ModelManager(home, actor="ada")
    bob.save_version({"w": np.arange(3.0)}, name="toy", message="first")
    ada.forget_actor("bob")

    bob.log(model="toy")
    assert not ada.forget_actor("bob")

    bob.save_version({"w": np.arange(3.0) + 1}, name="toy", message="second")
    shown = [(entry.actor, entry.message) for entry in ada.log(model="toy")]
    assert shown == [("bob", "second"), ("[forgotten]", "[forgotten]")]


def test_who_is_forgotten_leaves_every_hash_as_it_was(manager: ModelManager, home: Path) -> None:
    manager.save_version({"w": np.arange(3.0)}, name="toy", message="for Mrs Lovelace of 12 St James's Square")
    before = manager.verify()
    assert manager.show("toy").message.startswith("for Mrs Lovelace")

    assert manager.forget_actor("ada")

    assert manager.verify() == before
    assert (manager.show("toy").message, manager.show("toy").actor) == ("[forgotten]", "[forgotten]")
    raw = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert b"Lovelace" not in raw
