"""Bad input through the SDK: one sentence, the right class and exit code, and nothing changed."""

from __future__ import annotations

import os
import sqlite3
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
from lepton_ai.settings import load


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


def nested(levels: int) -> dict[str, Any]:
    """A mapping in a mapping in a mapping."""
    made: dict[str, Any] = {}
    for _ in range(levels):
        made = {"in": made}
    return made


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
    Case("complex metric", lambda m: m.save_version(W, name="toy", metrics={"f1": 1j}), Malformed, "is a complex"),
    Case("a metric in words", lambda m: m.record_metrics(1, {"f1": "high"}), Malformed, "'f1' is a str"),
    Case("empty tensor name", lambda m: m.save_version({"": np.ones(2)}, name="toy"), Malformed, "name"),
    Case("tensor named by a number", lambda m: m.save_version({1: np.ones(2)}, name="toy"), Malformed, "name"),
    Case("no tensors", lambda m: m.save_version({}, name="toy"), Malformed, "tensor"),
    Case("object dtype", lambda m: m.save_version({"w": np.array([None])}, name="toy"), Malformed, "object"),
    Case("sparse", lambda m: m.save_version({"w": torch.eye(2).to_sparse()}, name="toy"), Malformed, "sparse"),
    Case("nameless mapping", lambda m: m.save_version(W), Malformed, "pass `name=`"),
    Case("no model at all", lambda m: m.save_version(7), Malformed, "an int cannot be kept"),
    Case("bad branch name", lambda m: m.save_version(W, name="toy", branch="9 lives"), Malformed, "'9 lives'"),
    Case("bad model name", lambda m: m.save_version(W, name="toy@2"), Malformed, "'toy@2'"),
    Case("bad tag name", lambda m: m.tag("a..b", 1), Malformed, "'a..b' cannot name a tag"),
    Case("tag in use", lambda m: m.tag("first", 2), Refused, "tag 'first' is on version 1 already"),
    Case("one name space", lambda m: m.branch("production", 1), Refused, "'production' is an alias"),
    Case("branch in use", lambda m: m.branch("aside", 1), Refused, "stands on version 3 already"),
    Case("parents needed", lambda m: m.save_version(W, name="toy", branch="new"), Refused, "or name a parent"),
    Case(
        "bad role",
        lambda m: m.save_version(W, name="toy", parents=[(2, "a\nb")]),
        Malformed,
        "cannot name a parent's role",
    ),
    Case("bad merge", lambda m: m.merge("aside", strategy="best"), Refused, "no merge strategy 'best'"),  # type: ignore[arg-type]
    Case("bare tensors", lambda m: m.load_version(1), Refused, "load_tensors"),
    Case("into nothing", lambda m: m.load_version(1, into=7), Malformed, "an int holds no parameters; give"),
    Case("applied to nothing", lambda m: m.apply(1, None), Malformed, "nothing (None) holds no parameters; give"),
    Case("a frozen array", lambda m: m.apply(2, {"w": np.broadcast_to(1.0, 4)}), Malformed, "'w' cannot be written"),
    Case("another mapping", lambda m: m.load_version(1, into={"v": np.ones(4)}), Malformed, "missing 'v'"),
    Case("no such tensor", lambda m: m.load_tensors(1, ["v"]), Malformed, "no tensor 'v'"),
    Case("missing file", lambda m: m.save_version(W, name="toy", files=["/nowhere/x"]), Malformed, "'x' is not there"),
    Case("no JSON", lambda m: m.save_version(W, name="toy", settings={"f": object()}), Malformed, "JSON"),
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
    Case("find without end", lambda m: m.find(" and ".join(["metric.f1 > 0"] * 3000)), Malformed, "100 times at most"),
    Case("find nothing", lambda m: m.find(None), Malformed, "expression is None; find takes str"),
    Case("as of half an event", lambda m: m.sql("SELECT 1", as_of=1.5), Malformed, "as_of is 1.5"),
    Case("a limit in words", lambda m: m.sql("SELECT 1", timeout="x"), Malformed, "timeout is 'x'"),
    Case("a recipe without end", lambda m: m.save_version(W, name="toy", settings=nested(3000)), Malformed, "nested"),
    Case("a run without end", lambda m: m.run("toy", hyperparameters=nested(3000)).__enter__(), Malformed, "nested"),
    Case("no file", lambda m: m.save_version(W, name="toy", files={"x": None}), Malformed, "files is {'x': None}"),
    Case("a tag that is none", lambda m: m.save_version(W, name="toy", tags=[1]), Malformed, "tags is [1]"),
    Case("a text for tags", lambda m: m.save_version(W, name="toy", tags="xyz"), Malformed, "takes Sequence[str]"),
    Case("a text for aliases", lambda m: m.rollback(1, move_aliases="dev"), Malformed, "move_aliases is 'dev'"),
    Case("a text for names", lambda m: m.load_tensors(1, "w"), Malformed, "names is 'w'"),
    Case("a branch's number", lambda m: m.save_version(W, name="toy", branch=3), Malformed, "branch is 3"),
    Case("a message's number", lambda m: m.save_version(W, name="toy", message=3), Malformed, "message is 3"),
    Case("metrics in a list", lambda m: m.save_version(W, name="toy", metrics=[1]), Malformed, "metrics is [1]"),
    Case("several numbers", lambda m: m.record_metrics(1, {"f1": torch.ones(2)}), Malformed, "'f1'"),
    Case("one parent bare", lambda m: m.save_version(W, name="toy", parents=1), Malformed, "parents is 1"),
    Case("a key's number", lambda m: m.save_version(W, name="toy", key=5), Malformed, "key is 5"),
    Case("no revision", lambda m: m.show(None), Malformed, "rev is None; show takes Rev there"),
    Case("half a revision", lambda m: m.show(1.0), Malformed, "rev is 1.0"),
    Case("a true revision", lambda m: m.show(True), Malformed, "rev is True"),
    Case("one of several", lambda m: m.compare(1, None), Malformed, "revs is None"),
    Case("a weight in words", lambda m: m.merge(1, weight="x"), Malformed, "weight is 'x'"),
    Case("a number's words", lambda m: m.describe(1, 5), Malformed, "text is 5"),
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


def test_an_archived_model_is_refused_before_a_plan_or_a_run_is_made(manager: ModelManager) -> None:
    manager.archive("toy")
    before = list(manager.events())

    for act in (lambda: manager.rollback(1, dry_run=True), lambda: manager.run("toy").__enter__()):
        with pytest.raises(Refused, match="model 'toy' is archived"):
            act()
    assert list(manager.events()) == before


def test_what_python_itself_says_of_a_call_is_left_to_it(manager: ModelManager) -> None:
    with pytest.raises(TypeError, match=r"show\(\) got an unexpected keyword argument 'revision'"):
        manager.show(revision=1)
    with pytest.raises(Malformed, match=r"home is 7; __init__ takes str \| os.PathLike"):
        ModelManager(7)


HOMES = (
    ("a home that is a file", "file", Refused, "is not a folder"),
    ("a home below a file", "file/below", Refused, "is not a folder"),
    ("a home that is a URL", "s3://bucket/x", Refused, "a home is a folder"),
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
    ("LEPTON_OBJECTS", "s3://key:hunter2@bucket", Malformed, "into the environment"),
    ("LEPTON_LEDGER", "No Such Ledger", Malformed, "lower-case"),
    ("LEPTON_WAIT", "soon", Malformed, "number of seconds"),
    ("LEPTON_TERM_HEARTBEAT", "60", Malformed, "would lose every job between two heartbeats"),
    ("LEPTON_LANG", "fr", Malformed, "LEPTON_LANG is 'fr'; figures are told in zh or en"),
)


@pytest.mark.parametrize(("variable", "value", "error", "says"), SETTINGS)
def test_a_wrong_setting_is_named_and_no_password_shown(
    home: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, error: type[LeptonError], says: str
) -> None:
    monkeypatch.setenv("LEPTON_WAIT", "1")
    monkeypatch.setenv(variable, value)

    with pytest.raises(error) as raised:
        ModelManager(home, strict=True).save_version(W, name="toy")

    assert says in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_workers_of_a_short_lease_are_heard_of_as_often_as_it_needs(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEPTON_TERM_LEASE", "8")
    assert load(home).terms.heartbeat == 2
    monkeypatch.setenv("LEPTON_TERM_HEARTBEAT", "0.5")
    assert load(home).terms.heartbeat == 0.5


AS_NOBODY = """
import os, sys, tempfile
import numpy as np
from lepton_ai import ModelManager, Refused
with tempfile.TemporaryDirectory() as warm:
    ModelManager(warm).save_version({"w": np.zeros(1)}, name="w")  # imports what is imported late
if os.getuid() == 0:
    os.setuid(65534)  # root is refused nowhere
for home in sys.argv[1:]:
    try:
        ModelManager(home, actor="nobody", strict=True).save_version({"w": np.zeros(1)}, name="w")
    except Refused as error:
        print(error)
"""


def as_nobody(*homes: Path) -> list[str]:
    """What a user who owns nothing is told by each home."""
    done = subprocess.run((sys.executable, "-c", AS_NOBODY, *homes), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("mode", [0o555, 0o000], ids=["read-only", "no permission"])
def test_a_home_without_permission_is_refused(tmp_path: Path, mode: int) -> None:
    for folder in (tmp_path, *tmp_path.parents[:-1]):
        if folder.stat().st_uid == os.getuid() and "pytest" in str(folder):
            folder.chmod(0o755)
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o755)
    locked.chmod(mode)

    said = as_nobody(locked, locked / "below")

    locked.chmod(0o755)
    assert len(said) == 2
    for sentence in said:
        assert "Permission denied" in sentence
        assert "`lepton init --shared`" in sentence
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


def test_a_save_does_not_make_a_missing_folder_of_objects_anew(manager: ModelManager, home: Path) -> None:
    before = list(manager.events())
    manager.close()
    (home / "objects").rename(home / "unmounted")

    again = ModelManager(home, strict=True)
    with pytest.raises(Unavailable, match="the object folder is away"):
        again.save_version({"w": np.ones(9)}, name="toy")
    assert list(again.events()) == before

    (home / "unmounted").rename(home / "objects")
    assert again.save_version({"w": np.ones(9)}, name="toy") == 4
    assert again.fsck() == []


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


def written(home: Path, statement: str, *values: Any) -> None:
    with sqlite3.connect(home / "main.db") as connection:
        connection.execute(statement, values)


def test_fsck_goes_on_behind_the_first_damaged_event(manager: ModelManager, home: Path) -> None:
    manager.save_version(W, name="another")
    (started,) = (e for e in manager.events(stream="model/toy") if e["type"] == "lepton.model.registered.v1")
    packs = [e for e in manager.events() if e["type"] == "lepton.pack.written.v1"]
    pack = home / "objects" / "main" / packs[-1]["data"]["pack"]
    pack.unlink()
    manager.close()
    for event in (started, packs[0]):
        written(
            home, "UPDATE events SET envelope = CAST('x' || envelope AS BLOB) WHERE seq = ?", int(event["sequence"])
        )

    told = " ".join(str(damage) for damage in ModelManager(home).fsck())

    for damaged in (f"event {int(started['sequence'])} ", f"event {int(packs[0]['sequence'])} ", pack.name):
        assert damaged in told


def test_an_event_that_became_text_is_damage(manager: ModelManager, home: Path) -> None:
    manager.close()
    written(home, "UPDATE events SET envelope = CAST(envelope AS TEXT) WHERE seq = 3")

    again = ModelManager(home)
    with pytest.raises(Damaged, match="event 3 is damaged: expected bytes, found text"):
        list(again.events())
    assert any(damage.thing == "event 3" for damage in again.fsck())


PLACES = {"start": "x", "length": -5, "pack": "../.."}


@pytest.mark.parametrize("column", PLACES)
def test_a_damaged_placement_is_damage_and_read_as_no_place(manager: ModelManager, home: Path, column: str) -> None:
    manager.close()
    written(home, f"UPDATE placements SET {column} = ?", PLACES[column])

    again = ModelManager(home)
    wrong = r"the placement of \S+ is damaged: expected a (range of a pack|whole number|number from 0)"
    with pytest.raises(Damaged, match=wrong):
        again.load_arrays("toy@1")
    assert any("the placement of" in str(damage) for damage in again.fsck(projection=False))


def test_a_key_of_a_wrong_length_or_of_another_actor_is_found(manager: ModelManager, home: Path) -> None:
    manager.archive("toy", reason="for Mrs Lovelace")
    assert manager.fsck() == []
    seq = sum(1 for _ in manager.events())

    written(home, "UPDATE actors SET key = ? WHERE name = 'ada'", bytes(32))
    (damage,) = manager.fsck()
    assert damage.thing == f"the reason of event {seq}"

    written(home, "UPDATE actors SET key = ? WHERE name = 'ada'", bytes(31))
    with pytest.raises(Damaged, match=r"the key of actor \S+ is damaged: expected 32 bytes, found 31"):
        manager.log(model="toy")
    assert [damage.thing.split(" of ")[0] for damage in manager.fsck()] == ["the key"]


def test_a_database_of_a_newer_lepton_is_refused(manager: ModelManager, home: Path) -> None:
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
