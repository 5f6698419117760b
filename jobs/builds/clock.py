"""The clock of a build: one budget for the search and for the fit that is kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from ...results.work.builds import TOO_LONG
from ..studies.trials import BudgetSpent, TrialPruned

_SEARCHED: Final = 0.85
"""The share of the budget that is searched in; the rest is for the fit to all rows."""
SHARE: Final = 0.2
"""The share of the budget that one trial may take."""


@dataclass
class BuildClock:
    """Says when a search ends, and which trials would take too much of it; nothing of either before a first figure."""

    budget: float | None
    """Seconds; None where trials alone bound the build."""
    used: float
    """Seconds that earlier runs of the build took."""
    complete: Callable[[], bool]
    """Whether a trial has come to a figure."""
    begun: float = field(default_factory=time.monotonic)

    @property
    def most(self) -> float | None:
        """Seconds that one trial may take; None where nothing bounds it."""
        return None if self.budget is None else SHARE * self.budget

    def over(self) -> bool:
        """Whether the search is to end."""
        if self.budget is None or self.used + time.monotonic() - self.begun < _SEARCHED * self.budget:
            return False
        return self.complete()

    def check(self, seconds: float) -> None:
        """Raise `TrialPruned` for a trial that takes so many seconds where that is too long, `BudgetSpent` where the
        search is to end."""
        if self.over():
            raise BudgetSpent
        if self.most is not None and seconds > self.most and self.complete():
            raise TrialPruned(TOO_LONG)
