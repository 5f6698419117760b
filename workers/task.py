"""A task: the function that does one kind of work, known by the payload that the ledger checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ..domain.job.kinds import Payload, declare

if TYPE_CHECKING:
    from ..jobs.protocol.messages import Finished
    from .context import Context

P = TypeVar("P", bound=Payload)

TASKS: Final[dict[str, Callable[[Any, Context], Finished]]] = {}
"""What this process can do, by kind: each fetches, computes, keeps and answers."""


def task(payload: type[P]) -> Callable[[Callable[[P, Context], Finished]], Callable[[P, Context], Finished]]:
    """Declare a kind of work: its payload, to whoever submits and assigns jobs, and the function that does it."""

    def known(function: Callable[[P, Context], Finished]) -> Callable[[P, Context], Finished]:
        TASKS[declare(payload).kind_name()] = function
        return function

    return known
