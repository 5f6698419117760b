"""Workers of tests: each name has keys of its own, the same in every process."""

from __future__ import annotations

from functools import cache

from lepton_ai.jobs.protocol.identity import WorkerKeys


@cache
def identity(name: str) -> WorkerKeys:
    """The keys of a worker that a test calls so."""
    return WorkerKeys(name.encode())


def incarnation(name: str) -> str:
    """What the ledger calls that worker."""
    return identity(name).incarnation
