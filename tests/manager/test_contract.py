"""What `ModelManager` promises, held at both doors: a home in a folder, and a server over HTTP."""

from __future__ import annotations

import inspect
import multiprocessing
import os
import pickle
import re
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
import torch

from lepton_ai import GateNotMet, ModelManager, Refused, Stale
from lepton_ai.domain.studies.commands import BeginTrial, CreateStudy, End, Parameter
from lepton_ai.errors import LeptonError, UnknownRevision, UnknownStudy
from lepton_ai.jobs.api import Jobs
from lepton_ai.models.credit.model import CreditScoringModel
from lepton_ai.remote.manager import RemoteManager
from lepton_ai.remote.methods.jobs import RemoteJobs
from lepton_ai.results import LastMove, RollbackPlan, RolledBack

from .contract import DOORS, Door, local, remote

Arrays = dict[str, Any]
_NUMBER = count(1)


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Door]]:
    """Both doors, each to a ledger of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEPTON_LANG", "en")
        patch.setenv("LEPTON_SPOOL", str(tmp_path_factory.mktemp("spool")))
        with local(tmp_path_factory.mktemp("home")) as here, remote(tmp_path_factory.mktemp("home")) as there:
            yield {"local": here, "remote": there}


@pytest.fixture(params=DOORS)
def door(doors: dict[str, Door], request: pytest.FixtureRequest) -> Door:
    return doors[request.param]


@pytest.fixture
def manager(door: Door) -> ModelManager:
    return door.manager


@pytest.fixture
def name() -> str:
    """A model of the test's own."""
    return f"net{next(_NUMBER)}"


def arrays(value: float, size: int = 400_000) -> Arrays:
    return {"w": np.full(size, value, np.float32), "b": np.arange(5, dtype=np.int64)}


def small(**hyperparameters: Any) -> CreditScoringModel:
    model = CreditScoringModel()
    model.hyperparameters |= {"members": 1, "hidden": [4], **hyperparameters}
    return model


def test_a_save_is_loaded_bit_for_bit(manager: ModelManager, name: str) -> None:
    version = manager.save_version(arrays(1.5), name=name, message="first", metrics={"f1": 0.5}, annotations={"a": 1})

    loaded = manager.load_arrays(version)
    assert {key: value.tobytes() for key, value in loaded.items()} == {
        key: value.tobytes() for key, value in arrays(1.5).items()
    }
    record = manager.show(version)
    assert (record.message, record.metrics, record.annotations) == ("first", {"f1": 0.5}, {"a": 1})
    assert record.version == version
    assert manager.load_tensors(version, ["b"])["b"].tolist() == [0, 1, 2, 3, 4]
    assert manager.about(name).versions == 1
    assert name in manager.models()


def test_a_live_module_is_put_on_another_version_by_deltas_alone(manager: ModelManager, name: str) -> None:
    module = torch.nn.Linear(300, 300)
    first = manager.save_version(module, name=name)
    with torch.no_grad():
        module.bias += 1
    second = manager.save_version(module, name=name)

    assert len(manager.apply(first, module)) == 1
    assert torch.equal(module.bias.detach(), manager.load_tensors(first)["bias"])
    assert len(manager.apply(second, module)) == 1
    assert int(manager.save_version(module, name=name, message="the same")) == int(second)


def test_files_are_kept_beside_a_version(manager: ModelManager, name: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(b"notes" * 1000)
    version = manager.save_version(arrays(1, 10), name=name, files=[tmp_path / "notes.txt"])

    assert manager.files(version) == {"notes.txt": b"notes" * 1000}


def test_a_run_logs_checkpoints_and_saves(manager: ModelManager, name: str) -> None:
    with manager.run(name, hyperparameters={"rate": 0.1}, name="night", tags=["t"]) as run:
        for step in range(7):
            run.log({"loss": 1 / (step + 1), "odd": float("nan")}, step=step)
        digest = run.checkpoint(arrays(0.5, 1000), step=3)
        version = run.save(arrays(2, 1000))

    record = manager.show_run(run.id)
    assert (record.status, record.points, record.name, record.tags) == ("finished", 14, "night", ("t",))
    assert [(each.step, each.tensors) for each in record.checkpoints] == [(3, digest)]
    assert manager.load_checkpoint_tensors(run.id, 3)["w"][0] == 0.5
    assert manager.show(version).run == run.id
    assert [each.run for each in manager.runs(name)] == [run.id]


def test_a_run_that_raised_is_resumed(manager: ModelManager, name: str) -> None:
    run = manager.run(name)

    def train() -> None:
        with run:
            run.log({"loss": 1.0}, step=4)
            raise ValueError("it broke")

    with pytest.raises(ValueError, match="broke"):
        train()
    assert manager.show_run(run.id).status == "failed"

    with manager.resume(run.id) as again:
        assert again.step == 4
        again.log({"loss": 0.5}, step=5)

    record = manager.show_run(run.id)
    assert (record.status, record.points) == ("finished", 2)
    with pytest.raises(Refused, match="is finished; only one that did not finish is resumed"):
        manager.resume(run.id)


def test_what_is_known_of_versions_is_told(manager: ModelManager, name: str) -> None:
    first = manager.save_version(arrays(1, 10), name=name)
    manager.annotate(first, {"ticket": "R-1"})
    manager.describe(first, "the first")
    manager.describe(name, "a net")
    manager.define_metrics({"fid": "lower"}, model=name)
    manager.record_metrics(first, {"fid": 3.0})
    manager.archive(name, reason="old")
    assert manager.about(name).archived
    manager.unarchive(name)

    record = manager.show(first)
    assert (record.annotations, record.description, record.metrics) == ({"ticket": "R-1"}, "the first", {"fid": 3.0})
    assert (manager.about(name).description, manager.about(name).better) == ("a net", {"fid": "lower"})
    assert len(manager.log(model=name)) == 1
    assert first in manager.find("note.ticket = 'R-1'")


def test_sql_sees_what_was_just_written(manager: ModelManager, name: str) -> None:
    manager.save_version(arrays(1, 10), name=name)

    table: Any = manager.sql("SELECT model, version FROM versions WHERE model = ?", [name])

    assert table.to_pylist() == [{"model": name, "version": 1}]
    as_of = manager.sql("SELECT count(*) AS n FROM versions WHERE model = ?", [name], as_of=manager.position())
    assert as_of.to_pylist() == [{"n": 1}]


def test_events_are_followed(manager: ModelManager, name: str) -> None:
    start = manager.position()
    told: list[str] = []

    def follow() -> None:
        for event in manager.events(after=start, stream=f"model/{name}", follow=True):
            told.append(event["type"])
            if event["type"].startswith("lepton.version.committed"):
                return

    thread = Thread(target=follow)
    thread.start()
    manager.save_version(arrays(1, 10), name=name)
    thread.join(30)

    assert told[-1].startswith("lepton.version.committed")
    assert told == [event["type"] for event in manager.events(after=start, stream=f"model/{name}")]


def test_a_key_is_used_once(manager: ModelManager, name: str) -> None:
    one = manager.save_version(arrays(1, 10), name=name, key=f"{name}-key")
    two = manager.save_version(arrays(1, 10), name=name, key=f"{name}-key")

    assert (one, int(two)) == (two, 1)
    with pytest.raises(Refused, match="was already used for another command"):
        manager.save_version(arrays(2, 10), name=name, key=f"{name}-key")


def test_a_manager_is_pickled_and_used_by_threads(manager: ModelManager, name: str) -> None:
    manager.save_version(arrays(1, 10), name=name)
    again: ModelManager = pickle.loads(pickle.dumps(manager))
    threads = [Thread(target=lambda: again.load_arrays(f"{name}@1")) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert again.show(f"{name}@1").version == manager.show(f"{name}@1").version
    again.close()


def test_a_forked_child_opens_connections_of_its_own(manager: ModelManager, name: str) -> None:
    manager.save_version(arrays(1, 10), name=name)

    def child() -> None:
        manager.annotate(f"{name}@1", {"child": os.getpid()})

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join(60)

    assert process.exitcode == 0
    assert manager.show(f"{name}@1").annotations == {"child": process.pid}


def test_names_are_bound_and_moved(manager: ModelManager, name: str) -> None:
    first = manager.save_version(arrays(1, 10), name=name)
    second = manager.save_version(arrays(2, 10), name=name)
    assert manager.branch("trial", first) == first
    assert manager.tag("v1", first) == first
    assert manager.alias("production", first, expected=0) == first
    assert manager.alias("production", second, expected=first) == second
    moved = manager.aliases({"production": first, "canary": second}, reason="together")
    with pytest.raises(Stale):
        manager.alias("production", second, expected=second)
    with pytest.raises(Stale):
        manager.alias("production", second, expected=LastMove(1))
    again = manager.alias("production", second, expected=LastMove(manager.aliases(model=name).last_moves["production"]))

    assert (dict(moved), again) == ({"canary": second, "production": first}, second)
    assert dict(manager.branches(name)) == {"main": second, "trial": first}
    assert dict(manager.tags(name)) == {"v1": first}
    assert [entry.kind for entry in manager.moves("production", model=name)] == ["moved"] * 4
    assert [entry.seq for entry in manager.log(model=name, most=3)] == [e.seq for e in manager.log(model=name)][:3]
    manager.delete_tag("v1", model=name)
    manager.delete_alias("canary", model=name)
    manager.delete_branch("trial", model=name)
    assert (manager.tags(name), dict(manager.branches(name))) == ({}, {"main": second})
    other = manager.save_version(arrays(5, 10), name=name, branch="other", parents=[first])
    merged = manager.merge(other, strategy="theirs", message="other")
    assert manager.load_arrays(merged)["w"][0] == 5.0


def test_a_rollback_is_planned_and_rehearsed_first(manager: ModelManager, name: str) -> None:
    rows = np.random.default_rng(0).normal(size=(200, 3))
    labels = (rows[:, 0] > 0).astype(int)
    good = manager.train(small(seed=1, epochs=3), rows, labels, name=name)
    bad = manager.train(small(seed=2, epochs=1), rows, 1 - labels, name=name)

    plan = manager.rollback(good, dry_run=True, rehearse=(rows, labels))
    assert isinstance(plan, RollbackPlan)
    assert plan.rehearsal is not None
    done = manager.rollback(good, expected=bad, rehearse=(rows, labels), reason="better")

    assert isinstance(done, RolledBack)
    assert int(manager.show(f"{name}@main").version) == int(good)
    with pytest.raises(Stale):
        manager.rollback(bad, expected=bad, reason="again")


def test_versions_are_judged_on_rows_of_the_caller(manager: ModelManager, name: str, tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(300, 3))
    labels = (rows[:, 0] + rows[:, 1] > 0).astype(int)
    first = manager.train(small(seed=1, epochs=2), rows[:200], labels[:200], name=name)
    second = manager.train(small(seed=2, epochs=4), rows[:200], labels[:200], name=name)
    file = tmp_path / "rows.csv"
    lines = [",".join([*map(str, row), str(label)]) for row, label in zip(rows[200:], labels[200:], strict=True)]
    file.write_text("\n".join(["0,1,2,y", *lines]))

    in_memory = manager.evaluate(first, rows[200:], labels[200:], name="held", draws=50)
    from_file = manager.evaluate(second, file, "y", name="held", draws=50)
    assert manager.report(first, "held") == in_memory.report
    assert manager.show(first).metrics["held/f1"] == in_memory.performance.to_dict()["f1"]
    assert manager.show(second).rows["held/f1"] == manager.show(first).rows["held/f1"]
    assert from_file.version == second
    gate = manager.gate(second, against=first, require="accuracy >= 0.0", data=rows[200:], labels=labels[200:])
    assert gate.passed
    with pytest.raises(GateNotMet):
        manager.gate(second, require="f1 > 1", name="held").check()
    manager.protect("production", require="f1 > 1", model=name)
    with pytest.raises(Refused, match="protected"):
        manager.alias("production", second)
    compared = manager.compare(first, second, data=rows[200:], labels=labels[200:], draws=100)
    assert {int(each) for each in compared.versions} == {int(first), int(second)}
    assert manager.pick(first, second, by="held/f1", draws=100).picked in (first, second)
    predicted: Any = manager.predict(second, rows[200:])
    assert predicted.num_rows == 100
    told = manager.evaluate_predictions(first, predicted.column("prediction"), labels[200:], name="told", draws=50)
    assert told.name == "told"


def test_a_chain_that_was_run_where_the_ledger_is_is_told(door: Door, name: str) -> None:
    manager, there = door.manager, door.manager if door.server is None else door.server.manager
    manager.save_version(arrays(1, 10), name=name)
    with pytest.raises(UnknownRevision, match=f"there is no chain '{name}'"):
        manager.show_chain(name)

    ran = there.chain({"name": name, "steps": {"mark": {"kind": "tag", "version": f"{name}@1", "tag": "chained"}}})

    assert manager.show_chain(name).to_dict() == ran.to_dict()
    assert name in {each.chain for each in manager.chains()}


def test_a_study_of_the_ledger_is_told_and_stopped(door: Door, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    manager, there = door.manager, door.manager if door.server is None else door.server.manager
    manager.save_version(arrays(1, 10), name=name)
    study = f"{name}/lr, and depth"
    with pytest.raises(UnknownStudy, match="there is no study"):
        manager.show_study(study)
    search = {"metrics": ["f1"]}
    there._workspace.admit(CreateStudy(study=study, directions=("maximize",), model=name, search=search), None)
    created = there._workspace.ledger.state(f"study/{study}").created
    for number in range(5):
        end = End(status="complete", values=(number % 4 / 10,))
        parameters = {"lr": Parameter(value=0.5, distribution={"kind": "float", "low": 0.0, "high": 1.0})}
        there._workspace.admit(BeginTrial(study=study, created=created, parameters=parameters, end=end), None)
    monkeypatch.setattr("lepton_ai.remote.methods.searches.PAGE", 2)

    assert manager.show_study(study) == there.show_study(study)
    assert [each.trial for each in manager.show_study(study).trials] == [0, 1, 2, 3, 4]
    assert manager.studies()[0] == there.show_study(study).summary
    stopped = manager.stop_study(study, key=f"stop {name}")
    assert stopped.stopped is not None
    assert manager.stop_study(study, key=f"stop {name}") == stopped


def test_an_optimizer_is_kept_beside_parameters(manager: ModelManager, name: str) -> None:
    module = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.5, momentum=0.9)
    module(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    with manager.run(name) as run:
        run.checkpoint(module, optimizer=optimizer)
        version = run.save(module, optimizer=optimizer)
    slots = optimizer.state_dict()["state"][0]["momentum_buffer"]

    for load in (
        lambda fresh: manager.load_optimizer(version, fresh),
        lambda fresh: manager.load_checkpoint(run.id, into=torch.nn.Linear(2, 1), optimizer=fresh),
    ):
        fresh = torch.optim.SGD(torch.nn.Linear(2, 1).parameters(), lr=0.1, momentum=0.9)
        load(fresh)
        assert torch.equal(fresh.state_dict()["state"][0]["momentum_buffer"], slots)
    assert set(manager.load_tensors(version)) == set(manager.load_checkpoint_tensors(run.id)) == {"weight", "bias"}


def test_named_data_and_suites_judge(manager: ModelManager, name: str) -> None:
    rows = np.random.default_rng(0).normal(size=(200, 3))
    labels = (rows[:, 0] > 0).astype(int)
    version = manager.train(small(seed=1, epochs=2), rows, labels, name=name)
    added = manager.add_data(f"rows-{name}", rows, labels, keep=True)
    assert (added.rows, manager.data(f"rows-{name}").digest) == (200, added.digest)
    table, column = manager.load_data(f"rows-{name}")
    assert (table.num_rows, column.to_pylist()) == (200, labels.tolist())

    defined = manager.define_suite(f"suite-{name}", f"rows-{name}", require=["accuracy > 0.1"], draws=20)
    judged = manager.run_suite(f"suite-{name}", version)

    assert (defined.suite, judged.passed, judged.version) == (f"suite-{name}", True, version)
    assert f"suite-{name}" in {each.suite for each in manager.suites()}
    assert manager.evaluate(version, f"rows-{name}", draws=20).version == version


def test_the_ledger_is_read_as_it_was(manager: ModelManager, name: str) -> None:
    first = manager.save_version(arrays(1, 10), name=name)
    before = manager.position()
    manager.save_version(arrays(2, 10), name=name)
    past = manager.as_of(before)

    assert past.show(f"{name}@main").version == first
    assert past.load_arrays(f"{name}@main")["w"][0] == 1.0
    with pytest.raises(Refused):
        past.annotate(first, {"a": 1})


REFUSED: dict[str, Callable[[ModelManager, str], object]] = {
    "unknown model": lambda m, n: m.show("nosuch@1"),
    "unknown version": lambda m, n: m.show(f"{n}@99"),
    "unknown run": lambda m, n: m.show_run("feedfacefeed"),
    "unknown tensor": lambda m, n: m.load_arrays(f"{n}@1", ["nosuch"]),
    "bad name": lambda m, n: m.save_version({"w": np.zeros(1)}, name="no/../such thing"),
    "bad argument": lambda m, n: m.show(1.5),  # pyright: ignore[reportArgumentType]
    "bad note": lambda m, n: m.annotate(f"{n}@1", {"": 1}),
    "bad metric": lambda m, n: m.record_metrics(f"{n}@1", {"a" * 2000: 1.0}),
    "bad direction": lambda m, n: m.define_metrics({"x": "sideways"}, model=n),
    "bad search": lambda m, n: m.find("metric.f1 >"),
    "bad sql": lambda m, n: m.sql("DELETE FROM versions"),
    "bad most": lambda m, n: m.log(model=n, most=0),
    "a stale save": lambda m, n: m.save_version({"w": np.ones(3)}, name=n, expected=0),
    "a class that is unknown": lambda m, n: m.load_version(f"{n}@1"),
    "a clearance of what never was moved": lambda m, n: m.clear(f"{n}@1", reason="because"),
    "an unknown job": lambda m, n: m.jobs.show("feedface"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_is_refused_in_the_same_words(doors: dict[str, Door], what: str) -> None:
    said: dict[str, tuple[type[LeptonError], str]] = {}
    for kind, door in doors.items():
        if "same" not in door.manager.models():
            door.manager.save_version({"w": np.zeros(3)}, name="same", key="same")
        with pytest.raises(LeptonError) as raised:
            REFUSED[what](door.manager, "same")
        said[kind] = type(raised.value), re.sub(r"`lepton adopt \w+`|net\d+(, )?", "…", str(raised.value))

    assert said["remote"][0] is said["local"][0]
    assert said["remote"][1] == said["local"][1]


def test_jobs_of_a_server_take_what_jobs_of_a_home_take() -> None:
    for name, member in vars(Jobs).items():
        if inspect.isfunction(member) and not name.startswith("_"):
            assert inspect.signature(getattr(RemoteJobs, name)) == inspect.signature(member), name


def test_a_manager_of_a_server_has_every_method_and_none_that_would_open_a_home() -> None:
    through_the_outbox = {
        "save_version", "kept", "adopt", "load_kept", "drop_kept", "sync", "run", "train", "alias", "checkpoints",
        "load_optimizer",
    }  # fmt: skip
    inherited = {
        each
        for each in vars(ModelManager)
        if not each.startswith("_") and getattr(RemoteManager, each) is vars(ModelManager).get(each)
    }

    assert inherited <= through_the_outbox
