"""A ledger held against heads that were kept elsewhere: every other history is found, and named as far as one can."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lepton_ai import Damaged, ModelManager, Refused
from lepton_ai.errors import Malformed, NotAsSigned
from lepton_ai.evidence.keys import make_key
from lepton_ai.ledger import Request

from ..asking import note
from ..cli_home import Cli
from .rewriting import cut, rewrite

SIGNED = (5, 301, 302, 400)
"""Where heads were signed: across the first tile's end."""
CHANGED = 300


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a home, a key, a file a head, all heads in one file, and the leaves of the last."""
    folder = tmp_path_factory.mktemp("signed")
    key = make_key(folder / "key", "example.org/ledger")
    (folder / "vkey").write_text(str(key))
    with ModelManager(folder / "home", actor="ada") as manager:
        manager.save_version({"w": np.ones(1)}, name="net")
        ledger, actor = manager._workspace.ledger, manager._workspace.actors.named("ada")
        heads = []
        for size in SIGNED:
            missing = size - manager.position()
            ledger.admit_all(Request(note(size * 1000 + n, "net"), actor) for n in range(missing))
            assert manager.position() == size
            heads.append(manager.sign_head(folder / f"head{size}", key_file=folder / "key", leaves=folder / "leaves"))
        ledger.admit_all(Request(note(n, "net"), actor) for n in range(10))
    (folder / "heads").write_text("\n".join(head.note for head in heads))
    return folder


@pytest.fixture
def folder(signed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of it, in which the test stands."""
    shutil.copytree(signed, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def altered(folder: Path) -> None:
    rewrite(folder / "home" / "main.db", CHANGED, b'"n":301294', b'"n":301295')


def verify(folder: Path, head: str, **how: str) -> str:
    """Why the ledger is not what was signed; it is whole in itself."""
    with ModelManager(folder / "home") as manager:
        manager.verify()
        with pytest.raises(NotAsSigned) as caught:
            manager.verify(against=folder / head, key=(folder / "vkey").read_text(), **how)
    return str(caught.value)


def test_a_history_that_grew_is_the_signed_one(folder: Path) -> None:
    with ModelManager(folder / "home") as manager:
        for head in ("head5", "head301", "head302", "head400", "heads"):
            verified = manager.verify(against=head, key=(folder / "vkey").read_text())
            assert verified.size == 410
            assert verified.against is not None
            assert verified.against.key == (folder / "vkey").read_text()
        verified = manager.verify(against="head400", leaves="leaves")
        assert verified.against is not None
        assert verified.against.key is None


def test_a_rewritten_history_is_found_and_the_event_named_by_the_leaves(folder: Path) -> None:
    altered(folder)

    why = verify(folder, "head400", leaves="leaves")

    assert why.startswith(f"event {CHANGED}, the first that differs, is not what was signed: expected sha256:")


def test_a_root_alone_names_the_events_among_which_it_is(folder: Path) -> None:
    altered(folder)

    why = verify(folder, "head301")

    assert why.startswith("history from event 1 to 301 is not what was signed: expected root sha256:")
    assert "an event among 1 to 301 is the first that differs, and a root alone does not tell which" in why


def test_heads_that_are_close_by_narrow_it_down(folder: Path) -> None:
    altered(folder)

    assert verify(folder, "heads").startswith("history from event 6 to 301 is not what was signed")


def test_two_heads_with_one_event_between_them_name_it(folder: Path) -> None:
    rewrite(folder / "home" / "main.db", 302, b'"n":302000', b'"n":302001')

    assert verify(folder, "heads").startswith("event 302 is not what was signed: expected root")


def test_heads_of_before_the_change_still_hold(folder: Path) -> None:
    altered(folder)

    with ModelManager(folder / "home") as manager:
        assert manager.verify(against="head5").against is not None


@pytest.mark.parametrize("last", [6, 256, 301, 399])
def test_a_history_that_was_cut_short_is_found(folder: Path, last: int) -> None:
    cut(folder / "home" / "main.db", last)

    why = verify(folder, "head400")
    leaves = verify(folder, "head400", leaves="leaves")

    assert (
        f"expected the 400 events of the head, found {last}, so that event {last + 1} is the first that is miss" in why
    )
    assert f"found {last}, all of them as they were: event {last + 1} is the first that is missing" in leaves


def test_the_command_line_exits_with_5_and_changes_nothing(folder: Path) -> None:
    altered(folder)
    cli = Cli(folder / "home")
    before = (folder / "home" / "main.db").read_bytes()

    assert cli("verify").code == 0
    ended = cli("verify --against head400 --leaves leaves")

    assert (ended.code, ended.out) == (5, "")
    assert f"event {CHANGED}, the first that differs, is not what was signed" in ended.err
    assert (folder / "home" / "main.db").read_bytes() == before


def test_it_says_which_of_the_two_was_proved(folder: Path) -> None:
    cli, key = Cli(folder / "home"), (folder / "vkey").read_text()

    whole, signed = cli("verify").out, cli(f"verify --against head400 --key {key}").out

    assert "This proves that the ledger is whole in itself" in whole
    assert "as signed: its first 400 events are the history of the head; 10 events came later" in signed
    assert f"signed by {key}" in signed
    assert "whole in itself" not in signed
    assert "nobody's signature was checked" in cli("verify --against head400").out


def test_no_head_is_signed_over_one_of_another_history(folder: Path) -> None:
    altered(folder)
    before = (folder / "head400").read_text()

    with ModelManager(folder / "home") as manager, pytest.raises(NotAsSigned):
        manager.sign_head("head400", key_file="key")
    assert (folder / "head400").read_text() == before


def test_a_damaged_event_is_named_before_anything_is_compared(folder: Path) -> None:
    import sqlite3

    with sqlite3.connect(folder / "home" / "main.db") as connection:
        connection.execute("UPDATE events SET envelope = ? WHERE seq = 7", (b"{}",))
    connection.close()

    with ModelManager(folder / "home") as manager, pytest.raises(Damaged, match="event 7 is damaged"):
        manager.verify(against="head400")


@pytest.mark.parametrize(
    ("head", "leaves", "kind", "why"),
    [
        ("nothing", None, Refused, "there is no file"),
        ("home", None, Refused, "Is a directory"),
        ("empty", None, Malformed, "is empty"),
        ("key", None, Malformed, "names no ledger"),
        ("half", None, Malformed, "no root of 32 bytes"),
        ("other", None, Refused, "the head is of ledger 0190a7e2-7c1d-4f7e-9f0a-3d2f5a6b7c8d, and this is"),
        ("head400", "head400", Malformed, "has not the 400 leaves"),
        ("head302", "leaves", Malformed, "has not the 302 leaves"),
        ("head400", "zeros", Malformed, "gives another root"),
    ],
)
def test_what_is_no_head_is_refused(
    folder: Path, head: str, leaves: str | None, kind: type[Exception], why: str
) -> None:
    whole = (folder / "head400").read_text()
    (folder / "empty").touch()
    (folder / "half").write_text(whole[:60])
    (folder / "zeros").write_bytes(bytes(32 * 400))
    (folder / "other").write_text("lepton/0190a7e2-7c1d-4f7e-9f0a-3d2f5a6b7c8d" + whole[whole.index("\n") :])

    with ModelManager(folder / "home") as manager, pytest.raises(kind, match=why):
        manager.verify(against=head, leaves=leaves)
