"""Signed notes and heads, against a note that the Go project publishes and by what C2SP says of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lepton_ai.errors import Malformed, NotAsSigned, Refused
from lepton_ai.evidence.head import TreeHead
from lepton_ai.evidence.keys import make_key
from lepton_ai.evidence.note import SignedNote, VerifierKey, notes_in

KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NOTE = """If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
"""
"""The example of golang.org/x/mod/sumdb/note."""
HEAD = """lepton/0190a7e2-7c1d-4f7e-9f0a-3d2f5a6b7c8d
7
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
time 2026-11-29T12:00:17.151573Z
"""


def test_a_published_note_verifies_and_is_written_as_it_was_read() -> None:
    (note,) = notes_in(NOTE.encode(), "a note")

    assert str(note.signed_by([VerifierKey.parsed(KEY)])) == KEY
    assert str(note) == NOTE


def test_signatures_of_unknown_keys_are_ignored() -> None:
    stranger = "— PeterNeumann AAAAAAAA\n— example.org/witness AQIDBAUG\n"
    (note,) = notes_in((NOTE + stranger).encode(), "a note")

    assert len(note.signatures) == 3
    assert str(note.signed_by([VerifierKey.parsed(KEY)])) == KEY


def test_a_note_with_other_text_is_not_what_was_signed() -> None:
    (note,) = notes_in(NOTE.replace("answer", "answers").encode(), "a note")

    with pytest.raises(NotAsSigned, match="expected a signature of PeterNeumann, found one of another text"):
        note.signed_by([VerifierKey.parsed(KEY)])


def test_a_note_that_nobody_known_signed_is_refused() -> None:
    (note,) = notes_in(NOTE.encode(), "a note")
    other = VerifierKey("PeterNeumann", bytes(32))

    with pytest.raises(Refused, match="not signed by PeterNeumann, but by PeterNeumann; give the key"):
        note.signed_by([other])


def test_notes_that_follow_each_other_are_read_one_by_one() -> None:
    unsigned = SignedNote(HEAD)

    assert [str(note) for note in notes_in(f"{NOTE}\n{NOTE}{unsigned}".encode(), "notes")] == [
        NOTE,
        NOTE,
        str(unsigned),
    ]


def test_a_head_is_written_as_it_is_read() -> None:
    head = TreeHead.read(HEAD)

    assert (head.ledger, head.size) == ("0190a7e2-7c1d-4f7e-9f0a-3d2f5a6b7c8d", 7)
    assert head.text == HEAD
    assert TreeHead.read(HEAD.rpartition("time")[0]).time is None
    assert TreeHead.read(HEAD + "another line\n").size == 7


LINES = HEAD.split("\n")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "names no ledger of Lepton's"),
        ("example.org/log\n7\nabc\n", "names no ledger of Lepton's"),
        (LINES[0] + "\n", "is of '' events"),
        (f"{LINES[0]}\n0\n{LINES[2]}\n", "is of '0' events"),
        (f"{LINES[0]}\n007\n{LINES[2]}\n", "is of '007' events"),
        (f"{LINES[0]}\n-7\n{LINES[2]}\n", "is of '-7' events"),
        (f"{LINES[0]}\n7\n", "no root of 32 bytes"),
        (f"{LINES[0]}\n7\nAAAA\n", "no root of 32 bytes"),
        (f"{LINES[0]}\n7\n{LINES[2][:-1]}\n", "no root of 32 bytes"),
        (f"{LINES[0]}\n7\n{LINES[2]}\ntime yesterday\n", "is no time"),
    ],
    ids=lambda value: repr(value)[-40:],
)
def test_what_is_no_head_is_refused(text: str, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        TreeHead.read(text)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"\xff\xfe", "is no text"),
        (b"a\x00b\n", "control characters"),
        ("text\n\n— name\n".encode(), "a line that should sign and does not"),
        ("text\n\n— name !!!\n".encode(), "a line that should sign and does not"),
        ("text\n\n— name AAAA\n".encode(), "a line that should sign and does not"),
    ],
)
def test_what_is_no_note_is_refused(raw: bytes, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        notes_in(raw, "the file")


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("", "not a verifier key"),
        ("name", "not a verifier key"),
        (KEY.replace("+c74f20a3+", "+c74f20a4+"), "another id than its bytes"),
        (KEY[:-4], "not a verifier key"),
        (KEY.replace("+ARpc", "+Arpc"), "is of type 2; Lepton knows Ed25519"),
        ("a b" + KEY, "not a verifier key"),
    ],
)
def test_what_is_no_verifier_key_is_refused(key: str, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        VerifierKey.parsed(key)


@pytest.mark.parametrize("name", ["", "with space", "with+plus", "x" * 201, "line\nbreak"], ids=repr)
def test_a_key_has_a_name_that_a_note_can_bear(name: str, tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="is no name for a key"):
        make_key(tmp_path / "key", name)
    assert list(tmp_path.iterdir()) == []
