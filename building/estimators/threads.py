"""How many threads an estimator computes on: one for small tables."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any, Final

from threadpoolctl import ThreadpoolController

_MANY: Final = 1_000_000
"""Numbers from which on threads are worth it: below, those of OpenMP mostly wait for one another, and where other
processes want the cores for many times as long as one thread takes."""
_LIBRARIES: Final = ("sklearn", "lightgbm", "xgboost", "torch")


def threads_for(numbers: int) -> AbstractContextManager[Any]:
    """Compute on one thread where a table has few numbers, else on as many as the libraries take."""
    if numbers >= _MANY:
        return nullcontext()
    return _controller(tuple(name for name in _LIBRARIES if name in sys.modules)).limit(limits=1)


@cache
def _controller(libraries: tuple[str, ...]) -> ThreadpoolController:  # noqa: ARG001 - each brings a pool of its own
    """The thread pools of the process, looked for anew where one more of these libraries is loaded."""
    return ThreadpoolController()
