"""Reporting: how the ledger and those who follow it are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ..events.cluster import Cluster
from ..events.envelope import decode
from ..events.store import Store
from ..results import Status, Topic

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def status(store: Store, cluster: Cluster | None) -> Status:
    """The state of the log, and of its topic where there is one. Raises `Unavailable` where either is away."""
    topic = _topic(store, cluster) if cluster else None
    head = store.head()
    return Status(
        ledger=store.ledger_id,
        events=head.seq,
        recorded=_EPOCH + timedelta(microseconds=head.recorded) if head.seq else None,
        root=f"sha256:{head.frontier.root().hex()}",
        kafka=topic,
        rejected=store.rejected_count(),
    )


def _topic(store: Store, cluster: Cluster) -> Topic:
    from ..events.kafka_log import KafkaLog

    with KafkaLog(cluster) as log:
        there = log.end()
    rows = store.read(there, 1)
    first = decode(rows[0].envelope, rows[0].leaf, rows[0].seq).recorded if rows else None
    return Topic(there, max(0, store.end() - there), first)
