"""Digests as they are written: "blake3:" and 64 hex digits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from blake3 import blake3

if TYPE_CHECKING:
    from .tensor import Bytes

_PATTERN = re.compile(r"blake3:[0-9a-f]{64}")


def digest_of(data: bytes | memoryview | Bytes) -> str:
    """The BLAKE3 digest of contiguous bytes. Lets go of the interpreter lock, so threads hash in parallel."""
    view = data if isinstance(data, bytes | memoryview) else data.data
    return f"blake3:{blake3(view).hexdigest()}"


def named(hasher: blake3) -> str:
    """The digest that a running hasher has reached."""
    return f"blake3:{hasher.hexdigest()}"


def is_digest(text: str) -> bool:
    """Whether the text is a digest as Lepton writes it."""
    return _PATTERN.fullmatch(text) is not None
