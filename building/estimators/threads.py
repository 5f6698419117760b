"""How many threads an estimator computes on: one for small tables."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any, Final

from threadpoolctl import ThreadpoolController

_MANY: Final = 1_000_000
"""Numbers from which on threads are worth it: below, those of OpenMP mostly wait for one another, and where other
processes want the cores for many times as long as one thread takes."""


def threads_for(numbers: int) -> AbstractContextManager[Any]:
    """Compute on one thread where a table has few numbers, else on as many as the libraries take."""
    return _controller().limit(limits=1) if numbers < _MANY else nullcontext()


@cache
def _controller() -> ThreadpoolController:
    """The thread pools of the libraries that are loaded by the first fit: those that estimators are of."""
    return ThreadpoolController()
