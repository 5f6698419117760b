"""How many examples a property is tried on: `make fuzz` has each tried on twenty times as many."""

from __future__ import annotations

from hypothesis import settings


def examples(usually: int) -> int:
    """So many of the usual profile, which has a hundred where nothing is said; of another in proportion."""
    return max(1, usually * settings().max_examples // 100)
