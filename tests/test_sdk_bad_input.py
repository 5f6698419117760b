"""Bad input through the SDK: one sentence, the right class and exit code, and nothing changed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lepton_ai import LeptonError, ModelManager
from lepton_ai.errors import Damaged, KeyReused, Malformed, NotInPast, Refused, Stale, Unavailable, UnknownRevision


@pytest.fixture
def manager(home: Path) -> ModelManager:
    """A home with two versions on main, one aside that main never reached, an alias and a tag."""
    manager = ModelManager(home, actor="ada")
    manager.save_version({"w": np.arange(4.0)}, name="toy", tags=["first"], key="used")
    manager.save_version({"w": np.arange(4.0) + 1}, name="toy")
    manager.save_version({"w": np.arange(4.0) + 2}, name="toy", branch="aside", parents=[2])
    manager.alias("production", 2)
    return manager


@dataclass(frozen=True)
class Case:
    name: str
    act: Callable[[ModelManager], Any]
    error: type[LeptonError]
    says: str


W = {"w": np.arange(4.0)}
ENDLESS = "SELECT 1 UNION ALL SELECT n + 1 FROM t"
CASES = (
    Case("unknown number", lambda m: m.load_version(9), UnknownRevision, "toy has no version 9"),
    Case("unknown name", lambda m: m.show("mian"), UnknownRevision, "did you mean main"),
    Case("unknown model", lambda m: m.show("toi@1"), UnknownRevision, "there is no model 'toi'"),
    Case("a step too far", lambda m: m.show("main~7"), UnknownRevision, "main~7"),
    Case("never reached", lambda m: m.rollback(3), NotInPast, "branch 'main' never reached version 3"),
    Case("no such branch", lambda m: m.rollback(1, branch="mian"), Refused, "no branch 'mian'"),
    Case("nowhere to go", lambda m: m.rollback(), Refused, "name one"),
    Case("alias stood once", lambda m: m.rollback(alias="production"), Refused, "has stood on version 2 only"),
    Case("alias never there", lambda m: m.rollback(3, alias="production"), Refused, "never stood on version 3"),
    Case("stale expected", lambda m: m.rollback(1, expected=1), Stale, "branch 'main' is at 2, not at 1"),
    Case("stale alias", lambda m: m.alias("production", 1, expected=1), Stale, "alias 'production' is at 2, not at 1"),
    Case("key reused", lambda m: m.save_version({"w": np.ones(4)}, name="toy", key="used"), KeyReused, "'used'"),
    Case("NaN metric", lambda m: m.save_version(W, name="toy", metrics={"f1": float("nan")}), Malformed, "'f1' is nan"),
    Case("infinite metric", lambda m: m.record_metrics(1, {"f1": float("inf")}), Malformed, "'f1' is inf"),
    Case("empty tensor name", lambda m: m.save_version({"": np.ones(2)}, name="toy"), Malformed, "name"),
    Case("tensor named by a number", lambda m: m.save_version({1: np.ones(2)}, name="toy"), Malformed, "name"),
    Case("no tensors", lambda m: m.save_version({}, name="toy"), Malformed, "tensor"),
    Case("object dtype", lambda m: m.save_version({"w": np.array([None])}, name="toy"), Malformed, "object"),
    Case("sparse", lambda m: m.save_version({"w": torch.eye(2).to_sparse()}, name="toy"), Malformed, "sparse"),
    Case("nameless mapping", lambda m: m.save_version(W), Malformed, "pass `name=`"),
    Case("no model at all", lambda m: m.save_version(7), Malformed, "a int cannot be kept"),
    Case("bad branch name", lambda m: m.save_version(W, name="toy", branch="9 lives"), Malformed, "'9 lives'"),
    Case("bad model name", lambda m: m.save_version(W, name="toy@2"), Malformed, "'toy@2'"),
    Case("bad tag name", lambda m: m.tag("a..b", 1), Malformed, "'a..b' cannot name a tag"),
    Case("tag in use", lambda m: m.tag("first", 2), Refused, "tag 'first' is on version 1 already"),
    Case("one name space", lambda m: m.branch("production", 1), Refused, "'production' is an alias"),
    Case("branch in use", lambda m: m.branch("aside", 1), Refused, "stands on version 3 already"),
    Case("parents needed", lambda m: m.save_version(W, name="toy", branch="new"), Refused, "pass `parents=`"),
    Case("bad role", lambda m: m.save_version(W, name="toy", parents=[(2, "boss")]), Malformed, "'boss' is none"),
    Case("bad merge", lambda m: m.merge("aside", strategy="best"), Refused, "no merge strategy 'best'"),  # type: ignore[arg-type]
    Case("bare tensors", lambda m: m.load_version(1), Refused, "load_tensors"),
    Case("into nothing", lambda m: m.load_version(1, into=7), Malformed, "a int holds no parameters; give"),
    Case("applied to nothing", lambda m: m.apply(1, None), Malformed, "a NoneType holds no parameters; give"),
    Case("a frozen array", lambda m: m.apply(2, {"w": np.broadcast_to(1.0, 4)}), Malformed, "'w' cannot be written"),
    Case("another mapping", lambda m: m.load_version(1, into={"v": np.ones(4)}), Malformed, "missing 'v'"),
    Case("no such tensor", lambda m: m.load_tensors(1, ["v"]), Malformed, "no tensor 'v'"),
    Case("missing file", lambda m: m.save_version(W, name="toy", files=["/nowhere/x"]), Malformed, "'x' is not there"),
    Case("a recipe that is no JSON", lambda m: m.save_version(W, name="toy", settings={"f": open}), Malformed, "JSON"),
    Case("a note that is no value", lambda m: m.annotate(1, {"n": [1]}), Malformed, "note 'n' is a list"),
    Case("sql that writes", lambda m: m.sql("DROP VIEW versions"), Refused, "SELECT"),
    Case("sql that reads a file", lambda m: m.sql("FROM read_csv('/etc/passwd')"), Refused, ""),
    Case("sql with a slip", lambda m: m.sql("SELEC 1"), Refused, "SELEC"),
    Case(
        "sql that never ends",
        lambda m: m.sql(f"WITH RECURSIVE t(n) AS ({ENDLESS}) SELECT max(n) FROM t", timeout=0.3),
        Refused,
        "0.3",
    ),
    Case("find with a slip", lambda m: m.find("metric.f1 >"), Malformed, ""),
    Case("a bad range", lambda m: m.log("main..nothere"), UnknownRevision, "nothere"),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input_is_refused_in_one_sentence_and_nothing_changes(manager: ModelManager, case: Case) -> None:
    before = list(manager.events())

    with pytest.raises(case.error) as raised:
        case.act(manager)

    sentence = str(raised.value)
    assert case.says in sentence
    assert "\n" not in sentence
    assert len(sentence) < 400
    assert list(manager.events()) == before


HOMES = (
    ("a home that is a file", "file", Refused, "is not a folder"),
    ("a home below a file", "file/below", Refused, "is not a folder"),
    ("a home that is a URL", "https://example.org/x", Refused, "a home is a folder"),
)


@pytest.mark.parametrize(("name", "home", "error", "says"), HOMES, ids=[home[0] for home in HOMES])
def test_a_home_that_cannot_be_one_is_refused(
    tmp_path: Path, name: str, home: str, error: type[LeptonError], says: str
) -> None:
    (tmp_path / "file").write_text("not a folder")

    with pytest.raises(error, match=says):
        ModelManager(home if "://" in home else tmp_path / home).models()

    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


SETTINGS = (
    ("LEPTON_DATABASE", "mysql://root:hunter2@db/x", Malformed, "mysql"),
    ("LEPTON_DATABASE", "nonsense", Malformed, "no database URL"),
    ("LEPTON_DATABASE", "postgresql://ada:hunter2@127.0.0.1:1/x", Unavailable, "does not answer"),
    ("LEPTON_OBJECTS", "s3://key:hunter2@bucket", Malformed, "file://"),
    ("LEPTON_LEDGER", "No Such Ledger", Malformed, "lower-case"),
    ("LEPTON_WAIT", "soon", Malformed, "number of seconds"),
    ("LEPTON_LANG", "fr", Malformed, "LEPTON_LANG is 'fr'; figures are told in zh or en"),
)


@pytest.mark.parametrize(("variable", "value", "error", "says"), SETTINGS)
def test_a_wrong_setting_is_named_and_no_password_shown(
    home: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, error: type[LeptonError], says: str
) -> None:
    monkeypatch.setenv("LEPTON_WAIT", "1")
    monkeypatch.setenv(variable, value)

    with pytest.raises(error) as raised:
        ModelManager(home).save_version(W, name="toy")

    assert says in str(raised.value)
    assert "hunter2" not in str(raised.value)


AS_NOBODY = """
import os, sys, tempfile
from lepton_ai import ModelManager, Refused
with tempfile.TemporaryDirectory() as warm:
    ModelManager(warm).models()  # what is imported late is imported while python's own files can be read
if os.getuid() == 0:
    os.setuid(65534)  # root is refused nowhere
try:
    ModelManager(sys.argv[1], actor="nobody").models()
except Refused as error:
    print(error)
"""


def as_nobody(home: Path) -> subprocess.CompletedProcess[str]:
    """Open a home as a user who owns nothing."""
    return subprocess.run((sys.executable, "-c", AS_NOBODY, str(home)), capture_output=True, text=True, check=False)


@pytest.mark.parametrize("mode", [0o555, 0o000], ids=["read-only", "no permission"])
def test_a_home_without_permission_is_refused(tmp_path: Path, mode: int) -> None:
    for folder in (tmp_path, *tmp_path.parents[:-1]):
        if folder.stat().st_uid == os.getuid() and "pytest" in str(folder):
            folder.chmod(0o755)
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o755)
    locked.chmod(mode)

    done, below = as_nobody(locked), as_nobody(locked / "below")

    locked.chmod(0o755)
    for outcome in (done, below):
        assert "choose another home" in outcome.stdout, outcome.stderr
    assert list(locked.iterdir()) == []


def first_pack(manager: ModelManager, home: Path) -> Path:
    key = next(event["data"]["pack"] for event in manager.events() if event["type"] == "lepton.pack.written.v1")
    return home / "objects" / "main" / key


def test_a_pack_that_is_missing_is_named(manager: ModelManager, home: Path) -> None:
    missing = first_pack(manager, home)
    missing.unlink()

    with pytest.raises(Damaged, match=missing.name):
        manager.load_tensors(1)

    assert any(missing.name in str(damage) for damage in manager.fsck())


def test_one_damage_that_several_versions_need_is_listed_once(manager: ModelManager, home: Path) -> None:
    broken = first_pack(manager, home)
    broken.chmod(0o644)
    content = bytearray(broken.read_bytes())
    content[len(content) // 3] ^= 1
    broken.write_bytes(content)

    damages = [str(damage) for damage in manager.fsck(events=False, projection=False)]

    assert len(damages) == len(set(damages)) > 0


def test_a_pack_cut_short_is_named(manager: ModelManager, home: Path) -> None:
    cut = first_pack(manager, home)
    cut.chmod(0o644)
    with cut.open("r+b") as file:
        file.truncate(5)

    with pytest.raises(Damaged):
        manager.load_tensors(1)

    assert any(cut.name in str(damage) for damage in manager.fsck())


def test_a_database_of_a_newer_lepton_is_refused(manager: ModelManager, home: Path) -> None:
    import sqlite3

    manager.close()
    with sqlite3.connect(home / "main.db") as connection:
        connection.execute("UPDATE head SET format = 99")

    with pytest.raises(Refused, match=r"format 99.*update the package"):
        ModelManager(home).models()


def test_an_event_that_names_a_class_imports_nothing(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = tmp_path / "planted_by_an_event.py"
    planted.write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    manager = ModelManager(home)
    for number, name in enumerate(("os.system", "planted_by_an_event.Model", "builtins.exec"), 1):
        manager.save_version({"w": np.arange(4.0)}, name=f"toy{number}", architecture={"class": name, "config": {}})

        with pytest.raises(Refused, match=name):
            manager.load_version(f"toy{number}@1")

    assert "planted_by_an_event" not in sys.modules
