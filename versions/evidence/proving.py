"""Proofs of this ledger: that an event is in its log, that its log goes on from a head signed before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from ...domain.model.revision import parts
from ...domain.model.state import ModelState
from ...errors import Damaged, Forbidden, Refused, UnknownRevision
from ...events.merkle import leaf_hash
from ...evidence.head import KnownHead, TreeHead, hexed, last_head_in, unsigned
from ...evidence.keys import Signer
from ...evidence.note import VerifierKey
from ...evidence.proof import checked
from ...evidence.tree import Tree, consistency, inclusion
from ...results import Proof
from .against import check_prefix
from .heads import known_head_of

if TYPE_CHECKING:
    from ..workspace import Workspace


def event_of(workspace: Workspace, text: str) -> int:
    """The `seq` that a text means: a number is one; a branch or alias means its last move, a tag its binding, any other
    revision the commit of its version. Raises `UnknownRevision`."""
    if text.isascii() and text.isdecimal():
        if len(text) > 18:
            raise UnknownRevision(f"there is no event {text[:40]}; no log is that long")
        return int(text)
    named, base, steps = parts(text)
    model = workspace.known_model(named) if named is not None and not steps else None
    if model is None and not steps and base not in workspace.models():
        model = workspace.known_model(None)
    if model is not None and (seq := _last_move(model, base)):
        return seq
    found = workspace.resolve(text)
    return found.model.version(found.number).seq


def prove_event(workspace: Workspace, seq: int, known: KnownHead) -> Proof:
    """The proof that an event is in the log of a head. Raises `UnknownRevision`, `Damaged`, `Forbidden`."""
    store = workspace.ledger.store
    end = known.head.size
    if not 1 <= seq <= end:
        raise UnknownRevision(f"there is no event {seq}; the log of the head has events 1 to {end}")
    rows = store.read(seq - 1, 1)
    if not rows or leaf_hash(rows[0].envelope) != rows[0].leaf:
        raise Damaged(f"event {seq}", expected="the bytes of its leaf", found="other bytes" if rows else "no row")
    raw = rows[0].envelope
    _check_heard(workspace, raw)
    path = tuple(map(hexed, inclusion(store, seq - 1, end)))
    return sound(Proof("inclusion", path, str(known.note), seq=seq, event=raw.decode()))


def prove_since(workspace: Workspace, earlier: KnownHead, known: KnownHead) -> Proof:
    """The proof that the log of a head goes on from an earlier one. Raises `NotAsSigned`, `Refused`."""
    workspace.rights.check("read")
    store = workspace.ledger.store
    check_prefix(store, [earlier])
    check_order(earlier, known)
    return _grown(store, earlier, known)


def prove_since_size(workspace: Workspace, size: int, known: KnownHead) -> Proof:
    """As `prove_since`, from the head of `size` events as the log has it now. Raises `UnknownRevision`."""
    workspace.rights.check("read")
    store = workspace.ledger.store
    if not 1 <= size <= known.head.size:
        raise UnknownRevision(f"there is no head of {size} events to go on from; the log has {known.head.size}")
    return _grown(store, unsigned(TreeHead(known.head.ledger, size, store.root(size), None)), known)


def _grown(store: Tree, earlier: KnownHead, known: KnownHead) -> Proof:
    path = tuple(map(hexed, consistency(store, earlier.head.size, known.head.size)))
    return sound(Proof("consistency", path, str(known.note), since=str(earlier.note)))


def check_order(earlier: KnownHead, known: KnownHead) -> None:
    """Raise `Refused` where the earlier of two heads is of more events than the other."""
    if earlier.head.size > known.head.size:
        raise Refused(
            f"the earlier head is of {earlier.head.size} events, the other one of {known.head.size}; swap them"
        )


def head_to_prove(
    workspace: Workspace, file: Path | None, keys: tuple[VerifierKey, ...], signer: Signer | None
) -> KnownHead:
    """The head that a proof is made under: one that was signed before, else the end of the log, signed if anybody does.

    Raises `NotAsSigned` where the log does not go on from the head in the file.
    """
    if file is not None:
        known = last_head_in(file, keys)
        check_prefix(workspace.ledger.store, [known])
        return known
    return known_head_of(workspace, signer)


def sound(proof: Proof) -> Proof:
    """A proof that was checked: hashes that do not fit the head prove nothing. Raises `NotAsSigned`."""
    checked(proof.to_dict(), ())
    return proof


def _last_move(model: ModelState, name: str) -> int:
    return max(model.last_move(kind, name) for kind in ("branch", "alias", "tag"))


def _check_heard(workspace: Workspace, raw: bytes) -> None:
    """Raise where who asks may not read an event, whole as it stands."""
    from ..access.audience import Audience  # which a client over HTTP has no use for

    audience, event = Audience(workspace), json.loads(raw)
    if not audience.hears(event):
        raise UnknownRevision("there is no such event among those that you may read")
    if audience.shown(event) != json.loads(raw):
        raise Forbidden("read", "*")
