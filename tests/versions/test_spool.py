"""Outages: the training script goes on, and what it said is told once, in order, when the ledger is back."""

from __future__ import annotations

import copy
import json
import logging
import os
import pickle
import resource
import signal
import sqlite3
import threading
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
import torch
from torch import nn

from lepton_ai import ModelManager, PendingVersion, Refused, Unavailable
from lepton_ai.models import CreditScoringModel

from ..cli_home import Cli
from ..servers import PASSWORD, CuttingProxy, PostgreSQL, free_port
from .outage import entries, locked, objects_away, weights
from .outage import impatient as impatient
from .outage import manager as manager


def kinds(manager: ModelManager, stream: str) -> list[str]:
    return [event["type"].removeprefix("lepton.") for event in manager.events(stream=stream)]


def test_a_save_during_an_outage_is_told_by_the_next_call_that_changes_something(
    manager: ModelManager, home: Path
) -> None:
    asked: dict[str, Any] = {
        "message": "why", "tags": ["t"], "metrics": {"f1": 1}, "annotations": {"n": "x"},
        "hyperparameters": {"layers": (1, 2)}, "files": {"notes.txt": b"text"}, "key": "mine",
    }  # fmt: skip
    with locked(home):
        pending = manager.save_version(weights(1), name="net", **asked)
        assert isinstance(pending, PendingVersion)

    manager.tag("later", "net@main")

    record = manager.show(pending)
    assert (record.version, record.message, record.metrics) == (2, "why", {"f1": 1.0})
    assert set(record.tags) == {"t", "later"}
    assert (record.hyperparameters, record.annotations) == ({"layers": [1, 2]}, {"n": "x"})
    assert manager.files(pending) == {"notes.txt": b"text"}
    assert manager.load_arrays(pending)["w"].tobytes() == weights(1)["w"].tobytes()
    assert manager.save_version(weights(1), name="net", **asked) == 2
    assert entries(home) == []
    assert manager.fsck() == []


def test_an_event_says_when_it_happened_and_who_said_it(manager: ModelManager, home: Path) -> None:
    with locked(home):
        ModelManager(home, actor="bob").save_version(weights(1), name="net")
        waiting = json.loads((entries(home)[0] / "entry.json").read_text())

    manager.sync()

    event = next(event for event in manager.events() if event["type"] == "lepton.version.committed.v2"
                 and event["data"]["version"] == 2)  # fmt: skip
    assert waiting["actor"] == manager.log(model="net").entries[0].actor == "bob"
    assert event["time"].rstrip("Z")[:26] == waiting["time"][:26]
    assert event["recordedtime"] > event["time"]


def test_a_pending_version_lies_about_nothing(manager: ModelManager, home: Path) -> None:
    with locked(home):
        pending = manager.save_version(weights(1), name="net")
        other = manager.save_version(weights(2), name="net")

        assert f"{pending}" == str(pending) == "pending"
        assert pending not in (0, 1, 2, other)
        assert pickle.loads(pickle.dumps(pending)) == pending
        assert pending.to_dict()["version"] is None
        assert not isinstance(pending, int)
        for number in (int, float, range, [1, 2].__getitem__, np.zeros(2).__getitem__):
            with pytest.raises((TypeError, IndexError)):
                number(pending)
        for use in (json.dumps, lambda it: it + 1, lambda it: it < 3, lambda it: sorted([1, it])):
            with pytest.raises(TypeError, match="PendingVersion"):
                use(pending)
        for execute in (sqlite3.connect(":memory:").execute, duckdb.connect().execute):
            with pytest.raises((sqlite3.Error, duckdb.Error)):
                execute("SELECT ?", (pending,))
        assert {pending: 1}[copy.deepcopy(pending)] == 1
        with pytest.raises(Unavailable, match="pending version of net has no number yet"):
            manager.show(pending)
        with pytest.raises(Unavailable, match="pending version of net has no number yet"):
            manager.load_arrays(pending)

    assert manager.load_arrays(pickle.loads(pickle.dumps(other)))["w"][0, 0] == 2


def test_a_save_goes_on_from_what_is_pending(manager: ModelManager, home: Path) -> None:
    net = nn.Linear(2, 1)
    manager.save_version(net, name="module")
    with locked(home):
        saved = []
        for _ in range(2):
            with torch.no_grad():
                net.weight.add_(1)
            saved.append(manager.save_version(net, name="module"))
        trial = manager.save_version(weights(3), name="module", branch="trial", parents=[saved[0]])
        with torch.no_grad():
            net.weight.add_(1)
    after = manager.save_version(net, name="module")

    assert [manager.show(each).version for each in (*saved, trial)] == [2, 3, 4]
    assert manager.show(trial).version.parents == ((2, "trained"),)
    assert after.parents == ((3, "fine_tuned"),)
    manager.apply("module@1", net)
    assert torch.equal(net.weight, manager.load_tensors("module@1")["weight"])


def test_a_run_goes_on_and_its_order_is_kept(manager: ModelManager, home: Path) -> None:
    net = nn.Linear(2, 1)
    run = manager.run("net", hyperparameters={"lr": 0.1})
    with run:
        run.log({"loss": 3.0}, step=0)
        run.flush()
        with locked(home):
            for step in range(1, 2500):
                run.log({"loss": float("nan") if step == 7 else 1 / step}, step=step)
            digest = run.checkpoint(net, step=7)
            version = run.save(net, name="net", branch="run", parents=["net@main"])
            run.flush()

    assert kinds(manager, f"run/{run.id}") == [
        "run.started.v1", *["metrics.logged.v1"] * 4, "run.checkpointed.v1", "run.finished.v1"
    ]  # fmt: skip
    told = manager.sql("SELECT step, value FROM metrics WHERE name = 'loss' ORDER BY step").to_pylist()
    assert [row["step"] for row in told] == list(range(2500))
    assert np.isnan(told[7]["value"])
    assert manager.show(version).run == run.id
    assert digest == list(manager.events(stream=f"run/{run.id}"))[-2]["data"]["tensors"]


def test_a_whole_training_fits_into_an_outage(manager: ModelManager, home: Path) -> None:
    data = np.random.default_rng(0).normal(size=(60, 2))
    model = CreditScoringModel()
    model.add_hyperparameter("epochs", 2)
    with locked(home):
        pending = manager.train(model, data, (data[:, 0] > 0).astype(int))

    record = manager.show(pending)
    assert record.run is not None
    assert record.environment["packages"]["torch"]
    assert kinds(manager, f"run/{record.run}")[-1] == "run.finished.v1"


def test_a_flush_in_passing_raises_nothing_even_where_the_spool_takes_nothing(
    manager: ModelManager, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lepton_ai.versions.runs.points.BUFFERED", 5)
    with manager.run("net") as run:
        (home / "spool").write_text("no folder")
        with locked(home):
            for step in range(20):
                run.log({"loss": 1.0}, step=step)
            with pytest.raises(Unavailable, match="stayed locked"):
                run.flush()
        (home / "spool").unlink()

    assert manager.sql("SELECT count(*) AS n FROM metrics WHERE name = 'loss'").to_pylist() == [{"n": 20}]


def test_strict_raises_and_spools_nothing(home: Path, manager: ModelManager) -> None:
    strict = ModelManager(home, strict=True)
    with strict.run("net") as run, locked(home):
        with pytest.raises(Unavailable) as caught:
            strict.save_version(weights(1), name="net", key="k")
        run.log({"loss": 1.0})
        with pytest.raises(Unavailable):
            run.flush()

    assert caught.value.key == "k"
    assert entries(home) == []
    assert kinds(manager, f"run/{run.id}") == ["run.started.v1", "metrics.logged.v1", "run.finished.v1"]


def test_an_object_store_that_is_away_is_an_outage_too(manager: ModelManager, home: Path) -> None:
    with objects_away(home):
        pending = manager.save_version(weights(1), name="net")
        assert isinstance(pending, PendingVersion)
        manager.alias("production", "net@1")  # what needs no tensors is not held up

    manager.sync()

    assert manager.show(pending).version == 2


def test_a_database_that_stops_in_the_middle_of_a_script(
    home: Path, postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = type(postgresql)()
    server.start()
    monkeypatch.setenv("LEPTON_DATABASE", server.url())
    manager, net = ModelManager(home, actor="ada"), nn.Linear(2, 1)
    first = manager.save_version(net, name="net")
    with manager.run("net") as run:
        run.log({"loss": 1.0}, step=0)
        server.stop()
        with torch.no_grad():
            net.weight.add_(1)
        second = run.save(net)
        fresh = ModelManager(home, actor="bob")
        third = fresh.save_version(weights(1), name="other")
        run.log({"loss": 0.5}, step=1)
        run.flush()
        server.start()

    assert [type(each) for each in (first, second, third)][1:] == [PendingVersion, PendingVersion]
    assert manager.show(second).version == 2
    assert manager.show(second).version.parents == ((1, "fine_tuned"),)
    assert manager.about("other").versions == 1
    assert manager.log(model="other").entries[0].actor == "bob"
    assert [row["step"] for row in manager.sql("SELECT step FROM metrics ORDER BY step").to_pylist()] == [0, 1]
    assert manager.verify().size
    for each in (manager, fresh):
        each.close()
    server.remove()


def test_what_was_recorded_though_nobody_heard_is_not_told_twice(
    home: Path, postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEPTON_WAIT", "2")
    monkeypatch.setenv("LEPTON_LEDGER", f"spool{free_port()}")
    asked: dict[str, Any] = {
        "message": "why", "metrics": {"f1": np.float32(0.1), "n": 1}, "annotations": {"n": np.float64(0.1), "m": True},
        "hyperparameters": {"layers": (1, 2)}, "files": {"a.txt": b"a"}, "tags": ["t"],
    }  # fmt: skip
    proxies = [CuttingProxy(postgresql.port) for _ in range(2)]
    manager = manager_over(home, proxies[0], monkeypatch)
    Cli(home)("init")
    proxies[0].cut_next_commit("after", for_good=True)
    pending = manager.save_version(weights(1), name="net", **asked)
    manager = manager_over(home, proxies[1], monkeypatch)
    with manager.run("net") as run:
        run.log({"loss": float("nan")}, step=0)
        proxies[1].cut_next_commit("after", for_good=True)
        run.flush()
        monkeypatch.setenv("LEPTON_DATABASE", postgresql.url())
        back = ModelManager(home)
        assert back.sync().refused == ()
        assert back.show(pending).version == 1
    for each in (*proxies, manager):
        each.close()

    assert back.sync().refused == ()
    assert kinds(back, f"run/{run.id}") == ["run.started.v1", "metrics.logged.v1", "run.finished.v1"]
    assert back.about("net").versions == 1
    back.close()


def manager_over(home: Path, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch) -> ModelManager:
    """A ledger at the other end of a wire that can be cut."""
    monkeypatch.setenv("LEPTON_DATABASE", f"postgresql://lepton:{PASSWORD}@127.0.0.1:{proxy.port}/postgres")
    return ModelManager(home)


def test_a_ledger_that_was_never_opened_may_be_away(
    home: Path, postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = type(postgresql)()
    monkeypatch.setenv("LEPTON_DATABASE", server.url())
    manager = ModelManager(home, actor="ada")
    pending = manager.save_version(weights(1), name="net")
    server.start()

    assert manager.load_arrays(pending)["w"][0, 0] == 1
    assert manager.log(model="net").entries[0].actor == "ada"
    manager.close()
    server.remove()


def test_what_is_refused_is_put_aside_and_holds_up_only_what_depends_on_it(
    manager: ModelManager, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    net = nn.Linear(2, 1)
    manager.save_version(net, name="module")
    with locked(home):
        with torch.no_grad():
            net.weight.add_(1)
        stale = manager.save_version(net, name="module")
        dependent = manager.save_version(weights(1), name="module", branch="trial", parents=[stale])
        fine = manager.save_version(weights(2), name="net")
    set_aside = home / "spool" / "aside"
    (home / "spool" / "main").rename(set_aside)
    manager.save_version({"bias": net.bias, "weight": net.weight * 3}, name="module")  # the branch moves meanwhile
    set_aside.rename(home / "spool" / "main")

    found = manager.sync()

    assert [each["version"] for each in found.delivered] == [2]
    assert manager.show(fine).version == 2
    assert [each["key"] for each in found.refused] == [stale.key, dependent.key]
    assert "branch 'main' is at 2, not at 1" in found.refused[0]["reason"]
    assert "put aside" in caplog.text
    with pytest.raises(Refused, match="was refused when it was delivered: branch 'main'"):
        manager.show(dependent)
    manager.rollback(1, model="module")
    assert [each["version"] for each in manager.sync(again=True).delivered] == [3, 4]
    assert manager.show(dependent).version.parents == ((3, "trained"),)


def test_a_save_that_repeats_the_head_finds_it(manager: ModelManager, home: Path) -> None:
    with locked(home):
        pending = manager.save_version(weights(0), name="net")

    assert manager.show(pending).version == 1
    assert manager.about("net").versions == 1


def test_what_cannot_be_kept_is_refused_before_it_is_spooled(manager: ModelManager, home: Path) -> None:
    bad: list[dict[str, Any]] = [
        {"tags": ["no tag"]}, {"branch": ".."}, {"metrics": {"f1": "high"}}, {"annotations": {"a": []}},
        {"hyperparameters": {"f": object()}},
    ]  # fmt: skip
    with locked(home):
        for asked in bad:
            with pytest.raises(Refused):
                manager.save_version(weights(1), name="net", **asked)
        with pytest.raises(Refused, match="an actor's name"):
            ModelManager(home, actor="\n").save_version(weights(1), name="net")

    assert entries(home) == []


def test_a_damaged_entry_is_never_told_as_a_fact(manager: ModelManager, home: Path) -> None:
    with locked(home):
        manager.save_version(weights(1), name="net", message="true")
        good = manager.save_version(weights(2), name="net")
    place = entries(home)[0] / "entry.json"
    place.write_text(place.read_text().replace("true", "lies"))

    assert "is damaged" in manager.sync().refused[0]["reason"]
    assert manager.show(good).version == 2


def test_a_full_disk_raises_what_was_wrong_first_and_leaves_nothing(manager: ModelManager, home: Path) -> None:
    def save() -> None:
        code = 1
        try:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
            with pytest.raises(Unavailable):
                manager.save_version(weights(1), name="net")
            with pytest.raises(Unavailable, match="stayed locked"), manager.run("net"):
                pass
            code = 0
        finally:
            os._exit(code)

    with locked(home):
        child = os.fork()
        if not child:
            save()
        assert os.waitpid(child, 0)[1] == 0

    assert [path.name for path in (home / "spool" / "main").iterdir()] == []


def test_threads_spool_and_deliver_at_once(manager: ModelManager, home: Path) -> None:
    def save(number: int) -> None:
        for n in range(4):
            manager.save_version(weights(number + n / 8), name=f"m{number}")

    threads = [threading.Thread(target=save, args=(number,)) for number in range(4)]
    with locked(home):
        for thread in threads[:2]:
            thread.start()
        for thread in threads[:2]:
            thread.join()
    for thread in threads[2:]:
        thread.start()
    for thread in threads[2:]:
        thread.join()
    manager.sync()

    assert [manager.about(f"m{number}").versions for number in range(4)] == [4, 4, 4, 4]
    assert entries(home) == []


def test_the_outage_is_logged_once(manager: ModelManager, home: Path, caplog: pytest.LogCaptureFixture) -> None:
    with locked(home), caplog.at_level(logging.WARNING):
        manager.save_version(weights(1), name="net")
        manager.save_version(weights(2), name="net")

    (told,) = (record.getMessage() for record in caplog.records if record.name == "lepton")
    assert "is spooled" in told


def test_sync_on_the_command_line_tells_what_it_delivered_and_what_was_refused(
    manager: ModelManager, home: Path
) -> None:
    cli = Cli(home)
    assert cli("sync").out == "nothing waits\n"
    with locked(home):
        manager.save_version(weights(1), name="net", tags=["t"])
        with manager.run("net") as run:
            run.log({"loss": 1.0})
        assert cli("sync").code == Unavailable.exit_code

    told = cli("sync")

    assert told.code == 0
    assert told.out.splitlines()[0] == "delivered  save  version 2 of net"
    assert told.out.splitlines()[-1] == f"delivered  finish  run {run.id}"
    with locked(home):
        manager.save_version(weights(2), name="net", tags=["t"])
    refused = cli("sync --json")
    assert refused.code == 1
    assert [each["actor"] for each in refused.json["refused"]] == ["ada"]
    assert cli("sync").out.startswith("refused  save of net, asked by ada: tag 't' is on version 2 already")
    assert manager.delete_tag("t") is None
    assert cli("sync --again").code == 0
