"""What one batch on the topic of events holds: whole commands, so that no command is ever half on Kafka."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ..errors import Damaged
from .log import CommandRow
from .merkle import leaf_hash

BATCH_BYTES: Final = 768 * 1024
"""What a batch holds at most: below a broker's default of 1 MiB, and room for two of the largest events."""
RECORD_OVERHEAD: Final = 256
"""Bytes that a record may take beside key, value and headers."""


def batches(rows: Sequence[CommandRow]) -> Iterator[list[CommandRow]]:
    """The rows in batches that Kafka takes whole, each of whole commands if the rows end where a command does.

    A command that is larger than a batch, which a ledger from before the limit may hold, goes in several of its own
    events; the last may hold other commands too. Raises `Damaged` before what is no event is sent anywhere.
    """
    batch: list[CommandRow] = []
    size = begun = before = 0  # `begun` rows of the batch, `before` bytes, are whole commands
    for row in rows:
        if (found := leaf_hash(row.envelope)) != row.leaf:
            raise Damaged(f"event {row.seq}", expected=f"sha256:{row.leaf.hex()}", found=f"sha256:{found.hex()}")
        if row.span is not None:
            begun, before = len(batch), size
        weight = len(row.envelope) + RECORD_OVERHEAD
        if begun and size + weight > BATCH_BYTES:
            yield batch[:begun]
            batch, size, begun = batch[begun:], size - before, 0
        if batch and size + weight > BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += weight
    yield batch
