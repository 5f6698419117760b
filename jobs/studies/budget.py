"""How long a search may take, and how many trials it has: as callers say it."""

from __future__ import annotations

import math
import re
from typing import Final

from ...errors import Malformed

USUAL: Final = 50
"""Trials of a search that is bounded by neither."""
MOST_TRIALS: Final = 100_000
_SPAN: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def checked_trials(trials: int | None, budget: float | None) -> int | None:
    """How many trials a search has; None where its time alone bounds it. Raises `Malformed`."""
    if trials is None:
        return USUAL if budget is None else None
    if isinstance(trials, bool) or not isinstance(trials, int) or not 0 < trials <= MOST_TRIALS:  # pyright: ignore
        raise Malformed(f"a search has 1 to {MOST_TRIALS:,} trials, not {trials!r}")
    return trials


def checked_budget(budget: float | str | None) -> float | None:
    """Seconds that a search may take: a number of them, or a text such as 90s, 10m or 2h. Raises `Malformed`."""
    if budget is None:
        return None
    seconds = _seconds(budget) if isinstance(budget, str) else budget
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not math.isfinite(seconds) or seconds <= 0:  # pyright: ignore
        raise Malformed(f"the budget of a search is {budget!r}; give a time above 0, such as 90s, 10m or 2h")
    return float(seconds)


def checked_workers(workers: int) -> int:
    """How many trials are done at a time by jobs; 0 in this process. Raises `Malformed`."""
    if isinstance(workers, bool) or not isinstance(workers, int) or not 0 <= workers <= 1000:  # pyright: ignore
        raise Malformed(f"a search has 0 to 1,000 workers, not {workers!r}; with 0 it works in this process")
    return workers


def checked_keep(keep: int) -> int:
    """How many of the best trials become versions. Raises `Malformed`."""
    if isinstance(keep, bool) or not isinstance(keep, int) or not 0 <= keep <= 100:  # pyright: ignore
        raise Malformed(f"a search keeps 0 to 100 of its best trials as versions, not {keep!r}")
    return keep


def _seconds(words: str) -> float | str:
    if (span := _SPAN.fullmatch(words.strip())) is None:
        return words
    return float(span[1]) * _SECONDS[span[2]]
