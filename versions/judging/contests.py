"""Contests: versions set against one of them on the same rows, with p corrected for how many are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ...domain.model.metric import Better
from ...domain.model.state import ModelState
from ...errors import Refused
from ...evaluation.contests.contest import paired_test
from ...evaluation.intervals import DRAWS, LEVEL, checked_terms
from ...evaluation.outcomes import Outcomes
from ...evaluation.paired import holm
from ...results import Contest, PairedTest
from ..workspace import Workspace

FEWEST: Final = 100
"""Draws that a bootstrap of a difference takes at least."""


@dataclass(frozen=True, slots=True)
class TestTerms:
    """How versions are tested."""

    draws: int = DRAWS
    seed: int = 0
    level: float = LEVEL

    def __post_init__(self) -> None:
        terms = checked_terms(self.draws, self.level, self.seed, least=FEWEST)
        for name, value in zip(("draws", "level", "seed"), terms, strict=True):
            object.__setattr__(self, name, value)


def contests(
    workspace: Workspace,
    model: ModelState,
    figure: str,
    better: Better,
    sides: Mapping[int, Outcomes],
    against: int | None = None,
    terms: TestTerms | None = None,
) -> tuple[tuple[Contest, ...], str]:
    """Every other side against one of them: the first, which is the best of all, unless another is named.

    And why one was not tested, empty where all were. The best of several was chosen by these very rows, so p is
    corrected for every pair of them; against one that was named before, for those that are set against it.
    """
    chosen = next(iter(sides)) if against is None else against
    tests, why = _tests(figure, sides, chosen, terms or TestTerms())
    pairs = len(tests) * (len(tests) + 1) // 2 if against is None else len(tests)
    corrected = holm([test.p for test in tests.values()], of=pairs)
    other = workspace.version(model, chosen)
    found = (
        Contest(workspace.version(model, number), other, test, better, p)
        for (number, test), p in zip(tests.items(), corrected, strict=True)
    )
    return tuple(found), why


def _tests(
    figure: str, sides: Mapping[int, Outcomes], against: int, terms: TestTerms
) -> tuple[dict[int, PairedTest], str]:
    tests: dict[int, PairedTest] = {}
    reasons: list[str] = []
    for number, outcomes in sides.items():
        if number == against:
            continue
        try:
            tests[number] = paired_test(figure, sides[against], outcomes, terms.draws, terms.seed, terms.level)
        except Refused as refusal:
            reasons.append(str(refusal).partition(";")[0])  # without what to do about it
    return tests, next(iter(reasons), "")
