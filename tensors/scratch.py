"""Memory that each thread keeps for its chunks: fresh arrays of half a megabyte cost more than the arithmetic."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import numpy.typing as npt

_local = threading.local()
_KEPT = 1 << 20  # larger requests (from foreign payloads) are not kept


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
