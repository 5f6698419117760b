"""Rights at the SDK's door: a model that may not be read is as if it were not there, and homes are shared."""

from __future__ import annotations

import inspect
import json
import pickle
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from lepton_ai import ModelManager
from lepton_ai.domain.access.rights import ALL, SCOPES, Rights, Scope
from lepton_ai.errors import Forbidden, LeptonError, Malformed, UnknownRevision
from lepton_ai.jobs.api import Jobs
from lepton_ai.results.answer import plain

SEEN, HIDDEN, ABSENT = "credit", "zebra", "okapi"
ROWS = {"amount": [1.0, 2.0], "label": [0, 1]}


@dataclass(frozen=True)
class Names:
    """What somebody asks for who may not see it, or who asks for what is not there."""

    model: str
    run: str
    job: str
    suite: str
    chain: str

    @property
    def rev(self) -> str:
        """A version of the model."""
        return f"{self.model}@1"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[ModelManager, Names]:
    """A ledger of a model that is seen, with a parent that is not, and of one that is hidden with all that it has."""
    folder = tmp_path_factory.mktemp("rights")
    rows = folder / "rows.csv"
    rows.write_text("amount,label\n1,0\n2,1\n")
    manager = ModelManager(folder / "home", actor="ada")
    manager.add_data("quarter", str(rows), "label")
    ids: dict[str, Any] = {}
    for name in (HIDDEN, SEEN):
        parents = [(f"{HIDDEN}@1", "teacher")] if name == SEEN else None
        manager.save_version({"w": np.arange(3.0)}, name=name, parents=parents, metrics={"f1": 0.5}, message="words")
        manager.alias("production", f"{name}@1")
        manager.annotate(f"{name}@1", {"ticket": name, f"of_{name}": 1})
        with manager.run(name, hyperparameters={"depth": 1}) as run:
            run.log({"loss": 0.5}, step=1)
            run.checkpoint({"w": np.arange(3.0)}, step=1)
            run.log_text("notes.txt", "what was tried")
        job = manager.jobs.offer(name, (folder / "x.safetensors").as_uri(), f"sha256:{'0' * 64}").job
        manager.define_suite(f"{name}-x", "quarter", model=name)
        tag = {"kind": "tag", "version": f"{name}@1", "tag": "chained"}
        manager.chain({"name": f"{name}-c", "steps": {"tag": tag}})
        ids[name] = Names(name, run.id, job, f"{name}-x", f"{name}-c")
    return manager, ids[HIDDEN]


@pytest.fixture
def hidden(made: tuple[ModelManager, Names]) -> Names:
    return made[1]


@pytest.fixture
def absent(hidden: Names) -> Names:
    return Names(ABSENT, hidden.run[::-1], hidden.job[::-1], f"{ABSENT}-x", f"{ABSENT}-c")


@pytest.fixture
def stranger(made: tuple[ModelManager, Names]) -> ModelManager:
    """Somebody who may do everything, with one model alone."""
    return made[0].acting("bea", Rights(frozenset(SCOPES), (SEEN,)))


ASKING: dict[str, Callable[[ModelManager, Names], Any]] = {
    "about": lambda m, n: m.about(n.model),
    "add_data": lambda m, n: None,
    "alias": lambda m, n: m.alias("production", n.rev),
    "aliases": lambda m, n: m.aliases(model=n.model),
    "as_of": lambda m, n: m.as_of(m.position()).about(n.model),
    "annotate": lambda m, n: m.annotate(n.rev, {"a": 1}),
    "apply": lambda m, n: m.apply(n.rev, {"w": np.zeros(3)}),
    "archive": lambda m, n: m.archive(n.model),
    "best_threshold": lambda m, n: m.best_threshold(n.rev, ROWS, "label", costs={"false_negative": 5}),
    "branch": lambda m, n: m.branch("wide", n.rev),
    "branches": lambda m, n: m.branches(n.model),
    "calibrate": lambda m, n: m.calibrate(n.rev, ROWS, "label"),
    "card": lambda m, n: m.card(n.rev),
    "chain": lambda m, n: m.chain(
        {"name": "c", "steps": {"a": {"kind": "evaluate", "version": n.rev, "data": "quarter"}}}, wait=False
    ),
    "chains": lambda m, n: m.chains(),
    "checkout": lambda m, n: m.checkout(n.rev, "/nowhere"),
    "checkpoints": lambda m, n: m.checkpoints(n.run),
    "clear": lambda m, n: m.clear(n.rev, reason="why"),
    "compare": lambda m, n: m.compare(f"{SEEN}@1", n.rev),
    "data": lambda m, n: m.data("quarter"),
    "data_sets": lambda m, n: m.data_sets(),
    "define_metrics": lambda m, n: m.define_metrics({"fid": "lower"}, model=n.model),
    "define_suite": lambda m, n: m.define_suite("own", "quarter", model=n.model),
    "delete_alias": lambda m, n: m.delete_alias("production", model=n.model),
    "delete_branch": lambda m, n: m.delete_branch("main", model=n.model),
    "delete_tag": lambda m, n: m.delete_tag("v1", model=n.model),
    "describe": lambda m, n: m.describe(n.model, "words"),
    "diff": lambda m, n: m.diff(f"{SEEN}@1", n.rev),
    "drift": lambda m, n: m.drift("quarter", "quarter@1"),
    "evaluate": lambda m, n: m.evaluate(n.rev, ROWS, "label"),
    "evaluate_predictions": lambda m, n: m.evaluate_predictions(n.rev, [0, 1], [0, 1]),
    "events": lambda m, n: [*m.events(stream=f"model/{n.model}")],
    "export": lambda m, n: m.export(n.rev, "/nowhere/x.safetensors"),
    "files": lambda m, n: m.files(n.rev),
    "find": lambda m, n: m.find(f"note.ticket = '{n.model}'"),
    "gate": lambda m, n: m.gate(n.rev, require="f1 > 0.1"),
    "library": lambda m, n: m.library(n.model),
    "load_arrays": lambda m, n: m.load_arrays(n.rev),
    "load_checkpoint": lambda m, n: m.load_checkpoint(n.run),
    "load_checkpoint_tensors": lambda m, n: m.load_checkpoint_tensors(n.run),
    "load_data": lambda m, n: None,
    "load_optimizer": lambda m, n: m.load_optimizer(n.rev, None),
    "load_tensors": lambda m, n: m.load_tensors(n.rev),
    "load_version": lambda m, n: m.load_version(n.rev, into={"w": np.zeros(3)}),
    "log": lambda m, n: m.log(model=n.model),
    "merge": lambda m, n: m.merge(n.rev),
    "moves": lambda m, n: m.moves("main", model=n.model),
    "models": lambda m, n: m.models(),
    "pick": lambda m, n: m.pick(model=n.model),
    "position": lambda m, n: m.position(),
    "predict": lambda m, n: m.predict(n.rev, "rows.csv"),
    "protect": lambda m, n: m.protect("production", require="f1 > 0.1", model=n.model),
    "prove": lambda m, n: m.prove(n.rev),
    "protections": lambda m, n: m.protections(n.model),
    "record_metrics": lambda m, n: m.record_metrics(n.rev, {"f1": 0.1}),
    "report": lambda m, n: m.report(n.rev),
    "resume": lambda m, n: m.resume(n.run),
    "retire_suite": lambda m, n: m.retire_suite(n.suite),
    "robustness": lambda m, n: m.robustness(n.rev, ROWS, "label"),
    "rollback": lambda m, n: m.rollback(n.rev),
    "run": lambda m, n: m.run(n.model).__enter__(),
    "run_files": lambda m, n: m.run_files(n.run),
    "load_run_file": lambda m, n: m.load_run_file(n.run, "notes.txt"),
    "run_metrics": lambda m, n: m.run_metrics(n.run),
    "run_progress": lambda m, n: m.run_progress(n.run),
    "run_suite": lambda m, n: m.run_suite(n.suite, f"{SEEN}@1"),
    "runs": lambda m, n: m.runs(n.model),
    "save_version": lambda m, n: m.save_version({"w": np.ones(3)}, name=n.model),
    "show": lambda m, n: m.show(n.rev),
    "show_chain": lambda m, n: m.show_chain(n.chain),
    "show_run": lambda m, n: m.show_run(n.run),
    "status": lambda m, n: m.status().to_dict() | {"views": None},
    "show_study": lambda m, n: m.show_study(n.model),
    "stop_study": lambda m, n: m.stop_study(n.model),
    "studies": lambda m, n: m.studies(),
    "suggest_rollback": lambda m, n: m.suggest_rollback(model=n.model),
    "suite": lambda m, n: m.suite(n.suite),
    "suites": lambda m, n: m.suites(retired=True),
    "tag": lambda m, n: m.tag("v1", n.rev),
    "tags": lambda m, n: m.tags(n.model),
    "train": lambda m, n: m.save_version({"w": np.ones(3)}, name=n.model, branch="wide"),
    "build": lambda m, n: m.build(ROWS, "label", name=n.model, trials=1, candidates=["linear"]),
    "tune": lambda m, n: m.tune("credit-scoring-model", ROWS, "label", name=n.model, trials=1),
    "versions": lambda m, n: m.versions(n.model),
    "unarchive": lambda m, n: m.unarchive(n.model),
    "unprotect": lambda m, n: m.unprotect("production", model=n.model),
    "jobs.cancel": lambda m, n: m.jobs.cancel(n.job),
    "jobs.evaluate": lambda m, n: m.jobs.evaluate(n.rev, "quarter"),
    "jobs.events": lambda m, n: [*m.jobs.events(n.job)],
    "jobs.offer": lambda m, n: m.jobs.offer(n.model, "file:///x.safetensors", f"sha256:{'0' * 64}"),
    "jobs.recent": lambda m, n: m.jobs.recent(),
    "jobs.show": lambda m, n: m.jobs.show(n.job),
    "jobs.train": lambda m, n: m.jobs.train("credit", "quarter", name=n.model),
    "jobs.tune": lambda m, n: m.jobs.tune("credit-scoring-model", "quarter", name=n.model, trials=1),
    "jobs.wait": lambda m, n: m.jobs.wait(n.job, timeout=0.01),
}
"""Every method that is about models, as somebody calls it who may not see one."""
WHOLE: dict[str, Callable[[ModelManager], Any]] = {
    "acting": lambda m: m.acting("eve", ALL),
    "adopt": lambda m: m.adopt("4f2a"),
    "create_token": lambda m: m.create_token("eve", "read"),
    "drop_kept": lambda m: m.drop_kept("4f2a"),
    "forget_actor": lambda m: m.forget_actor("ada"),
    "fsck": lambda m: m.fsck(),
    "heal": lambda m: m.heal(),
    "holder": lambda m: m.holder("lepton_" + "a" * 43),
    "kept": lambda m: m.kept(),
    "load_kept": lambda m: m.load_kept("4f2a"),
    "rebuild": lambda m: m.rebuild(),
    "rebuild_from_kafka": lambda m: m.rebuild_from_kafka(),
    "revoke_token": lambda m: m.revoke_token("4f2a"),
    "sign_head": lambda m: m.sign_head("/nowhere/head", key_file="/nowhere/key"),
    "snapshot": lambda m: m.snapshot("/nowhere/x.duckdb"),
    "sql": lambda m: m.sql("SELECT 1"),
    "sync": lambda m: m.sync(),
    "tokens": lambda m: m.tokens(),
    "upgrade": lambda m: m.upgrade(dry_run=True),
    "verify": lambda m: m.verify(),
}
"""What concerns the whole ledger."""


def methods() -> Iterator[str]:
    for door, kind in (("", ModelManager), ("jobs.", Jobs)):
        for name, member in vars(kind).items():
            if inspect.isfunction(member) and not name.startswith("_") and name not in ("close", "opened", "begun"):
                yield f"{door}{name}"


def outcome(ask: Callable[[ModelManager, Names], Any], manager: ModelManager, names: Names) -> str:
    """What comes of a question, without the names that were asked for."""
    try:
        answer = ask(manager, names)
        text = json.dumps(plain(answer.to_dict() if hasattr(answer, "to_dict") else answer), default=str)
    except LeptonError as error:
        text = f"{type(error).__name__}: {error}"
    for name, value in sorted(vars(names).items()):
        text = text.replace(value, f"[{name}]")
    return text


def test_every_method_is_asked_about_here() -> None:
    assert set(methods()) == {*ASKING, *WHOLE}


@pytest.mark.parametrize("method", sorted(ASKING))
def test_a_model_that_may_not_be_read_is_as_if_it_were_not_there(
    method: str, stranger: ModelManager, hidden: Names, absent: Names
) -> None:
    one, other = (outcome(ASKING[method], stranger, names) for names in (hidden, absent))

    assert one == other
    assert HIDDEN not in one


@pytest.mark.parametrize("method", sorted(WHOLE))
def test_what_concerns_the_whole_ledger_is_for_those_who_have_rights_on_all_models(
    method: str, stranger: ModelManager
) -> None:
    with pytest.raises(Forbidden, match="on all models"):
        WHOLE[method](stranger)


def test_nothing_that_is_shown_of_a_model_names_one_that_may_not_be_read(stranger: ModelManager) -> None:
    shown: list[Any] = [
        stranger.models(), stranger.show(f"{SEEN}@1").to_dict(), stranger.about(SEEN).to_dict(), stranger.runs(),
        stranger.log(model=SEEN).to_dict(), stranger.suites(), stranger.jobs.recent(), [*stranger.events()],
        stranger.find("f1 > 0.1"), str(stranger.log(model=SEEN)), str(stranger.card(f"{SEEN}@1")),
    ]  # fmt: skip
    told = [json.dumps(plain(each), default=str) for each in shown]

    assert [text[:200] for text in told if HIDDEN in text] == []
    assert all(told)
    assert stranger.models() == [SEEN]
    assert stranger.show().version.model == SEEN


@pytest.mark.parametrize("asked", ["note.of_{} = 1", "of_{} > 0", "note.of_{} = 1 or f1 > 2"])
def test_a_search_knows_no_name_that_hidden_models_alone_have(stranger: ModelManager, asked: str) -> None:
    told: list[str] = []
    for name in (HIDDEN, ABSENT):
        for find in (stranger.find, lambda where: stranger.versions(SEEN, where=where)):
            with pytest.raises(Malformed) as error:
                find(asked.format(name))
            told.append(str(error.value).replace(name, "NAME"))

    assert len(set(told)) == 1
    assert len(stranger.find(asked.format(SEEN))) == 1


def test_events_are_heard_of_the_models_that_may_be_read(
    made: tuple[ModelManager, Names], stranger: ModelManager
) -> None:
    streams = {event["subject"].partition("/")[0] for event in stranger.events()}
    everything = {event["subject"].partition("/")[0] for event in made[0].events()}

    assert everything - streams == {"objects"}


def test_what_is_recorded_bears_the_name_of_who_acts(made: tuple[ModelManager, Names]) -> None:
    manager = made[0]
    manager.acting("cleo", Rights(frozenset(("move",)), (SEEN,))).tag("seen", f"{SEEN}@1")

    assert (
        manager.sql("SELECT opened(actor) AS name FROM events ORDER BY seq DESC LIMIT 1")["name"][0].as_py() == "cleo"
    )


@pytest.mark.parametrize(
    ("scopes", "act"),
    [
        (("read",), lambda m: m.annotate(SEEN, {"a": 1})),
        (("write",), lambda m: m.alias("production", f"{SEEN}@1")),
        (("move",), lambda m: m.annotate(SEEN, {"a": 1})),
        (("sql",), lambda m: m.models()),
        (("read", "write", "move"), lambda m: m.archive(SEEN)),
        (("read", "write", "move", "admin"), lambda m: m.sql("SELECT 1")),
        (("write",), lambda m: m.run("zebra").__enter__()),
    ],
    ids=[
        "annotate",
        "alias",
        "annotate by move",
        "models by sql",
        "archive",
        "sql of one model",
        "another model's run",
    ],
)
def test_what_rights_do_not_allow_is_forbidden_and_changes_nothing(
    scopes: tuple[Scope, ...], act: Callable[[ModelManager], Any], made: tuple[ModelManager, Names]
) -> None:
    manager = made[0]
    before = manager.position()

    with pytest.raises(Forbidden):
        act(manager.acting("bea", Rights(frozenset(scopes), (SEEN,))))

    assert manager.position() == before


def test_those_who_act_share_what_is_open_and_close_nothing(made: tuple[ModelManager, Names]) -> None:
    manager = made[0]
    with manager.acting("bea") as one:
        assert one.models() == [SEEN, HIDDEN]
    two = manager.acting("cleo", Rights(frozenset(("read",)), (SEEN,)))

    assert one._home.database is two._home.database is manager._home.database
    assert one._home.workspace.vault is two._home.workspace.vault is manager._home.workspace.vault
    assert one._home.workspace is manager.acting("bea")._home.workspace
    assert pickle.loads(pickle.dumps(two)).models() == [SEEN]


def test_many_threads_act_at_once_each_with_rights_of_their_own(made: tuple[ModelManager, Names]) -> None:
    manager, found = made[0], list[tuple[str, list[str]]]()

    def act(model: str) -> None:
        for _ in range(20):
            found.append((model, manager.acting(f"of {model}", Rights(frozenset(("read",)), (model,))).models()))

    threads = [threading.Thread(target=act, args=(name,)) for name in (SEEN, HIDDEN) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 160
    assert all(models == [model] for model, models in found)


def test_a_run_that_may_not_be_read_is_found_by_no_part_of_its_id(stranger: ModelManager, hidden: Names) -> None:
    for part in (hidden.run, hidden.run[-12:]):
        with pytest.raises(UnknownRevision, match="there is no run"):
            stranger.show_run(part)
