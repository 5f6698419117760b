"""Which commands make a home, where, and what they say: those that write do, those that read never."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from threading import get_ident

import numpy as np
import pytest

from lepton_ai import ModelManager, Refused
from lepton_ai.cli.app import SECTIONS
from lepton_ai.errors import Malformed
from lepton_ai.settings import load, without_secrets
from lepton_ai.wiring import _ANNOUNCED

from ..cli_home import Cli, loans

READING = (
    "log", "versions", "show", "diff 1 2", "compare 1 2", "find 'metric.f1 > 0'", "suggest", "branch", "tag", "alias",
    "models", "jobs", "logs 1", "sql 'select 1'", "events", "snapshot copy.duckdb", "verify", "fsck", "rebuild",
    "status",
    "export 1 -o out.safetensors", "predict 1 loans.csv", "checkout 1 out", "rejected",
    "pick 1 2 --by f1", "report 1", "card 1", "chains", "studies", "data list", "suite list", "token list",
    "robustness 1 loans.csv --label default", "prove 1 -o proof.json", "sign-head --make-key ledger.key",
    "verify --against head",
    "worker --once", "relay --once", "projector", "intake", "serve --port 0",
)  # fmt: skip
LATER = (
    "branch trial", "tag t", "alias production 1", "rollback 1 --yes", "merge 1", "annotate 1 a=b", "describe 1 text",
    "archive", "unarchive", "cancel 1", "forget ada --yes", "evaluate 1 loans.csv --label default",
    "metric define net fid --better lower", "clear 1 --reason mended",
    "gate 1 --require 'f1 > 0'", "calibrate 1 loans.csv --label default",
    "threshold 1 loans.csv --label default --cost FN=5", "suite define s --data loans.csv --label default",
    "token create --owner bea --scope read",
)  # fmt: skip
"""What writes, but only about versions that must be there before."""
ELSEWHERE = {
    "chain", "completion", "demo", "library", "save", "init", "sync", "kept", "adopt", "train", "build", "tune",
    "restore",
}  # fmt: skip


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, in which the test stands, with no home above."""
    monkeypatch.delenv("LEPTON_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    _ANNOUNCED.clear()
    return tmp_path


@pytest.mark.parametrize("line", READING + LATER)
def test_what_makes_no_version_makes_no_home(empty: Path, line: str) -> None:
    ended = Cli(empty, LEPTON_HOME=None)(line)

    assert (ended.code, ended.out) == (1, "")
    assert ended.err.splitlines() == [
        f"lepton: there is no ledger in {empty / '.lepton'}; `lepton init` makes one there; --home or LEPTON_HOME "
        "names the home of another"
    ]
    assert list(empty.iterdir()) == []


def test_every_command_is_told_apart_here() -> None:
    named = {line.split()[0] for line in READING + LATER} | ELSEWHERE

    assert named >= {name for _, names in SECTIONS.values() for name in names} - {"runs", "resume", "upgrade"}


def test_a_home_that_was_mistyped_is_not_made_by_reading(empty: Path) -> None:
    for line in (f"--home {empty / 'hme'} models", f"log --home {empty / 'hoem'}"):
        assert f"there is no ledger in {empty / 'h'}" in Cli(empty, LEPTON_HOME=None)(line).err
    assert list(empty.iterdir()) == []


def test_nothing_waits_where_there_is_no_home(empty: Path) -> None:
    assert Cli(empty, LEPTON_HOME=None)("sync").out == "nothing waits\n"
    assert list(empty.iterdir()) == []


def test_rows_that_cannot_be_read_make_no_home(empty: Path) -> None:
    ended = Cli(empty, LEPTON_HOME=None)("data add rows loans.csv --label default")

    assert (ended.code, ended.out) == (1, "")
    assert "loans.csv" in ended.err
    assert list(empty.iterdir()) == []


def test_init_makes_a_home_here_and_says_where(empty: Path) -> None:
    cli = Cli(empty, LEPTON_HOME=None)

    ended = cli("init")

    assert ended.code == 0
    assert f"a new ledger is in {empty / '.lepton'}, open to its owner" in ended.out
    assert (empty / ".lepton" / ".gitignore").read_text() == "*\n"
    assert cli("models --json").json == {"models": []}
    assert "the ledger was already in" in cli("init").out
    (empty / "below").mkdir()
    assert cli("init --home below/own --json").json["created"] is True


def test_init_below_a_home_makes_one_of_its_own(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cli = Cli(empty, LEPTON_HOME=None)
    cli("init")
    (empty / "project").mkdir()
    monkeypatch.chdir(empty / "project")

    assert cli("init --json").json["home"] == str(empty / "project" / ".lepton")


def test_the_first_training_makes_the_home_and_says_so(empty: Path) -> None:
    loans(empty / "loans.csv")
    ended = Cli(empty, LEPTON_HOME=None)("train credit-scoring-model loans.csv --label default --set epochs=1 --detach")

    assert ended.code == 0, ended.err
    assert f"lepton: a new home, {empty / '.lepton'}\n" in ended.err


def test_a_home_found_upwards_is_named_once(
    empty: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    Cli(empty, LEPTON_HOME=None)("init")
    (empty / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(empty / "a" / "b")

    ended = Cli(empty, LEPTON_HOME=None)("models")

    assert ended.err == f"lepton: the home is {empty / '.lepton'}\n"
    _ANNOUNCED.clear()
    caplog.clear()
    with caplog.at_level(logging.INFO, "lepton"), ModelManager() as manager:
        manager.models()
        manager.models()
    here = [record for record in caplog.records if record.thread == get_ident()]
    assert [record.getMessage() for record in here] == [f"the home is {empty / '.lepton'}"]
    assert list((empty / "a" / "b").iterdir()) == []


def test_a_manager_makes_nothing_before_it_writes(empty: Path) -> None:
    manager = ModelManager()
    reading = (
        manager.models, manager.log, manager.verify, manager.fsck, manager.jobs.recent, manager.show, manager.rebuild,
        manager.branches, manager.aliases, lambda: manager.load_arrays(1), lambda: manager.sql("SELECT 1"),
        lambda: manager.find("version > 1"), lambda: list(manager.events()), lambda: manager.snapshot("x"),
    )  # fmt: skip
    for read in reading:
        with pytest.raises(Refused, match="there is no ledger in"):
            read()
    assert list(empty.iterdir()) == []

    assert manager.save_version({"w": np.ones(1)}, name="net") == 1
    assert [path.name for path in empty.iterdir()] == [".lepton"]
    assert manager.models() == ["net"]
    manager.close()


@pytest.mark.parametrize(
    ("home", "why"),
    [
        (r"C:\Users\ada\ledger", "no path of this system"),
        ("C:/ledger", "no path of this system"),
        ("d:", "no path of this system"),
        (r"\\server\share", "no path of this system"),
        (r"data\ledger", "no path of this system"),
        ("", "is empty"),
        ("   ", "is empty"),
        ("a\nb", "control characters"),
        ("a\0b", "control characters"),
        ("~nobody-of-that-name/ledger", "there is no such user"),
        ("s3://bucket/home", "s3:// is neither"),
        ("file", "is not a folder"),
        ("file/below", "is not a folder"),
        pytest.param("x" * 300, "File name too long", id="too long"),
    ],
)
def test_what_is_no_place_for_a_home_is_refused(empty: Path, home: str, why: str) -> None:
    (empty / "file").write_text("mine")

    with pytest.raises(Refused, match=why), ModelManager(home, strict=True) as manager:
        manager.save_version({"w": np.ones(1)}, name="net")
    assert [path.name for path in empty.iterdir()] == ["file"]


@pytest.mark.parametrize("name", ["LEPTON_DATABASE", "LEPTON_OBJECTS"])
@pytest.mark.parametrize("path", [r"C:\ledger\main.db", "C:/ledger/main.db"])
def test_other_places_are_paths_of_this_system_too(
    empty: Path, monkeypatch: pytest.MonkeyPatch, name: str, path: str
) -> None:
    monkeypatch.setenv(name, f"{'sqlite:///' if name == 'LEPTON_DATABASE' else 'file:///'}{path}")

    with pytest.raises(Malformed, match=f"{name} names is .* no path of this system"):
        load(empty / "home")


def test_a_folder_that_really_has_such_a_name_is_one(empty: Path) -> None:
    (empty / "C:" / "ledger").mkdir(parents=True)

    assert load("C:/ledger").home == empty / "C:" / "ledger"


@pytest.mark.parametrize("name", [b"a?b", b"a\\b", b"a\nb", b"a\xffb", b"a\x1b[2Jb"])
@pytest.mark.parametrize("how", ["given", "set", "found", "here"])
def test_a_home_that_no_library_could_open_files_in_is_refused_in_a_sentence(
    empty: Path, name: bytes, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = empty / os.fsdecode(name)
    folder.mkdir()
    if how == "set":
        monkeypatch.setenv("LEPTON_HOME", str(folder))
    if how in ("found", "here"):
        monkeypatch.chdir(folder)
    if how == "found":
        (folder / ".lepton").mkdir()
    before = list(folder.iterdir())

    with pytest.raises(Malformed, match="name a folder") as refused:
        load(folder if how == "given" else None)
    assert str(refused.value).isprintable()
    assert list(folder.iterdir()) == before


@pytest.mark.parametrize("name", ["a%b", "a%41b", "a#b", "a b", "a'b", 'a"b', "a*[b]", "a;b:c", "全量é"])
def test_a_home_of_any_other_name_is_one(empty: Path, name: str) -> None:
    for number in (1, 2):
        with ModelManager(empty / name) as manager:
            manager.save_version({"w": np.full(1, number)}, name="net")
            assert manager.sql("SELECT count(*) AS n FROM versions").to_pylist() == [{"n": number}]
            assert list(manager.fsck()) == []
    assert [path.name for path in empty.iterdir()] == [name]


def test_a_folder_that_was_removed_under_the_process_is_a_sentence(
    empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = empty / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    with pytest.raises(Refused, match="this folder was removed"):
        load()


SECRET = "hunter2"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://me:{SECRET}@host/db",
        f"postgresql://me:p@{SECRET}/x@host:5432/db",
        f"postgresql://host/db?password={SECRET}&sslmode=require",
        f"kafka+sasl://user:{SECRET}@broker:9092",
        f"s3://key:{SECRET}@bucket/prefix",
        f"https://host/object?X-Amz-Signature={SECRET}",
    ],
)
def test_no_setting_shows_a_password(empty: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    for name in ("LEPTON_DATABASE", "LEPTON_KAFKA", "LEPTON_OBJECTS"):
        monkeypatch.setenv(name, url)
    monkeypatch.setenv("LEPTON_KAFKA_KEY_PASSWORD", SECRET)

    settings = load(empty / "home")

    assert SECRET not in f"{settings!r} {settings} {without_secrets(url)}"
    assert settings.database == url
    assert "host" in repr(settings) or "broker" in repr(settings) or "bucket" in repr(settings)
