"""What a process of a pool does that is to raise an error: it imports nothing, where test_errors.py imports all."""

from __future__ import annotations


def raise_it(error: Exception) -> None:
    """Raise the error."""
    raise error
