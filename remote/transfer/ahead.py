"""Reading ahead: what is read from front to back comes in large blocks, the next ones while the last is worked on."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import numpy as np

BLOCK: Final = 8 << 20
"""Bytes of a block: enough to outweigh a request, and few enough to be held by the dozen."""
AHEAD: Final = 2
"""Blocks read ahead of each stream."""


class ReadAhead:
    """Bytes of one object, of which some `streams` are read from front to back at once. Any thread may use it."""

    def __init__(self, read: Callable[[int, int], memoryview], size: int, streams: int) -> None:
        self._read = read
        self._size = size
        self._most = streams * (AHEAD + 2)
        self._blocks: OrderedDict[int, Future[memoryview]] = OrderedDict()
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(AHEAD, "lepton-read")

    def get(self, offset: int, length: int) -> memoryview:
        """Bytes from a place on; raises what reading them does."""
        first, last = offset // BLOCK, max(offset, offset + length - 1) // BLOCK
        blocks = self._begun(range(first, last + 1))
        if len(blocks) == 1:
            return blocks[0].result()[offset - first * BLOCK : offset - first * BLOCK + length]
        into = np.empty(length, np.uint8).data
        for number, block in enumerate(blocks, first):
            start, stop = max(offset, number * BLOCK), min(offset + length, (number + 1) * BLOCK)
            into[start - offset : stop - offset] = block.result()[start - number * BLOCK : stop - number * BLOCK]
        return into

    def _begun(self, numbers: range) -> list[Future[memoryview]]:
        """The blocks of these numbers, and those behind them begun; what was longest unused is let go."""
        with self._lock:
            for number in range(numbers.start, min(numbers.stop + AHEAD, -(-self._size // BLOCK))):
                if number not in self._blocks:
                    self._blocks[number] = self._threads.submit(self._block, number)
                self._blocks.move_to_end(number)
            wanted = [self._blocks[number] for number in numbers]
            while len(self._blocks) > max(self._most, len(wanted) + AHEAD):
                self._blocks.popitem(last=False)
            return wanted

    def _block(self, number: int) -> memoryview:
        return self._read(number * BLOCK, min(BLOCK, self._size - number * BLOCK))
