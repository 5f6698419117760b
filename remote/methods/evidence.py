"""Evidence of a server's log: heads, proofs and what is held against them, each checked here and not believed."""

# pyright: reportUnknownArgumentType=false
# (what is given has the types of the local manager's method)

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Final, cast

from ...errors import Malformed, NotAsSigned, Refused
from ...events.merkle import Frontier
from ...evidence.head import KnownHead, TreeHead, heads_in, hexed, last_head_in, note_in
from ...evidence.keys import Signing
from ...home import checked_path
from ...permissions import write_whole
from ...results import Proof, SignedHead, Verified
from ...versions.arguments import checked
from ...versions.evidence.against import LEAF, RESTORE, check_prefix, read_leaves
from ...versions.evidence.heads import keys_of, signer_if_any
from ...versions.evidence.proving import check_order, sound
from ..client import Client
from .asked import HERE, Asking, over_http, quoted

_SERVERS: Final = "the server's head"


class ServedHistory:
    """A server's log as it is held against heads: what it says of its roots."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @cached_property
    def head(self) -> SignedHead:
        """Where it ends, as it was when it was first asked."""
        return cast("SignedHead", self._client.read("/head"))

    @property
    def ledger_id(self) -> str:
        """The ledger that it is of."""
        return self.head.ledger

    def end(self) -> int:
        """The last `seq`."""
        return self.head.size

    def root(self, size: int) -> bytes:
        """The root over its first `size` events."""
        head = cast("SignedHead", self._client.read("/head", {"at": size}))
        return bytes.fromhex(head.root.removeprefix("sha256:"))


@checked
class EvidenceOverHTTP(Asking):
    """`sign_head`, `prove`, `verify`: the server tells hashes, and whoever keeps a head or key checks or signs here."""

    @over_http
    def sign_head(self, given: Any) -> Any:
        if given.leaves is not None:
            raise Refused(f"{self.place.host} is a server, and leaves are read from a ledger's own files; {HERE}")
        output = None if given.output is None else checked_path(os.fspath(given.output), "the file of the head")
        if output is not None and output.exists():
            for kept in heads_in(output, ()):
                self._grew_from(kept, None)
        known = self._end(given)
        if not known.note.signatures:
            raise Refused(
                f"{self.place.host} has no key to sign with, and none is given",
                python="key_file= or LEPTON_SIGNING_KEY names the file of one",
                cli="--key or LEPTON_SIGNING_KEY names the file of one",
            )
        if output is not None:
            write_whole(output, str(known.note).encode())
        return known.told()

    @over_http
    def prove(self, given: Any) -> Any:
        if (given.what is None) == (given.since is None):
            raise Malformed("a proof is of an event or since a head; give one of the two")
        keys = keys_of(given.key, self._signing)
        if given.head is not None:
            known = last_head_in(checked_path(os.fspath(given.head), "the file of the head"), keys)
            self._hold(known)
        else:
            known = self._end(given)
        if given.what is not None:
            proof = self._inclusion(self._words(given.what), known)
        else:
            file = checked_path(os.fspath(given.since), "the file of the earlier head")
            earlier = last_head_in(file, keys)
            self._hold(earlier)
            proof = self._grew_from(earlier, known)
        if given.output is not None:
            write_whole(checked_path(os.fspath(given.output), "the file of the proof"), proof.written().encode())
        return proof

    @over_http
    def verify(self, given: Any) -> Any:
        if given.against is None:
            return self._read("/verify")
        file = checked_path(os.fspath(given.against), "the file of the head")
        heads = heads_in(file, keys_of(given.key, self._signing))
        if given.leaves is not None:
            leaves = checked_path(os.fspath(given.leaves), "the file of the leaves")
            check_leaves(ServedHistory(self._remote.client), read_leaves(leaves, heads[-1]))
        told = "\n".join(str(known.note) for known in heads)
        verified = cast("Verified", self._judge("/verify", {"heads": told}))
        self._grew_from(heads[-1], None)
        return replace(verified, against=heads[-1].told())

    @property
    def _signing(self) -> Signing:
        return Signing.named(self.place.spool)

    def _end(self, given: Any) -> KnownHead:
        """Where the log ends, signed with a key of this machine, else by the server if it has one."""
        answer = ServedHistory(self._remote.client).head
        note = note_in(answer.note, _SERVERS)
        signer = signer_if_any(self._signing, given.key_file, given.key_command, given.verifier)
        return (
            KnownHead(TreeHead.read(note.text), note, None)
            if signer is None
            else signer.signed(TreeHead.read(note.text))
        )

    def _hold(self, known: KnownHead) -> None:
        """Raise `NotAsSigned` where the server's log does not go on from a head, by its own words already."""
        check_prefix(ServedHistory(self._remote.client), [known])

    def _inclusion(self, what: str, known: KnownHead) -> Proof:
        """The proof of an event under a head."""
        asked = cast("Proof", self._read(f"/proofs/{quoted(what)}"))
        proof = cast("Proof", self._read(f"/proofs/{asked.seq}", at=known.head.size))
        return sound(replace(proof, head=str(known.note)))

    def _grew_from(self, earlier: KnownHead, known: KnownHead | None) -> Proof:
        """The proof that the log of a head, or that of now, goes on from an earlier one."""
        if known is not None:
            check_order(earlier, known)
        size = None if known is None else known.head.size
        proof = cast("Proof", self._read("/proofs", since=earlier.head.size, at=size))
        head = proof.head if known is None else str(known.note)
        return sound(replace(proof, since=str(earlier.note), head=head))


def check_leaves(history: ServedHistory, kept: bytes) -> None:
    """Raise `NotAsSigned` naming the first event whose leaf is not the one that was kept: by the roots, of which those
    over less than it are as they were and those over more are not."""
    size, end = len(kept) // LEAF, history.end()
    agreed, first = Frontier(), min(size, end) + 1
    while first - agreed.size > 1:
        middle = agreed.extended(_leaves(kept, agreed.size, (agreed.size + first) // 2))[0]
        if history.root(middle.size) == middle.root():
            agreed = middle
        else:
            first = middle.size
    if first <= min(size, end):
        (leaf,) = _leaves(kept, first - 1, first)
        what, found = f"event {first}, the first that differs,", "another"
        raise NotAsSigned(what, expected=hexed(leaf), found=found, remedy=RESTORE)
    if end < size:
        found = f"{end}, all of them as they were: event {end + 1} is the first that is missing"
        raise NotAsSigned("the log", expected=f"{size} events", found=found, remedy=RESTORE)


def _leaves(kept: bytes, first: int, last: int) -> Sequence[bytes]:
    return [kept[LEAF * place : LEAF * (place + 1)] for place in range(first, last)]
