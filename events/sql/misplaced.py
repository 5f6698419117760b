"""The look at the newest rows that tells an event that is missing from one that never was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pydantic_core import from_json, to_json

from ...errors import Damaged
from .rows import NewRow, typed
from .store import Store

MOST: Final = 50_000
"""Rows that are looked at: some 0.2 s. `verify` looks at all of them, and at every byte."""
_BATCH: Final = 1000


def misplaced(store: Store) -> Damaged | None:
    """The first damage among the newest rows: one that is gone, or that lies in another stream than its bytes name."""
    end = store.end()
    try:
        for last in range(end, max(0, end - MOST), -_BATCH):
            _check(store.whole_rows(max(0, last - _BATCH), min(last, _BATCH)), last)
    except Damaged as damage:
        return damage
    return None


def _check(rows: Sequence[NewRow], last: int) -> None:
    """Raise `Damaged` where rows are not all there, up to `last`, each in the place that its bytes name."""
    first = max(1, last - _BATCH + 1)
    for seq, row in zip(range(first, last + 1), rows, strict=False):
        if row.seq != seq:
            raise Damaged(f"event {seq}", expected="a whole row", found="none")
        envelope = typed(row.envelope, bytes, f"event {seq}")
        if _place(row.stream, row.version) not in envelope:
            _compare(row, envelope)
    if len(rows) < last - first + 1:
        raise Damaged(f"event {first + len(rows)}", expected="a whole row", found="none")


def _place(stream: object, version: object) -> bytes:
    """How an envelope that was encoded here names its place."""
    return b'"subject":%b,"streamversion":%b,' % (to_json(stream), to_json(version))


def _compare(row: NewRow, envelope: bytes) -> None:
    try:
        told = from_json(envelope)
        place = (told["subject"], told["streamversion"])
    except (ValueError, TypeError, KeyError) as error:
        raise Damaged(f"event {row.seq}", expected="a CloudEvent", found="no JSON of one") from error
    if (row.stream, row.version) != place:
        found = f"{row.stream} {row.version}"
        raise Damaged(f"the columns of event {row.seq}", expected=f"{place[0]} {place[1]}", found=found)
