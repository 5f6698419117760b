"""How often each of many may do something, and which secrets were good lately."""

from __future__ import annotations

import hashlib
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


class LatelyGood:
    """Secrets that were good lately, by their hashes; of many the latest."""

    def __init__(self) -> None:
        self._hashes: OrderedDict[bytes, None] = OrderedDict()

    def __contains__(self, secret: str) -> bool:
        return _hash(secret) in self._hashes

    def note(self, secret: str) -> None:
        """Remember one."""
        self._hashes[(digest := _hash(secret))] = None
        self._hashes.move_to_end(digest)
        if len(self._hashes) > _KNOWN:
            self._hashes.popitem(last=False)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
