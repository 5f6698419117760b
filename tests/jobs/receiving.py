"""The inbox taken in beside a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

from lepton_ai.events.kafka.cluster import Cluster
from lepton_ai.jobs.intake.consumer import consume
from lepton_ai.jobs.intake.inbox import Intake
from lepton_ai.jobs.protocol.over_kafka import opened
from lepton_ai.ledger import Ledger


@contextmanager
def receiving(
    ledger: Ledger, cluster: Cluster, intake: Callable[[int], Intake], check: float = 60.0
) -> Iterator[Future[None]]:
    """An intake at work in a thread of its own, and what becomes of it."""
    stop = Event()
    with ThreadPoolExecutor(1) as pool:
        task = pool.submit(consume, lambda: opened(cluster, "inbox", ledger.store.bookmark, check), intake, stop)
        try:
            yield task
        finally:
            stop.set()
            task.exception(60)  # whoever expects one asks
