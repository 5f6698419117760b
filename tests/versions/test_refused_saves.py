"""Saves that are refused: nothing that was trained is lost, and it can be adopted, loaded or dropped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from lepton_ai import ModelManager
from lepton_ai.errors import LeptonError, Malformed, Refused, Stale, TooLarge, UnknownRevision
from lepton_ai.models import CreditScoringModel

from ..cli_home import Cli

SAVER = """
import sys
import numpy as np
from lepton_ai import ModelManager
manager = ModelManager(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
branch, kind, n = sys.argv[2:]
weights = {"w": np.full(4, int(n))}
if kind == "run":
    with manager.run("net") as run:
        run.log({"loss": 1.0}, step=int(n))
        print(int(run.save(weights, branch=branch)))
else:
    print(int(manager.save_version(weights, name="net", branch=branch)))
"""


@pytest.fixture
def manager(home: Path) -> ModelManager:
    return ModelManager(home, actor="ada")


def weights(n: float) -> dict[str, np.ndarray]:
    return {"w": np.full(4, n)}


def refused(act: Callable[[], object], error: type[Exception] = Refused) -> str:
    """The name under which what a refused save was given is kept."""
    with pytest.raises(error) as raised:
        act()
    assert isinstance(raised.value, LeptonError)
    assert raised.value.kept
    assert f"`lepton adopt {raised.value.kept}`" in str(raised.value)
    return raised.value.kept


@pytest.mark.parametrize(("branch", "kind"), [("main", "run"), ("trial", "save")])
def test_processes_that_save_fresh_models_at_once_all_succeed_in_one_line(home: Path, branch: str, kind: str) -> None:
    """Also where they race for the model's first version, or for a branch that is not there yet."""
    command = [sys.executable, "-c", SAVER, str(home), branch, kind]
    savers = [
        subprocess.Popen(
            [*command, str(n)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONSAFEPATH": "1"},
        )
        for n in range(3)
    ]  # fmt: skip
    for each in savers:
        assert each.stdout
        assert each.stdout.readline() == "ready\n"
    answers = [each.communicate("go\n")[0].strip() for each in savers]

    manager = ModelManager(home)
    assert sorted(map(int, answers)) == [1, 2, 3]
    assert [manager.show(n).version.parents for n in (1, 2, 3)] == [(), ((1, "trained"),), ((2, "trained"),)]
    assert {manager.load_arrays(n)["w"][0] for n in (1, 2, 3)} == {0, 1, 2}
    assert manager.kept() == ()
    assert {row["status"] for row in manager.sql("SELECT status FROM runs").to_pylist()} <= {"finished"}


def test_threads_that_save_and_train_into_one_model_lose_nothing(manager: ModelManager) -> None:
    with ThreadPoolExecutor(6) as pool:
        made = [*pool.map(lambda n: int(manager.save_version(weights(n), name="net")), range(12))]

    assert sorted(made) == [*range(1, 13)]
    assert [manager.load_arrays(f"net@{number}")["w"][0] for number in made] == [*range(12)]
    assert manager.fsck(projection=False) == []


def test_what_two_save_alike_is_one_version(manager: ModelManager) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = {int(each) for each in pool.map(lambda _: manager.save_version(weights(1), name="net"), range(8))}

    assert made == {1}


def test_an_object_that_came_from_another_version_stays_stale_and_is_kept(manager: ModelManager) -> None:
    net = nn.Linear(2, 1)
    manager.save_version(net, name="net")
    ModelManager(manager._settings.home).save_version(nn.Linear(2, 1), name="net")
    with torch.no_grad():
        net.weight.fill_(7.0)

    name = refused(lambda: manager.save_version(net, name="net", message="tuned", tags=["best"]), Stale)

    (kept,) = manager.kept()
    assert (kept.name, kept.model, kept.branch, kept.message, kept.tags) == (name, "net", "main", "tuned", ("best",))
    assert "is at 2, not at 1" in kept.reason
    into = nn.Linear(2, 1)
    assert manager.load_kept(name, into=into) is into
    assert into.weight.tolist() == [[7.0, 7.0]]
    version = manager.adopt(name)
    assert version.parents == ((2, "trained"),)
    assert (manager.show(version).message, manager.show(version).tags) == ("tuned", ("best",))
    assert manager.load_tensors(version)["weight"].tolist() == [[7.0, 7.0]]
    assert manager.kept() == ()


def test_it_may_be_adopted_on_a_branch_of_its_own_where_it_came_from(manager: ModelManager) -> None:
    for n in range(2):
        manager.save_version(weights(n), name="net")
    name = refused(lambda: manager.save_version(weights(9), name="net", parents=[1]), Stale)

    version = manager.adopt(name, branch="late")

    assert (version.branch, version.parents) == ("late", ((1, "trained"),))


REFUSALS: list[tuple[str, Callable[[ModelManager], object], dict[str, Any]]] = [
    ("tag in use", lambda m: m.save_version(weights(9), name="net", tags=["taken", "free"]), {}),
    ("tag on the head", lambda m: m.save_version(weights(9), name="net", tags=["head", "free"]), {}),
    ("bad metric", lambda m: m.save_version(weights(9), name="net", metrics={"f1": "high", "ok": 1.0}), {}),
    ("metric without a name", lambda m: m.save_version(weights(9), name="net", metrics={1: 1.0, "ok": 1.0}), {}),
    ("bad hyperparameter", lambda m: m.save_version(weights(9), name="net", hyperparameters={"f": object()}), {}),
    ("bad note", lambda m: m.save_version(weights(9), name="net", annotations={"n": [1]}), {}),
    ("no file", lambda m: m.save_version(weights(9), name="net", files=["/nowhere/x"]), {}),
    ("bad branch", lambda m: m.save_version(weights(9), name="net", branch="9"), {"branch": "main"}),
    ("bad model", lambda m: m.save_version(weights(9), name="no model"), {"model": "net"}),
    ("no such parent", lambda m: m.save_version(weights(9), name="net", parents=[99]), {}),
    ("bad role", lambda m: m.save_version(weights(9), name="net", parents=[(2, "two\nlines")]), {}),
    ("unexpected head", lambda m: m.save_version(weights(9), name="net", expected=1), {}),
    ("tags that are none", lambda m: m.save_version(weights(9), name="net", tags=7), {}),
    ("new branch of nothing", lambda m: m.save_version(weights(9), name="net", branch="x"), {"parents": [1]}),
    (
        "too large",
        lambda m: m.save_version(weights(9), name="net", hyperparameters={"x": "y" * 300_000}),
        {"hyperparameters": {}},
    ),
]


@pytest.mark.parametrize(("save", "adopting"), [each[1:] for each in REFUSALS], ids=[each[0] for each in REFUSALS])
def test_whatever_a_save_is_refused_for_its_tensors_are_kept_and_adopted(
    manager: ModelManager, save: Callable[[ModelManager], object], adopting: dict[str, Any]
) -> None:
    manager.save_version(weights(0), name="net", tags=["taken"])
    manager.save_version(weights(1), name="net", tags=["head"])

    name = refused(lambda: save(manager))
    assert manager.load_kept(name)["w"].tolist() == [9.0] * 4
    version = manager.adopt(name, **adopting)

    assert version == 3
    assert manager.load_arrays(version)["w"].tolist() == [9.0] * 4
    assert set(manager.show(version).metrics) <= {"ok"}
    assert set(manager.show(version).tags) <= {"free"}
    assert manager.kept() == ()
    assert manager.fsck(projection=False) == []


def test_a_word_that_save_version_does_not_know_costs_no_training_either(manager: ModelManager) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        manager.save_version(weights(9), name="net", colour="red")  # pyright: ignore[reportCallIssue]
    with pytest.raises(Malformed, match="a save takes no 'colour'"), manager.run("net") as run:
        run.save(weights(8), colour="red")

    assert [manager.load_kept(each.name)["w"][0] for each in manager.kept()] == [9, 8]


def test_an_archived_model_refuses_but_what_was_trained_waits(manager: ModelManager) -> None:
    manager.save_version(weights(0), name="net")
    manager.archive("net")

    name = refused(lambda: manager.save_version(weights(1), name="net"))
    refused(lambda: manager.save_version(weights(1), name="net"))
    with pytest.raises(Refused, match="is archived"):
        manager.adopt(name)
    manager.unarchive("net")

    assert [each.name for each in manager.kept()] == [name]
    assert manager.adopt(name) == 2


def test_a_tag_that_another_bound_during_the_training_costs_no_training(manager: ModelManager) -> None:
    rows = np.random.default_rng(0).normal(size=(60, 3))
    labels = (rows[:, 0] > 0).astype(int)
    model = CreditScoringModel().add_hyperparameter("epochs", 2)
    other = ModelManager(manager._settings.home)

    def meanwhile(epoch: int, losses: object) -> None:
        if epoch == 1:
            other.save_version(weights(0), name=model.name, tags=["best"])

    name = refused(lambda: manager.train(model, rows, labels, tags=["best"], on_epoch=meanwhile))

    kept = manager.load_kept(name)
    assert isinstance(kept, CreditScoringModel)
    assert np.array_equal(kept.predict_proba(rows), model.predict_proba(rows))
    assert kept.hyperparameters == model.hyperparameters
    version = manager.adopt(name, tags=["second"])
    assert manager.show(version).run == manager.runs()[0].run
    assert np.array_equal(manager.load_version(version).predict_proba(rows), model.predict_proba(rows))


def test_what_is_kept_outlives_the_process_and_is_listed_adopted_and_dropped_by_command(home: Path) -> None:
    script = (
        "import os, signal, numpy as np\n"
        "from lepton_ai import ModelManager, Refused\n"
        f"m = ModelManager({str(home)!r})\n"
        "m.save_version({'w': np.zeros(4)}, name='net')\n"
        "for n in (5, 6):\n"
        "    try: m.save_version({'w': np.full(4, n)}, name='net', branch='9')\n"
        "    except Refused as error: print(error.kept, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=os.environ | {"PYTHONSAFEPATH": "1"}
    )
    assert done.returncode == -signal.SIGKILL
    first, second = done.stdout.split()
    cli = Cli(home)

    assert [each["name"] for each in cli("kept --json").json["kept"]] == [first, second]
    assert first in cli("kept").out
    assert cli("status --json").json["kept"] == 2
    assert cli(f"adopt {first}").code == 1
    adopted = cli(f"adopt {first} --branch main --tag late -m late --json")
    assert (adopted.code, adopted.json["version"]["version"]) == (0, 2)
    assert cli(f"kept --drop {second} --yes --json").json == {"kept": [], "dropped": second}
    assert cli(f"adopt {second}").code == 1
    with ModelManager(home) as manager:
        assert manager.load_arrays("late")["w"].tolist() == [5.0] * 4
        with pytest.raises(UnknownRevision, match="`lepton kept` lists them"):
            manager.load_kept(first)


def test_bytes_of_a_kept_save_that_rotted_are_never_adopted(manager: ModelManager, home: Path) -> None:
    name = refused(lambda: manager.save_version(weights(3), name="net", branch="9"))
    (pack,) = (path for path in (home / "spool").rglob("packs/**/*") if path.is_file())
    damaged = bytearray(pack.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    pack.chmod(0o600)
    pack.write_bytes(damaged)

    with pytest.raises(LeptonError, match="damaged"):
        manager.adopt(name, branch="main")
    assert manager.models() == []
    assert len(manager.kept()) == 1


def test_a_command_of_too_many_events_keeps_its_tensors(manager: ModelManager) -> None:
    tags = [f"t{n}" for n in range(4000)]

    name = refused(lambda: manager.save_version(weights(3), name="net", tags=tags), TooLarge)

    assert manager.adopt(name, tags=["one"]) == 1


def test_a_job_whose_version_is_refused_keeps_it_for_whoever_asked(manager: ModelManager, tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(80, 2)).round(3)
    lines = ["a,b,bad", *(f"{a},{b},{int(a > 0)}" for a, b in rows)]
    (tmp_path / "rows.csv").write_text("\n".join(lines))
    job = manager.jobs.train(
        "credit-scoring-model", str(tmp_path / "rows.csv"), label="bad", hyperparameters={"epochs": 2}
    )
    manager.save_version(weights(0), name="credit-scoring-model")
    manager.archive("credit-scoring-model")

    ended = manager.jobs.wait(job.job)

    assert ended.status == "failed"
    (kept,) = manager.kept()
    assert f"`lepton adopt {kept.name}`" in ended.reason
    assert kept.run is not None
    manager.unarchive("credit-scoring-model")
    version = manager.adopt(kept.name)
    judged = {"a": rows[:, 0], "b": rows[:, 1]}
    assert manager.load_version(version).evaluate(judged, (rows[:, 0] > 0).astype(int)).n == 80
    assert json.loads(json.dumps(manager.show(version).to_dict()))["hyperparameters"]["epochs"] == 2
