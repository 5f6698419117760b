"""Evidence of a server's log: heads, proofs and what is held against them, each checked here and not believed."""

# pyright: reportUnknownArgumentType=false
# (what is given has the types of the local manager's method)

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import Any, Final, cast

from ...domain.model.revision import parts
from ...errors import Malformed, Refused
from ...events.merkle import Frontier
from ...evidence.head import KnownHead, TreeHead, heads_in, last_head_in, note_in, unsigned
from ...evidence.keys import Signing
from ...home import checked_path
from ...permissions import write_whole
from ...results import Proof, SignedHead, Verified
from ...versions.arguments import checked
from ...versions.evidence.against import (
    LEAF,
    check_prefix,
    first_that_differs,
    first_that_is_missing,
    leaf_in,
    read_leaves,
)  # fmt: skip
from ...versions.evidence.heads import keys_of, signer_if_any
from ...versions.evidence.proving import check_order, sound
from ..client import Client
from .asked import HERE, Asking, over_http, quoted

_SERVERS: Final = "the server's head"
_MOVES: Final = ("branch.created", "branch.rolled_back", "alias.moved", "alias.rolled_back", "tag.created")
_MEANT: Final = ("version.committed", *_MOVES)
"""Types of the events that a revision means."""


class ServedHistory:
    """A server's log under one head: every root that it tells is proved by hashes that lead to that head's."""

    def __init__(self, client: Client, known: KnownHead) -> None:
        self._client, self.known = client, known
        self._roots = {known.head.size: known.head.root}

    @classmethod
    def of_now(cls, client: Client) -> ServedHistory:
        """Under the head that the server tells now."""
        answer = cast("SignedHead", client.read("/head"))
        return cls(client, KnownHead.checked(note_in(answer.note, _SERVERS), ()))

    @property
    def ledger_id(self) -> str:
        """The ledger that it is of."""
        return self.known.head.ledger

    def end(self) -> int:
        """The last `seq`."""
        return self.known.head.size

    def root(self, size: int) -> bytes:
        """The root over its first `size` events. Raises `NotAsSigned` where the server cannot prove it."""
        if size not in self._roots:
            self._roots[size] = self._proved(size).head.root
        return self._roots[size]

    def proof_since(self, earlier: KnownHead) -> Proof:
        """The proof that it goes on from an earlier head. Raises `NotAsSigned`."""
        check_prefix(self, [earlier])
        if earlier.head.size == self.end():
            return sound(Proof("consistency", (), str(self.known.note), since=str(earlier.note)))
        return sound(replace(self._asked(earlier.head.size), since=str(earlier.note)))

    def _proved(self, size: int) -> KnownHead:
        proof = sound(self._asked(size))
        known = KnownHead.checked(note_in(proof.since or "", _SERVERS), ())
        if (proof.kind, known.head.size) != ("consistency", size):
            raise Malformed(f"the server was asked for the head of {size} events and told another; ask another server")
        return known

    def _asked(self, size: int) -> Proof:
        proof = cast("Proof", self._client.read("/proofs", {"since": size, "at": self.end()}))
        return replace(proof, head=str(self.known.note))


@checked
class EvidenceOverHTTP(Asking):
    """`sign_head`, `prove`, `verify`: the server tells hashes, and whoever keeps a head or key checks or signs here."""

    @over_http
    def sign_head(self, given: Any) -> Any:
        if given.leaves is not None:
            raise Refused(f"{self.place.host} is a server, and leaves are read from a ledger's own files; {HERE}")
        output = None if given.output is None else checked_path(os.fspath(given.output), "the file of the head")
        history = ServedHistory.of_now(self._remote.client)
        if output is not None and output.exists():
            check_prefix(history, heads_in(output, ()))
        known = self._signed(given, history.known)
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
        history = ServedHistory.of_now(self._remote.client)
        if given.head is not None:
            known = last_head_in(checked_path(os.fspath(given.head), "the file of the head"), keys)
            check_prefix(history, [known])
        else:
            known = self._signed(given, history.known)
        if given.what is not None:
            proof = self._inclusion(self._words(given.what), known)
        else:
            file = checked_path(os.fspath(given.since), "the file of the earlier head")
            earlier = last_head_in(file, keys)
            check_prefix(history, [earlier])
            check_order(earlier, known)
            proof = ServedHistory(self._remote.client, known).proof_since(earlier)
        if given.output is not None:
            write_whole(checked_path(os.fspath(given.output), "the file of the proof"), proof.written().encode())
        return proof

    @over_http
    def verify(self, given: Any) -> Any:
        if given.against is None:
            return self._read("/verify")
        file = checked_path(os.fspath(given.against), "the file of the head")
        heads = heads_in(file, keys_of(given.key, self._signing))
        history = ServedHistory.of_now(self._remote.client)
        if given.leaves is not None:
            leaves = checked_path(os.fspath(given.leaves), "the file of the leaves")
            check_leaves(history, read_leaves(leaves, heads[-1]))
        check_prefix(history, heads)
        verified = cast("Verified", self._judge("/verify", {"heads": str(heads[-1].note)}))
        found = TreeHead(verified.ledger, verified.size, bytes.fromhex(verified.root.removeprefix("sha256:")), None)
        check_prefix(ServedHistory(self._remote.client, unsigned(found)), [history.known])
        return replace(verified, against=heads[-1].told())

    @property
    def _signing(self) -> Signing:
        return Signing.named(self.place.spool)

    def _signed(self, given: Any, known: KnownHead) -> KnownHead:
        """A head signed with a key of this machine, else as the server signed it, if it did."""
        signer = signer_if_any(self._signing, given.key_file, given.key_command, given.verifier)
        return known if signer is None else signer.signed(known.head)

    def _inclusion(self, what: str, known: KnownHead) -> Proof:
        """The proof of an event under a head. Raises `Malformed` where the server proves another than was asked for."""
        asked = cast("Proof", self._read(f"/proofs/{quoted(what)}"))
        proof = cast("Proof", self._read(f"/proofs/{asked.seq}", at=known.head.size))
        proof = sound(replace(proof, head=str(known.note)))
        if proof.seq != asked.seq or not _is_of(what, proof):
            raise Malformed(
                f"the server was asked for the proof of {what} and gave that of event {proof.seq}; ask again"
            )
        return proof


def _is_of(what: str, proof: Proof) -> bool:
    """Whether the event of a proof is one that a text can mean: of that number, or that model and name or version."""
    if what.isascii() and what.isdecimal():
        return proof.seq == int(what)
    model, base, steps = parts(what)
    event = json.loads(proof.event or "null")
    stream, data = event["subject"], event.get("data")
    if event["type"].removeprefix("lepton.").rpartition(".v")[0] not in _MEANT or not isinstance(data, dict):
        return False
    if not stream.startswith("model/") or (model is not None and stream != f"model/{model}"):
        return False
    kind, told = event["type"].split(".")[1], cast("dict[str, Any]", data)
    if kind != "version":
        return not steps and told.get(kind) == base
    return bool(steps) or not base.isdecimal() or told.get("version") == int(base)


def check_leaves(history: ServedHistory, kept: bytes) -> None:
    """Raise `NotAsSigned` naming the first event whose leaf is not the one that was kept: by the roots, of which those
    over less than it are as they were and those over more are not."""
    size, end = len(kept) // LEAF, history.end()
    agreed, first = Frontier(), min(size, end) + 1
    while first - agreed.size > 1:
        between = range(agreed.size + 1, (agreed.size + first) // 2 + 1)
        middle = agreed.extended([leaf_in(kept, seq) for seq in between])[0]
        if history.root(middle.size) == middle.root():
            agreed = middle
        else:
            first = middle.size
    if first <= min(size, end):
        raise first_that_differs(kept, first, "another")
    if end < size:
        raise first_that_is_missing(kept, end)
