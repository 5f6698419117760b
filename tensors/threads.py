"""The few threads that hash and code chunks; numpy, zstd and blake3 let go of the interpreter lock meanwhile."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

WORKERS = min(8, os.cpu_count() or 1)
AHEAD = 2 * WORKERS


def pool() -> ThreadPoolExecutor:
    """This process's pool. A forked child has none of its parent's threads, so each process makes its own."""
    return _pool_of(os.getpid())


@cache
def _pool_of(process: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(WORKERS, thread_name_prefix=f"lepton-tensors-{process}")


def in_order(function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """`map` over threads, with at most `AHEAD` items taken and not yet given back, so that memory stays bounded.

    `items` is drawn in the caller's thread. When the caller stops early or an item fails, what has begun is waited
    for, so nothing of it runs on behind the caller's back.
    """
    begun: deque[Future[R]] = deque()
    threads = pool()
    try:
        for item in items:
            begun.append(threads.submit(function, item))
            if len(begun) >= AHEAD:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        for future in begun:
            future.cancel()
        for future in begun:
            if not future.cancelled():
                future.exception()
