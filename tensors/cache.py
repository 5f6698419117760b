"""The chunks of the version saved last, held in memory up to a bound, so that the next save need not make them again.

What is held stands for what is stored only while the packs behind it are the files that were read and written then:
their stamps are compared before it is used. A save takes all that is held and gives back what came of it, so that two
saves at once share nothing: the second finds nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Hashable, Mapping
from typing import Final, TypeAlias

import numpy as np

from .tensor import Bytes
from .threads import WORKERS

HELD: Final = WORKERS * (36 << 20)
"""Bytes held at most: a part of the 64 MB a thread that saving may take."""

Stamps: TypeAlias = Mapping[str, Hashable]
"""What tells a pack's file from any other, by key; None where its store cannot tell."""


class HeldChunks:
    """What one save holds: it takes bases out and puts what became of them in their place. Any thread may use it."""

    def __init__(self, chunks: Mapping[str, Bytes], packs: Stamps) -> None:
        self.chunks = dict(chunks)
        self.packs = dict(packs)
        self._room = HELD - sum(chunk.nbytes for chunk in chunks.values())
        self._lock = threading.Lock()

    def take(self, digest: str) -> Bytes | None:
        """A chunk's bytes, for whoever took them alone, until they are given to `put`."""
        with self._lock:
            return self.chunks.pop(digest, None)

    def put(self, digest: str, chunk: Bytes, over: Bytes | None = None) -> None:
        """Hold a copy of a chunk where there is room, or in the memory of one of its length that was taken."""
        with self._lock:
            if digest in self.chunks:
                self._room += 0 if over is None else over.nbytes
                return
            if over is None:
                if chunk.nbytes > self._room:
                    return
                self._room -= chunk.nbytes
        held = np.empty_like(chunk) if over is None else over
        held[:] = chunk
        with self._lock:
            if digest in self.chunks:  # another thread held it meanwhile
                self._room += held.nbytes
            else:
                self.chunks[digest] = held


class ChunkCache:
    """What is held between saves. Any thread may use it."""

    def __init__(self) -> None:
        self._held = HeldChunks({}, {})
        self._lock = threading.Lock()

    def taken(self, wanted: Collection[str], packs: Stamps) -> HeldChunks:
        """What is held of these chunks, if the packs behind them are the files that they were; else nothing."""
        with self._lock:
            held, self._held = self._held, HeldChunks({}, {})
        same = all(stamp is not None and held.packs.get(pack) == stamp for pack, stamp in packs.items())
        return HeldChunks(
            {digest: held.chunks[digest] for digest in wanted if digest in held.chunks} if same else {}, packs
        )

    def give_back(self, held: HeldChunks) -> None:
        """Hold what came of a save for the next one."""
        with self._lock:
            self._held = held
