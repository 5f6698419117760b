"""Runs in their whole life: heard of, lost, resumed, and what they kept on their way read back."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import lepton_ai
from lepton_ai import ModelManager
from lepton_ai.domain.commands import LoseRun, StartRun
from lepton_ai.errors import Malformed, Refused, UnknownRevision
from lepton_ai.events.actor import Actor
from lepton_ai.events.clock import moment
from lepton_ai.events.inbox import Letter
from lepton_ai.events.sql.heartbeats import Heartbeats
from lepton_ai.events.sql.store import Store
from lepton_ai.jobs.intake.inbox import Intake
from lepton_ai.ledger import Ledger
from lepton_ai.models import CreditScoringModel
from lepton_ai.versions.runs import run
from lepton_ai.versions.runs.heartbeat import Heart
from lepton_ai.versions.runs.lost import LostRuns

from ..asking import until
from ..cli_home import Cli
from .outage import locked

SCRIPT = """
import sys, threading
import torch
from lepton_ai import ModelManager
manager = ModelManager(sys.argv[1])
with manager.run("net", hyperparameters={"lr": 0.1}, name="nightly", tags=["slow", "big"]) as run:
    for step in range(20):
        run.log({"loss": 1 / (step + 1)}, step=step)
    run.checkpoint({"w": torch.arange(3.0)}, step=10)
    run.checkpoint({"w": torch.arange(3.0) + 1}, step=19)
    print(run.id, flush=True)
    threading.Event().wait()
"""


@pytest.fixture
def manager(home: Path, monkeypatch: pytest.MonkeyPatch) -> ModelManager:
    monkeypatch.setattr(run, "BEATS", 400)  # a run is heard of every quarter of a second
    return ModelManager(home, actor="ada")


def killed(home: Path) -> str:
    """The id of a run whose script was killed outright."""
    script = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(home)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONSAFEPATH": "1"},
    )
    assert script.stdout
    run = script.stdout.readline().strip()
    script.send_signal(signal.SIGKILL)
    script.wait()
    return run


def aged(manager: ModelManager, run: str) -> None:
    """Let a run's term be over, as if it had passed."""
    with manager._workspace.ledger.store.database.connection() as connection:
        connection.execute("UPDATE run_heartbeats SET heard = heard - 90000001 WHERE run = ?", (run,))


def story(manager: ModelManager, run: str) -> list[str]:
    """What happened to a run; how many events its points make depends on how fast the machine is."""
    kinds = [event["type"].split(".")[2] for event in manager.events(stream=f"run/{run}")]
    return [kind for kind, _ in itertools.groupby(kinds)]


def stands(manager: ModelManager) -> dict[str, str]:
    return {row["run"]: row["status"] for row in manager.sql("SELECT run, status FROM runs").to_pylist()}


def test_a_killed_run_is_lost_to_the_next_writer_and_goes_on_where_it_was(manager: ModelManager, home: Path) -> None:
    run = killed(home)
    assert manager.show_run(run).status == "running"
    aged(manager, run)
    assert manager.show_run(run).status == "lost"
    assert stands(manager) == {run: "running"}, "nobody has written yet"
    manager.save_version({"w": torch.zeros(3)}, name="net")

    assert stands(manager) == {run: "lost"}
    (record,) = manager.runs("net", status="lost")
    assert (record.name, record.tags, record.hyperparameters) == ("nightly", ("slow", "big"), {"lr": 0.1})
    assert record.heard is not None
    with manager.resume(run[-6:]) as resumed:
        assert (resumed.id, resumed.step, resumed.hyperparameters) == (run, 19, {"lr": 0.1})
        weights = {"w": torch.zeros(3)}
        assert resumed.load_checkpoint(into=weights) is weights
        assert weights["w"].tolist() == [1, 2, 3]
        assert manager.runs(status="running")[0].run == run
        resumed.log({"loss": 0.01}, step=20)
        version = resumed.save(weights)

    assert story(manager, run) == [
        "started", "logged", "checkpointed", "lost", "resumed", "logged", "finished"
    ]  # fmt: skip
    assert manager.show(version).run == run
    steps = manager.sql("SELECT step FROM metrics WHERE run = ? AND version IS NULL ORDER BY step", [run]).to_pylist()
    assert [row["step"] for row in steps] == [*range(21)]
    (row,) = manager.sql("SELECT status, points, lost, heard, resumed, finished FROM runs").to_pylist()
    assert (row.pop("status"), row.pop("points")) == ("finished", 21)
    assert sorted(row.values()) == [row["heard"], row["lost"], row["resumed"], row["finished"]]
    seqs = {event["type"].split(".")[2]: int(event["sequence"]) for event in manager.events(stream=f"run/{run}")}
    as_of = {kind: manager.sql("SELECT status FROM runs", as_of=seq).to_pylist() for kind, seq in seqs.items()}
    assert [as_of[kind][0]["status"] for kind in ("lost", "resumed", "finished")] == ["lost", "running", "finished"]
    assert manager.fsck() == []


def test_what_a_run_kept_is_listed_and_read_back_bit_for_bit(manager: ModelManager) -> None:
    weights = {"w": torch.tensor([float("nan"), -0.0, 1e-45]), "b": torch.tensor([1, 2], dtype=torch.bfloat16)}
    net = nn.Linear(2, 1)
    with manager.run("net") as run:
        run.checkpoint(weights, step=1)
        run.checkpoint(net, step=2)
        run.checkpoint({"w": torch.ones(1)})

    assert [each.step for each in manager.checkpoints(run.id)] == [1, 2, None]
    found = manager.load_checkpoint_tensors(run.id, 1)
    assert {name: each.dtype for name, each in found.items()} == {name: each.dtype for name, each in weights.items()}
    for name, each in weights.items():
        assert torch.equal(found[name].view(torch.int16), each.view(torch.int16))
    into = nn.Linear(2, 1)
    assert manager.load_checkpoint(run.id, 2, into=into) is into
    assert torch.equal(into.weight, net.weight)
    assert manager.load_checkpoint_tensors(run.id)["w"].tolist() == [1]
    with pytest.raises(UnknownRevision, match="no checkpoint of step 7; it has 1, 2, None"):
        manager.load_checkpoint(run.id, 7)
    with pytest.raises(Refused, match=r"load_checkpoint_tensors, or pass into="):
        manager.load_checkpoint(run.id)
    rows = manager.sql("SELECT step, model FROM run_checkpoints ORDER BY seq").to_pylist()
    assert rows == [{"step": step, "model": "net"} for step in (1, 2, None)]


def test_a_checkpoint_of_a_registered_class_is_rebuilt(manager: ModelManager) -> None:
    rows = np.random.default_rng(0).normal(size=(60, 2))
    labels = (rows[:, 0] > 0).astype(int)
    model = CreditScoringModel().add_hyperparameter("epochs", 2)
    with manager.run(model.name, hyperparameters=model.hyperparameters) as run:
        model.train(rows, labels)
        run.checkpoint(model, step=2)

    found = manager.load_checkpoint(run.id)

    assert isinstance(found, CreditScoringModel)
    assert found.hyperparameters["epochs"] == 2
    assert np.array_equal(found.predict_proba(rows), model.predict_proba(rows))


def test_a_failed_run_may_go_on_a_finished_one_not(manager: ModelManager) -> None:
    def script() -> None:
        with failed:
            failed.log({"loss": 1.0}, step=3)
            raise ZeroDivisionError

    failed = manager.run("net")
    with pytest.raises(ZeroDivisionError):
        script()
    with manager.resume(failed.id) as run:
        run.log({"loss": 0.5}, step=4)

    assert story(manager, run.id) == ["started", "logged", "finished", "resumed", "logged", "finished"]
    assert manager.show_run(run.id).points == 2
    assert stands(manager) == {run.id: "finished"}
    with pytest.raises(Refused, match="is finished; only one that did not finish is resumed"):
        manager.resume(run.id)
    with pytest.raises(UnknownRevision, match="`lepton runs` lists them"):
        manager.resume("nothing")
    with pytest.raises(Refused, match="a run is begun once"):
        run.__enter__()


def test_whoever_goes_on_with_a_run_logs_to_it_alone(manager: ModelManager) -> None:
    first = manager.run("net")
    with first:
        first.log({"loss": 1.0}, step=1)
        second = ModelManager(manager._settings.home).resume(first.id)
        with second:
            until(lambda: first._heart.ended)
            with pytest.raises(Refused, match="goes on elsewhere"):
                first.log({"loss": 2.0}, step=2)
            second.log({"loss": 0.5}, step=2)

    assert story(manager, first.id).count("finished") == 1
    values = manager.sql("SELECT value FROM metrics ORDER BY seq").to_pylist()
    assert [row["value"] for row in values] == [0.5]


@pytest.mark.parametrize("writer", ["intake", "assigner"])
def test_a_lost_run_is_found_by_whoever_writes_for_others(manager: ModelManager, writer: str) -> None:
    manager.save_version({"w": np.ones(1)}, name="net")
    work = manager._workspace
    work.ledger.admit(StartRun(run="r", model="net"), work.actors.named("ada"))
    Heartbeats(work.ledger.store).begin("r", "somebody")
    aged(manager, "r")

    if writer == "intake":
        Intake(work.ledger, work.actors, "inbox").take([Letter(0, b"{}")], None)
    else:
        with manager._home.desk.assigner() as assigner:
            work.lost = LostRuns(work.ledger, work.actors, manager._home.settings.terms.run)  # which has not looked yet
            assigner.step()

    assert story(manager, "r") == ["started", "lost"]


def test_a_run_that_was_taken_for_lost_says_that_it_was_not(manager: ModelManager) -> None:
    with manager.run("net") as run:
        run.log({"loss": 1.0})
        work = manager._workspace
        work.ledger.admit(LoseRun(run=run.id, heard=moment(0)), work.actors.named("ada"))
        assert manager.show_run(run.id).status == "lost"
        run.flush()

    assert story(manager, run.id) == ["started", "lost", "resumed", "logged", "finished"]
    with manager.run("net") as other:
        work.ledger.admit(LoseRun(run=other.id, heard=moment(0)), work.actors.named("ada"))
        Heartbeats(work.ledger.store).end(other.id)
        until(lambda: "resumed" in story(manager, other.id))
    assert story(manager, other.id) == ["started", "lost", "resumed", "finished"]


def test_a_run_that_lives_is_heard_of_and_never_lost_however_long_it_is_silent(manager: ModelManager) -> None:
    with manager.run("net") as run:
        begun = manager.show_run(run.id).heard
        assert begun is not None
        until(lambda: (heard := manager.show_run(run.id).heard) is not None and (heard - begun).total_seconds() > 0.3)
        manager.save_version({"w": np.ones(1)}, name="net")
        assert manager.show_run(run.id).status == "running"

    assert "lost" not in story(manager, run.id)
    assert manager.show_run(run.id).heard is None


def test_a_run_that_began_while_the_ledger_was_away_is_not_lost_when_it_is_told(
    manager: ModelManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager.save_version({"w": np.ones(1)}, name="net")
    monkeypatch.setenv("LEPTON_WAIT", "0.1")
    away = ModelManager(manager._settings.home)
    run = away.run("net", name="offline")
    with run:
        with locked(manager._settings.home):
            pass
        run.log({"loss": 1.0})
    with locked(manager._settings.home), away.run("net", name="spooled") as spooled:
        spooled.log({"loss": 1.0})
        spooled.checkpoint({"w": torch.ones(2)}, step=1)
    manager.sync()
    manager.save_version({"w": np.zeros(1)}, name="net")

    assert story(manager, spooled.id) == ["started", "logged", "checkpointed", "finished"]
    assert manager.load_checkpoint_tensors(spooled.id)["w"].tolist() == [1, 1]
    assert {each.name: each.status for each in manager.runs()} == {"offline": "finished", "spooled": "finished"}
    assert Heartbeats(manager._workspace.ledger.store).stale(-1) == []


def test_a_forked_child_is_no_part_of_the_run(manager: ModelManager) -> None:
    with manager.run("net") as run:
        until(lambda: Heartbeats(manager._workspace.ledger.store).of(run.id) is not None)
        child = os.fork()
        if child == 0:
            run._heart.stop()
            os._exit(0 if not run._heart._thread.is_alive() else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        run.log({"loss": 1.0})

    assert manager.show_run(run.id).status == "finished"


def test_a_heart_stops_with_its_last_beat_and_skips_what_fails() -> None:
    answers = iter([True, Malformed("away"), False])
    beats: list[object] = []

    def beat() -> bool:
        beats.append(answer := next(answers))
        if isinstance(answer, Exception):
            raise answer
        return bool(answer)

    heart = Heart(beat, 0.001)
    heart.start()
    heart._thread.join(60)

    assert (len(beats), heart.ended) == (3, True)


@pytest.mark.parametrize("bad", [{"name": "a\nb"}, {"name": ""}, {"tags": ["x" * 201]}, {"tags": "ab"}, {"name": 7}])
def test_what_cannot_name_a_run_is_refused_when_it_is_made(manager: ModelManager, bad: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        manager.run("net", **bad)  # pyright: ignore[reportArgumentType]


def test_heartbeats_go_by_the_databases_clock_and_belong_to_one_writer(
    store: Store, ledger: Ledger, actor: Actor
) -> None:
    beats = Heartbeats(store)
    before = time.time()
    ledger.admit(StartRun(run="r", model="net"), actor)
    beats.expect("r")
    assert beats.beat("r", "one")
    assert not beats.beat("r", "two")
    beats.begin("r", "two")
    assert not beats.beat("r", "one")

    found = beats.of("r")
    assert found is not None
    assert (found.writer, abs(found.heard / 1e6 - before) < 60) == ("two", True)
    assert beats.stale(3600) == []
    assert beats.stale(-3600) == [("r", found.heard)]
    beats.end("r", found.heard - 1)
    assert beats.of("r") == found
    beats.end("r", found.heard)
    assert (beats.of("r"), beats.beat("r", "two")) == (None, False)


def test_runs_are_listed_and_shown_by_command(manager: ModelManager, home: Path) -> None:
    with manager.run("net", name="nightly", tags=["a"], hyperparameters={"lr": 0.5}) as run:
        run.checkpoint({"w": torch.ones(1)}, step=4)
    with pytest.raises(RuntimeError), manager.run("other"):
        raise RuntimeError("no luck")
    cli = Cli(home)

    assert [each["status"] for each in cli("runs --json").json["runs"]] == ["failed", "finished"]
    assert [each["run"] for each in cli("runs --model net --status finished --json").json["runs"]] == [run.id]
    assert cli("runs --status lost").out.strip() == "there is no such run"
    assert "nightly" in cli("runs").out
    shown = cli(f"runs show {run.id[-8:]}").out
    assert all(word in shown for word in ("nightly", "lr", "0.5", "blake3:"))
    assert "4" in cli(f"runs checkpoints {run.id[-8:]}").out
    assert (cli("runs show").code, cli("runs show nothing").code) == (2, 1)
    assert all("_repr_html_" in dir(each) and each.to_dict()["model"] for each in manager.runs())
    assert lepton_ai.ModelManager is ModelManager
