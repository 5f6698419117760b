"""The few threads that hash and code chunks; numpy, zstd and blake3 let go of the interpreter lock meanwhile."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from itertools import chain, islice
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

T = TypeVar("T")
R = TypeVar("R")

WORKERS = min(8, os.cpu_count() or 1)
AHEAD = 2 * WORKERS
_local = threading.local()
_KEPT = 1 << 20  # larger requests (from foreign payloads) are not kept


def pool() -> ThreadPoolExecutor:
    """This process's pool. A forked child has none of its parent's threads, so each process makes its own."""
    return _pool_of(os.getpid())


@cache
def _pool_of(process: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(WORKERS, thread_name_prefix=f"lepton-tensors-{process}")


def in_order(function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """`map` over threads, with at most `AHEAD` items taken and not yet given back, so that memory stays bounded.

    `items` is drawn in the caller's thread. When the caller stops early or an item fails, what has begun is waited
    for, so nothing of it runs on behind the caller's back. An item alone is worked on by the caller's own thread, for
    to hand it to another takes longer than a small one does.
    """
    items = iter(items)
    if not (ahead := list(islice(items, 2)))[1:]:
        yield from map(function, ahead)
        return
    begun: deque[Future[R]] = deque()
    threads = pool()
    try:
        for item in chain(ahead, items):
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


def scratch(slot: int, kind: np.dtype[Any], count: int) -> npt.NDArray[Any]:
    """An array of `count` elements with arbitrary content, valid until this thread asks for the same slot again."""
    size = count * kind.itemsize
    if size > _KEPT:
        return np.empty(count, kind)
    kept: dict[int, npt.NDArray[np.uint8]] | None = getattr(_local, "kept", None)
    if kept is None:
        kept = _local.kept = {}
    buffer = kept.get(slot)
    if buffer is None or buffer.nbytes < size:
        buffer = kept[slot] = np.empty(max(size, _KEPT // 2), np.uint8)
    return buffer[:size].view(kind)
