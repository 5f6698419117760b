"""Proofs: their one form, JSON, and how one is checked with no ledger at hand."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, cast

from ..errors import Malformed, NotAsSigned
from ..events.merkle import leaf_hash
from ..home import checked_path
from ..results import Proof, Proved
from ..results.maintenance.evidence import FORMAT
from .head import KnownHead, contents, hexed, note_in
from .note import VerifierKey, keys_of
from .tree import root_of_inclusion, roots_of_consistency

LONGEST: Final = 4 << 20
"""Bytes of a file: an event has 256 KiB at most, each of which JSON may write as six."""
_DEEPEST: Final = 64
"""Hashes of a path: no log is longer than 2^63 events."""
_REQUIRED: Final = ("sequence", "source", "type", "subject", "recordedtime")
"""What every event tells, as text."""
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_AGAIN: Final = "have the proof made again, or ask who altered it"


def verify_proof(
    proof: str | os.PathLike[str] | Mapping[str, Any] | Proof, *, key: str | Iterable[str] | None = None
) -> Proved:
    """Check a proof, from a file or as its JSON object, with no ledger at hand: what it proves.

    `key` is the verifier key, or several, of which one must have signed its heads; without any the signatures are not
    looked at. Raises `NotAsSigned` (a `Damaged`) where it proves nothing, `Malformed`, `Refused`.
    """
    keys = keys_of(key)
    match proof:
        case Proof():
            document: Any = proof.to_dict()
        case Mapping():
            document = proof
        case _:
            file = checked_path(os.fspath(proof), "the file of the proof")
            document = _read(file)
    return checked(document, keys)


def checked(document: Any, keys: tuple[VerifierKey, ...]) -> Proved:
    """What the JSON object of a proof proves. Raises as `verify_proof`."""
    if not isinstance(document, Mapping):
        raise Malformed("a proof is a JSON object; give a file that `lepton prove` wrote")
    told = cast("Mapping[str, Any]", document)
    if told.get("format") != FORMAT or told.get("kind") not in ("inclusion", "consistency"):
        raise Malformed(f"this is no proof of the form {FORMAT}; give a file that `lepton prove` wrote")
    path = _path(told.get("path"))
    known = KnownHead.checked(note_in(_text(told, "head"), "the proof's head"), keys)
    if told["kind"] == "inclusion":
        return _inclusion(told, path, known)
    earlier = KnownHead.checked(note_in(_text(told, "since"), "the proof's earlier head"), keys)
    return _consistency(earlier, path, known)


def _inclusion(told: Mapping[str, Any], path: list[bytes], known: KnownHead) -> Proved:
    seq, text, head = told.get("seq"), _text(told, "event"), known.head
    if not isinstance(seq, int) or isinstance(seq, bool) or not 1 <= seq <= head.size:
        raise Malformed(f"the proof is of event {str(seq)[:40]}, and its head of {head.size} events; it proves nothing")
    try:
        raw = text.encode()
        event = json.loads(raw)
        place, source, *_ = told_in_it = [event[name] for name in _REQUIRED]
        if not all(isinstance(each, str) for each in told_in_it):
            raise TypeError("what an event always tells is text")
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Malformed("the proof's event is no event of a ledger; give the proof whole") from None
    root = root_of_inclusion(leaf_hash(raw), seq - 1, head.size, path)
    _compare(f"event {seq}", head.root, root)
    if (place, source) != (f"{seq:020d}", f"/lepton/{head.ledger}"):
        raise NotAsSigned(
            f"event {seq}", expected=f"event {seq} of {head.ledger}", found=f"{place} of {source}", remedy=_AGAIN
        )
    return Proved("inclusion", head.ledger, head.size, hexed(head.root), head.time, _key(known), seq=seq, event=event)


def _consistency(earlier: KnownHead, path: list[bytes], known: KnownHead) -> Proved:
    old, head = earlier.head, known.head
    if old.ledger != head.ledger:
        raise Malformed(f"the proof's heads are of two ledgers, {old.ledger} and {head.ledger}; nothing joins them")
    if old.size > head.size:
        raise Malformed(f"the proof's earlier head is of {old.size} events, its later one of {head.size}; swap them")
    if old.size == head.size:
        _compare("the later head", old.root, head.root if not path else None)
    else:
        roots = roots_of_consistency(old.size, head.size, old.root, path) or (None, None)
        _compare("the earlier head", old.root, roots[0])
        _compare("the later head", head.root, roots[1])
    return Proved("consistency", head.ledger, head.size, hexed(head.root), head.time, _key(known), since=old.size)


def _compare(thing: str, expected: bytes, found: bytes | None) -> None:
    if found != expected:
        came = "a path that leads nowhere" if found is None else hexed(found)
        raise NotAsSigned(thing, expected=f"root {hexed(expected)}", found=came, remedy=_AGAIN)


def _read(file: Path) -> Any:
    try:
        return json.loads(contents(file, LONGEST, "a proof that `lepton prove` wrote"))
    except (ValueError, RecursionError) as error:
        raise Malformed(f"{file} is no JSON ({error}); give a file that `lepton prove` wrote, whole") from None


def _path(told: Any) -> list[bytes]:
    hashes = [str(each) for each in cast("list[Any]", told)] if isinstance(told, list | tuple) else [""]
    if len(hashes) > _DEEPEST or not all(map(_DIGEST.fullmatch, hashes)):
        raise Malformed("the proof's path is no list of hashes, each sha256: and 64 hexadecimal digits; give it whole")
    return [bytes.fromhex(each.removeprefix("sha256:")) for each in hashes]


def _text(told: Mapping[str, Any], name: str) -> str:
    if not isinstance(value := told.get(name), str):
        raise Malformed(f"the proof has no {name}, which is a text; give the file whole")
    return value


def _key(known: KnownHead) -> str | None:
    return None if known.key is None else str(known.key)
