"""Files of runs: whatever a script logs is read back bit for bit, at every door, and nothing of it is lost or mixed."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from lepton_ai import ModelManager
from lepton_ai.errors import KeyReused, LeptonError, Malformed, Refused, RunTaken, UnknownRevision
from lepton_ai.tensors.digest import digest_of

from ..web.server import served
from .outage import locked

RNG: Final = np.random.default_rng(0)
GREY: Final = RNG.integers(0, 256, (5, 7), dtype=np.uint8)
BIG: Final = RNG.integers(0, 256, 1_300_000, dtype=np.uint8).tobytes()
"""More than one chunk of an upload."""


Act = Callable[[ModelManager], None]


@contextmanager
def here(home: Path, act: Act) -> Iterator[ModelManager]:
    with ModelManager(home, actor="ada") as manager:
        act(manager)
        yield manager


@contextmanager
def over_http(home: Path, act: Act) -> Iterator[ModelManager]:
    with served(home) as server, ModelManager(server.url) as far:
        act(far)
        yield far


@contextmanager
def spooled(home: Path, act: Act) -> Iterator[ModelManager]:
    """The ledger is away for all of it."""
    with ModelManager(home, actor="ada") as manager:
        manager.save_version({"w": GREY}, name="other")
        with locked(home):
            act(manager)
        assert manager.sync().refused == ()
        yield manager


@pytest.mark.parametrize("door", [here, over_http, spooled], ids=["embedded", "over HTTP", "spooled"])
def test_what_a_run_logged_is_read_back_bit_for_bit_at_every_door(
    door: Any, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if door is spooled:
        monkeypatch.setenv("LEPTON_WAIT", "0.05")
    beside, told = tmp_path / "take.wav", list[str]()
    beside.write_bytes(BIG)

    def script(manager: ModelManager) -> None:
        with manager.run("net") as run:
            told.extend((run.id, run.log_file("audio/take.wav", beside, step=3)))
            run.log_files({"grey.png": GREY, "nothing.bin": b""}, step=1)
            run.log_text("notes/first.md", "größer\n")
            run.log_file("grey.png", b"not the last", step=2)
            run.log_file("grey.png", GREY, step=2)

    with door(home, script) as reader:
        run, digest = told
        files = reader.run_files(run[-9:])

        assert digest == digest_of(BIG)
        assert [(each.name, each.step, each.media_type, each.bytes) for each in files] == [
            ("audio/take.wav", 3, "audio/wav", len(BIG)),
            ("grey.png", 1, "image/png", files[1].bytes),
            ("grey.png", 2, "image/png", files[1].bytes),
            ("notes/first.md", None, "text/markdown", 9),
            ("nothing.bin", 1, "application/octet-stream", 0),
        ]
        assert reader.load_run_file(run, "audio/take.wav") == BIG
        assert reader.load_run_file(run, "notes/first.md").decode() == "größer\n"
        assert reader.load_run_file(run, "nothing.bin") == b""
        for step in (1, 2, None):
            picture = Image.open(io.BytesIO(reader.load_run_file(run, "grey.png", step)))
            assert np.array_equal(np.asarray(picture), GREY)
        with pytest.raises(UnknownRevision, match="of step 9; `lepton runs files"):
            reader.load_run_file(run, "grey.png", 9)
        with pytest.raises(UnknownRevision, match=r"no file 'Grey\.png'"):  # names that differ by case are two
            reader.load_run_file(run, "Grey.png")
    with ModelManager(home) as manager:
        assert manager.fsck() == []
        kinds = [event["type"] for event in manager.events() if "file.logged" in event["type"]]
        assert len(kinds) == 6  # what was logged first of a step stays in the log


@pytest.fixture
def manager(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelManager]:
    monkeypatch.setenv("LEPTON_LANG", "en")
    with ModelManager(home, actor="ada") as manager:
        yield manager


def test_objects_of_libraries_are_written_as_the_name_ends(manager: ModelManager) -> None:
    import altair
    from matplotlib.figure import Figure

    colours = RNG.integers(0, 256, (4, 3, 4), dtype=np.uint8)
    rows = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    figure = Figure()
    figure.add_subplot().plot([1, 2])
    chart = altair.Chart(rows).mark_point().encode(x="a")
    given: dict[str, Any] = {
        "f.png": figure, "f.svg": figure, "p.webp": Image.fromarray(GREY), "p.jpg": Image.fromarray(GREY),
        "rgb.png": colours[:, :, :3], "rgba.png": colours, "t.parquet": rows, "t.csv": rows,
        "c.html": chart, "c.json": chart, "d.json": {"loss": float("nan"), "by": [1, {"k": np.float32(0.5)}]},
    }  # fmt: skip

    with manager.run("net") as run:
        run.log_files(given)
    read = {name: manager.load_run_file(run.id, name) for name in given}

    assert np.array_equal(np.asarray(Image.open(io.BytesIO(read["rgba.png"]))), colours)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(read["rgb.png"]))), colours[:, :, :3])
    assert {name: Image.open(io.BytesIO(read[name])).format for name in ("f.png", "p.webp", "p.jpg")} == {
        "f.png": "PNG", "p.webp": "WEBP", "p.jpg": "JPEG"
    }  # fmt: skip
    assert b"<svg" in read["f.svg"]
    assert pq.read_table(io.BytesIO(read["t.parquet"])).to_pandas().equals(rows)
    assert read["t.csv"].decode().splitlines()[0] == '"a","b"'
    assert b"<html>" in read["c.html"]
    assert json.loads(read["c.json"])["mark"]["type"] == "point"
    assert json.loads(read["d.json"]) == {"loss": "NaN", "by": [1, {"k": 0.5}]}


class NoFigure:
    """A figure of a library that cannot write it."""

    def savefig(self, file: io.BytesIO, format: str) -> None:
        raise RuntimeError(f"no {format} today")


BAD: Final[dict[str, tuple[str, Any, str]]] = {
    "a path to nothing": ("a.png", "nowhere.png", "no file to keep as 'a.png'"),
    "a path with a zero": ("a.png", "a\0b", "no file to keep"),
    "a folder": ("a.png", "/", "is a folder"),
    "a device": ("a.png", "/dev/zero", "no plain file"),
    "an empty name": ("", b"x", "cannot name a file"),
    "no name": (None, b"x", "name is nothing"),
    "a way up": ("a/../../b.png", b"x", "without . and .."),
    "an absolute name": ("/etc/passwd", b"x", "relative path"),
    "backslashes": ("a\\b.png", b"x", "cannot name a file"),
    "a control character": ("a\x1b[2J.png", b"x", "cannot name a file"),
    "half a character": ("a\ud800.png", b"x", "half a character"),
    "a long name": ("a" * 201, b"x", "at most 200"),
    "an object of no library": ("a.png", object(), "which no file is made of"),
    "a class": ("a.png", Path, "which no file is made of"),
    "an array of numbers": ("a.png", GREY / 2, "float64"),
    "an array of five channels": ("a.png", np.zeros((2, 2, 5), np.uint8), "3 or 4 channels"),
    "an array of four dimensions": ("a.png", np.zeros((1, 2, 2, 3), np.uint8), "(1, 2, 2, 3)"),
    "a number in an array": ("a.png", np.array(1, np.uint8), "of shape ()"),
    "an array of one row": ("a.png", np.zeros(4, np.uint8), "height"),
    "an array of nothing": ("a.png", np.zeros((0, 4), np.uint8), "height"),
    "an array by another name": ("a.jpg", GREY, "end the name in .png"),
    "an array without an ending": ("png", GREY, "end the name in .png"),
    "a table as a picture": ("t.png", pd.DataFrame({"a": [1]}), "end the name in .parquet, .csv"),
    "a figure that cannot be saved": ("f.png", NoFigure(), "RuntimeError: no png today"),
    "a figure as text": ("f.txt", NoFigure(), "end the name in .png"),
    "a mapping that is no JSON": ("d.json", {"a": object()}, "the file"),
    "too large": ("big.bin", b"x" * 1001, "1,001 bytes, a run's file at most 1,000"),
}


def test_what_is_no_file_is_refused_in_one_sentence(manager: ModelManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEPTON_FILE_BYTES", "1000")
    said: dict[str, str] = {}

    with manager.run("net") as run:
        for case, (name, what, _) in BAD.items():
            with pytest.raises(LeptonError) as raised:
                run.log_file(name, what)
            said[case] = str(raised.value)
        run.log_file("fine.txt", b"x")

    assert {case: told for case, told in said.items() if BAD[case][2] not in told or "\n" in told} == {}
    assert [each.name for each in manager.run_files(run.id)] == ["fine.txt"]
    assert manager.fsck() == []


def test_more_than_is_kept_at_a_time_and_what_is_no_mapping_is_refused(manager: ModelManager) -> None:
    with manager.run("net") as run:
        for files in ({}, {f"{number}.txt": b"" for number in range(501)}, [b"x"]):
            with pytest.raises(Malformed):
                run.log_files(files)  # pyright: ignore[reportArgumentType]
        for step in (1.5, "1", 2**63):
            with pytest.raises(Malformed):
                run.log_file("a.txt", b"x", step=step)  # pyright: ignore[reportArgumentType]
        with pytest.raises(Malformed, match="text is"):
            run.log_text("a.txt", b"x")  # pyright: ignore[reportArgumentType]

    assert list(manager.run_files(run.id)) == []


def test_a_run_that_ended_or_is_anothers_takes_no_files(manager: ModelManager) -> None:
    ended = manager.run("net")
    with pytest.raises(Refused, match="not open"):
        ended.log_file("a.txt", b"x")
    with ended:
        pass
    with pytest.raises(Refused, match="not open"):
        ended.log_file("a.txt", b"x")
    first = manager.run("net").__enter__()
    with manager.resume(first.id) as second:
        with pytest.raises(RunTaken):
            first.log_file("a.txt", b"mine")
        second.log_file("a.txt", b"yours")

    assert list(manager.run_files(ended.id)) == []
    assert manager.load_run_file(first.id, "a.txt") == b"yours"
    with pytest.raises(UnknownRevision):
        manager.run_files("nobody")


def test_a_key_acts_once_and_bytes_are_stored_once(manager: ModelManager) -> None:
    with manager.run("net") as run:
        for _ in range(2):
            run.log_file("a.bin", BIG, step=1, key="once")
        run.log_file("b.bin", BIG)
        manager.save_version({"w": np.frombuffer(BIG, np.uint8)}, name="net", files={"c.bin": BIG})
        with pytest.raises(KeyReused):
            run.log_file("a.bin", b"other", step=1, key="once")

    rows = manager.sql("SELECT count(*) AS events FROM events WHERE type = 'lepton.file.logged.v1'").to_pylist()
    assert rows == [{"events": 2}]
    stored = sum(path.stat().st_size for path in (manager._settings.home / "objects").rglob("*") if path.is_file())
    assert stored < 2.5 * len(BIG)  # a version's tensors are stored in a coding of their own
    assert manager.load_run_file(run.id, "b.bin") == BIG
    assert manager.fsck() == []


KILLED: Final = """
import os, sys
from lepton_ai import ModelManager
from lepton_ai.domain.commands import LogFiles
from lepton_ai.versions.workspace import Workspace
admit = Workspace.admit


def killed(workspace, command, *rest, **told):
    return os._exit(9) if isinstance(command, LogFiles) else admit(workspace, command, *rest, **told)


Workspace.admit = killed
manager = ModelManager(sys.argv[1], actor="ada")
run = manager.run("net").__enter__()
print(run.id, flush=True)
run.log_file("a.bin", b"x" * 100_000)
"""


def test_a_script_killed_before_the_ledger_hears_of_a_file_leaves_bytes_alone(manager: ModelManager) -> None:
    manager.save_version({"w": GREY}, name="other")
    home = manager._settings.home
    done = subprocess.run((sys.executable, "-c", KILLED, home), capture_output=True, text=True)
    assert done.returncode == 9, done.stderr
    run = done.stdout.strip()

    assert list(manager.run_files(run)) == []
    assert manager.fsck() == []
    with manager.resume(run) as resumed:
        resumed.log_file("a.bin", b"x" * 100_000)
    assert manager.load_run_file(run, "a.bin") == b"x" * 100_000


def test_damage_to_a_file_is_found_and_named(manager: ModelManager) -> None:
    with manager.run("net") as run:
        digest = run.log_file("a.bin", BIG[:5000])
    (pack,) = (path for path in (manager._settings.home / "objects").rglob("*") if path.is_file())
    content = bytearray(pack.read_bytes())
    content[200] ^= 1
    pack.chmod(0o600)
    pack.write_bytes(content)

    with pytest.raises(LeptonError):
        ModelManager(manager._settings.home).load_run_file(run.id, "a.bin")
    assert any(digest in str(damage) for damage in manager.fsck())
    pack.unlink()
    assert any(digest in str(damage) or "pack" in str(damage) for damage in manager.fsck())
