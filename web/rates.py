"""How often each of many may do something."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Final

_MINUTE: Final = 60.0
_KNOWN: Final = 10_000


class Rate:
    """So many times a minute for each: a bucket a name, which empties within a minute."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._done: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def note(self, name: str) -> None:
        """Count one."""
        self._done[name] = (self._level(name) + 1, time.monotonic())
        self._done.move_to_end(name)
        if len(self._done) > _KNOWN:
            self._done.popitem(last=False)

    def wait(self, name: str) -> float:
        """Seconds until it may be done again; 0 for at once."""
        over = self._level(name) - self._most + 1
        return max(0.0, over * _MINUTE / self._most)

    def _level(self, name: str) -> float:
        level, since = self._done.get(name, (0.0, 0.0))
        return max(0.0, level - (time.monotonic() - since) * self._most / _MINUTE)
