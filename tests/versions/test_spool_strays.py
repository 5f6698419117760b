"""What lies in a spool and is no entry, or none that can be told: set aside with its story, the rest told in order."""

from __future__ import annotations

import json
import os
import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lepton_ai import ModelManager, PendingVersion, Refused, Unavailable
from lepton_ai.tensors.digest import digest_of
from lepton_ai.versions.spool.entry import entry_in

from ..cli_home import Cli
from .outage import entries, locked, weights
from .outage import impatient as impatient
from .outage import manager as manager

NAME = "a" * 64


def crafted(spool: Path, place: int, content: bytes) -> Path:
    """An entry whose name is that of its content."""
    folder = spool / f"{place:012}-{digest_of(content).removeprefix('blake3:')}"
    folder.mkdir()
    (folder / "entry.json").write_bytes(content)
    return folder


def entry(**changes: Any) -> bytes:
    """A start of a run, as the spool has it."""
    whole: dict[str, Any] = {
        "format": "lepton.spool.v1",
        "kind": "start",
        "key": "k",
        "actor": "ada",
        "time": "2026-01-01T00:00:00+00:00",
        "asked": {"run": "r", "model": "net", "hyperparameters": {}, "data": None, "environment": {}, "code": {}},
    }
    return json.dumps(whole | changes).encode()


LATE = {"names": ["x"], "steps": [1], "values": [1], "times": ["9999-12-31T23:59:59-14:00"]}
CRAFTED: dict[str, bytes] = {
    "no JSON": b"{",
    "nothing": b"",
    "a list": b"[]",
    "nested": b"[" * 100_000,
    "no format": b"{}",
    "foreign": entry(format="somebody.else.v1"),
    "too new": entry(format="lepton.spool.v2"),
    "unknown kind": entry(kind="dance"),
    "kind of no text": entry(kind=["save"]),
    "no key": entry(key=""),
    "long key": entry(key="k" * 300),
    "no actor": entry(actor=""),
    "actor of no text": entry(actor=7),
    "no time": entry(time="yesterday"),
    "time without an offset": entry(time="2026-01-01T00:00:00"),
    "time beyond the calendar": entry(time="0001-01-01T00:00:00+14:00"),
    "asks for nothing": entry(asked=None),
    "asks for less": entry(asked={"run": "r"}),
    "asks for more": entry(asked={"run": "r", "model": "net", "colour": "blue"}),
    "NUL": entry(asked={"run": "r\0", "model": "net"}),
    "half a character": entry(asked={"run": "r", "model": "\ud800"}),
    "run of no text": entry(asked={"run": {"r": 1}, "model": "net"}),
    "number beyond JSON": entry(asked={"run": "r", "model": "net", "hyperparameters": {"seed": 10**400}}),
    "empty save": entry(kind="save", asked={}),
    "save without its tensors": entry(kind="save", asked={"name": "net", "tensors": "blake3:" + "0" * 64, "files": {}}),
    "tensors of no digest": entry(kind="save", asked={"name": "net", "tensors": 5, "files": []}),
    "log without blocks": entry(kind="log", asked={"run": "r", "blocks": 5}),
    "log beyond the calendar": entry(kind="log", asked={"run": "r", "blocks": [LATE]}),
    "checkpoint of nothing": entry(kind="checkpoint", asked={"run": "r", "step": 2**70}),
    "finish of nobody": entry(kind="finish", asked={"run": "nobody", "error": None, "reason": "", "points": -1}),
}  # fmt: skip


def test_what_is_crafted_is_refused_with_its_story_and_all_others_are_told_in_order(
    manager: ModelManager, home: Path
) -> None:
    spool, promised = home / "spool" / "main", list[PendingVersion]()
    with locked(home):
        for number, content in enumerate(CRAFTED.values(), 1):
            if number % 10 == 1:
                pending = manager.save_version(weights(number), name="net")
                assert isinstance(pending, PendingVersion)
                promised.append(pending)
            crafted(spool, number + len(promised), content)

    found = manager.sync()

    assert [each["key"] for each in found.delivered] == [each.key for each in promised]
    assert len(found.refused) == len(CRAFTED)
    assert all(each["reason"] and "\n" not in each["reason"] for each in found.refused)
    assert any("newer Lepton" in each["reason"] for each in found.refused)
    assert [manager.show(each).version for each in promised] == [2, 3, 4]
    assert entries(home) == []
    assert len(list((spool / "refused").glob("*-*[0-9a-f]"))) == len(CRAFTED)
    assert manager.fsck() == []
    with locked(home):
        last = manager.save_version(weights(99), name="net")
    assert manager.show(last).version == 5
    assert Cli(home)("status --json").json["spool"] == {"waiting": 0, "aside": len(CRAFTED)}
    assert f"{len(CRAFTED)} put aside" in Cli(home)("status").out


STRAYS: dict[str, Callable[[Path], object]] = {
    "12-notes.txt": lambda path: path.write_text("to do"),
    "notes": lambda path: path.write_text("to do"),
    "12²-notes": lambda path: path.write_text("a digit of no number"),
    "١٢-notes": lambda path: path.write_text("digits of another script"),
    "backup": lambda path: (path / "deep").mkdir(parents=True),
    "quiet": lambda path: path.write_text("where a folder belongs"),
    f"000000000003-{NAME}": lambda path: path.write_text("a file"),
    f"000000000004-{NAME}": os.mkfifo,
    f"000000000005-{NAME}": lambda path: path.symlink_to("/etc"),
    "000000000006-short": lambda path: path.mkdir(),
    "x" * 250: lambda path: path.write_text("a long name"),
    "two\nlines": lambda path: path.write_text("a strange name"),
    "told.reason": lambda path: path.write_text("named as a story"),
    os.fsdecode(b"\xff\xfe"): lambda path: path.write_text("named by no text"),
}


def test_what_is_no_entry_at_all_is_set_aside_by_name_and_nothing_of_it_is_thrown_away(
    manager: ModelManager, home: Path
) -> None:
    spool = home / "spool" / "main"
    with locked(home):
        first = manager.save_version(weights(1), name="net")
        for name, make in STRAYS.items():
            make(spool / name)
        second = manager.save_version(weights(2), name="net")

    found = manager.sync()

    assert [manager.show(each).version for each in (first, second)] == [2, 3]
    assert len(found.delivered) == 2
    assert len(found.refused) == len(STRAYS)
    told = " ".join(each["reason"] for each in found.refused)
    assert "'12-notes.txt' is no entry of the spool but a file; it was set aside in strange/" in told
    assert f"'000000000004-{NAME}' is no entry of the spool but a pipe" in told
    assert (spool / "strange" / "12-notes.txt").read_text() == "to do"
    assert (spool / "strange" / "backup" / "deep").is_dir()
    assert Cli(home)("sync").code == 1
    assert manager.sync(again=True).delivered == ()


SPOILT: dict[str, Callable[[Path], object]] = {
    "a pipe for its JSON": lambda path: ((path / "entry.json").unlink(), os.mkfifo(path / "entry.json")),
    "a link for its JSON": lambda path: (
        (path / "entry.json").rename(path.parent / ".kept"),
        (path / "entry.json").symlink_to(path.parent / ".kept"),
    ),
    "a folder for its JSON": lambda path: ((path / "entry.json").unlink(), (path / "entry.json").mkdir()),
    "no JSON": lambda path: (path / "entry.json").unlink(),
    "half of its JSON": lambda path: os.truncate(path / "entry.json", 40),
    "an endless JSON": lambda path: os.truncate(path / "entry.json", 1 << 40),
    "no objects": lambda path: shutil.rmtree(path / "objects"),
    "a pipe among its objects": lambda path: os.mkfifo(path / "objects" / "packs" / "pipe"),
    "a link among its objects": lambda path: (path / "objects" / "packs" / "out").symlink_to("/etc/passwd"),
    "a halved pack": lambda path: [os.truncate(each, 20) for each in (path / "objects").rglob("*") if each.is_file()],
}


def test_an_entry_that_is_spoilt_is_kept_aside_and_so_is_what_goes_on_from_it(
    manager: ModelManager, home: Path
) -> None:
    with locked(home):
        for number in range(len(SPOILT)):
            lost = manager.save_version(weights(number + 1), name="net", branch=f"b{number}", parents=["net@1"])
        child = manager.save_version(weights(50), name="net", branch="child", parents=[lost])
        good = manager.save_version(weights(51), name="net", branch="good", parents=["net@1"])
        for path, spoil in zip(entries(home), SPOILT.values(), strict=False):
            spoil(path)

    found = manager.sync()

    assert [each["key"] for each in found.delivered] == [good.key]  # type: ignore[attr-defined]
    assert len(found.refused) == len(SPOILT) + 1
    assert found.refused[-1]["key"] == child.key  # type: ignore[attr-defined]
    assert "pending" in found.refused[-1]["reason"]
    with pytest.raises(Refused, match="was refused when it was delivered"):
        manager.show(child)
    assert manager.fsck() == []


def test_an_entry_that_cannot_be_opened_for_now_is_not_damaged(manager: ModelManager, home: Path) -> None:
    with locked(home):
        manager.save_version(weights(1), name="net")
    (entry,) = entries(home)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(Unavailable, match="Too many open files"):
            entry_in(entry)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert entry_in(entry).kind == "save"
