"""Is this ledger's history the one that was signed? Its tree, held against heads that were kept elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from ...errors import Malformed, NotAsSigned, Refused
from ...events.merkle import Frontier
from ...evidence.head import KnownHead, contents, hexed
from ...results import Verified

if TYPE_CHECKING:
    from ...events.sql.store import Store
    from ..workspace import Workspace

LEAF: Final = 32
"""Bytes of a leaf's hash in a file of leaves."""
_BATCH: Final = 10_000
RESTORE: Final = "keep this database as it is, and restore the ledger from a copy whose history is the signed one"


class History(Protocol):
    """A log, as it is held against heads."""

    @property
    def ledger_id(self) -> str:
        """The ledger that it is of."""
        ...

    def end(self) -> int:
        """The last `seq`."""
        ...

    def root(self, size: int) -> bytes:
        """The root over its first `size` events."""
        ...


def verify_against(workspace: Workspace, heads: Sequence[KnownHead], leaves: Path | None = None) -> Verified:
    """Check that the ledger is whole in itself, and that it goes on from heads, the smallest first.

    Raises `Damaged` where it is not whole, `NotAsSigned` where it is another history: it names the first event that
    differs where `leaves`, which were written with the head, or heads close by say so, else the events among which it
    is. Raises `Refused` where the head is of another ledger.
    """
    kept = None if leaves is None else read_leaves(leaves, heads[-1])
    from ..maintenance import fsck  # which no client over HTTP has

    verified = fsck.verify(workspace)  # from here on tiles and leaves are those of the stored bytes
    store = workspace.ledger.store
    if kept is not None:
        _compare_leaves(store, kept)
    check_prefix(store, heads)
    return replace(verified, against=heads[-1].told())


def check_prefix(history: History, heads: Sequence[KnownHead]) -> None:
    """Raise `NotAsSigned` where the log does not go on from heads, the smallest first."""
    end, agreed = history.end(), 0
    for known in distinct(heads):
        head = known.head
        if head.ledger != history.ledger_id:
            raise Refused(
                f"the head is of ledger {head.ledger}, and this is {history.ledger_id}; compare it with its own"
            )
        if head.size > end:
            raise NotAsSigned(
                "the log",
                expected=f"the {head.size} events of the head",
                found=f"{end}, so that event {end + 1} is the first that is missing{_before(agreed, end)}",
                remedy=RESTORE,
            )
        if (root := history.root(head.size)) != head.root:
            raise NotAsSigned(
                f"event {head.size}" if head.size == agreed + 1 else f"history from event {agreed + 1} to {head.size}",
                expected=f"root {hexed(head.root)}",
                found=f"{hexed(root)}{_among(agreed, head.size)}",
                remedy=RESTORE,
            )
        agreed = head.size


def distinct(heads: Sequence[KnownHead]) -> list[KnownHead]:
    """Heads, the smallest first, one of each size. Raises `NotAsSigned` where two of one size have two roots."""
    first: dict[tuple[str, int], KnownHead] = {}
    for known in heads:
        other = first.setdefault((known.head.ledger, known.head.size), known)
        if other.head.root != known.head.root:
            raise NotAsSigned(
                f"one of two heads of {known.head.size} events",
                expected=f"root {hexed(other.head.root)} as in the other",
                found=f"{hexed(known.head.root)}: whoever made them has two histories",
                remedy="keep both, for they are evidence against whoever signed them",
            )
    return list(first.values())


def leaves_of(store: Store, size: int) -> Iterator[bytes]:
    """The hashes of the first leaves of the log, in order."""
    for after in range(0, size, _BATCH):
        yield from (row.leaf for row in store.read(after, min(_BATCH, size - after)))


def _compare_leaves(store: Store, kept: bytes) -> None:
    """Raise `NotAsSigned` naming the first event whose leaf is not the one that was kept."""
    size, seq = len(kept) // LEAF, 0
    for seq, leaf in enumerate(leaves_of(store, min(size, store.end())), 1):
        if leaf != leaf_in(kept, seq):
            raise first_that_differs(kept, seq, hexed(leaf))
    if seq < size:
        raise first_that_is_missing(kept, seq)


def leaf_in(kept: bytes, seq: int) -> bytes:
    """The leaf of an event among those that were kept."""
    return kept[(seq - 1) * LEAF : seq * LEAF]


def first_that_differs(kept: bytes, seq: int, found: str) -> NotAsSigned:
    """Why a log is not the one whose leaves were kept: an event."""
    what = f"event {seq}, the first that differs,"
    return NotAsSigned(what, expected=hexed(leaf_in(kept, seq)), found=found, remedy=RESTORE)


def first_that_is_missing(kept: bytes, end: int) -> NotAsSigned:
    """Why a log is not the one whose leaves were kept: it ends before them."""
    found = f"{end}, all of them as they were: event {end + 1} is the first that is missing"
    return NotAsSigned("the log", expected=f"{len(kept) // LEAF} events", found=found, remedy=RESTORE)


def read_leaves(file: Path, known: KnownHead) -> bytes:
    """The leaves that were written beside a head, once they give its root."""
    size = LEAF * known.head.size
    if not file.is_file() or file.stat().st_size == size:
        raw = contents(file, size, "the leaves that `lepton sign-head --leaves` wrote")
    else:
        raise Malformed(
            f"{file} has not the {known.head.size} leaves of the head; give those that were written with it"
        )
    pieces: Iterable[bytes] = (raw[at : at + LEAF] for at in range(0, len(raw), LEAF))
    if Frontier().extended(pieces)[0].root() != known.head.root:
        raise Malformed(f"{file} gives another root than the head; give the leaves that were written with it")
    return raw


def _before(agreed: int, end: int) -> str:
    if agreed == end:
        return ""
    return f" (what stands before it is known to be as signed up to event {agreed}, and no farther)"


def _among(agreed: int, size: int) -> str:
    if size == agreed + 1:
        return ""
    return f": an event among {agreed + 1} to {size} is the first that differs, and a root alone does not tell which"
