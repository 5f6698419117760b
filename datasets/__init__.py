"""Rows to learn from: read from files and buckets, described by columns, told apart by a fingerprint.

It imports tensors, addresses, settings and errors; never the ledger. Begin at `read.py`.
`split` is public.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .splits.split import split

__all__ = ["split"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .splits.split import split

    return split


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
