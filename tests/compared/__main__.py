"""`make builds`: each question answered by all, with one budget; docs/builds.md has all that were measured here.

QUESTIONS="credit risk" asks only those, BUDGET is in seconds, AUTOGLUON names the Python of an environment that has it.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from lepton_ai.evaluation.contests.contest import paired_test
from lepton_ai.evaluation.intervals import bootstrap
from lepton_ai.evaluation.outcomes import Outcomes
from lepton_ai.evaluation.predictions import outcomes_of_predictions
from lepton_ai.evaluation.resampling import Sampling

from .contenders import Answered, by_autogluon, by_build, by_optuna
from .page import PAGE, page
from .questions import QUESTIONS, Question, Rows, split

KEPT: Final = Path(".fields") / "builds"
"""What was measured, a file a question."""


class Beside(NamedTuple):
    """A contender's figure, and by how much the build's is more."""

    figure: float
    seconds: float
    words: str
    difference: float
    low: float | None
    high: float | None


class Line(NamedTuple):
    """A question's line of the page."""

    rows: int
    ours: float
    seconds: float
    words: str
    optuna: Beside
    autogluon: Beside | None


def asked(question: Question, budget: float, python: str | None) -> Line:
    """Have all answer a question, one after another."""
    rows = question.rows()
    learn, held = split(question, rows)
    known = Rows(rows.columns.iloc[learn], rows.labels[learn], None if rows.groups is None else rows.groups[learn])
    others = rows.columns.iloc[held]
    sampling = Sampling() if rows.groups is None else Sampling(np.unique(rows.groups[held], return_inverse=True)[1])

    def outcomes(said: Answered) -> Outcomes:
        classes = (0, 1) if question.task == "binary" else None
        return outcomes_of_predictions(question.task, rows.labels[held], said.called, said.chances, classes, sampling)

    def beside(said: Answered) -> Beside:
        test = paired_test(question.figure, outcomes(said), outcomes(ours))
        return Beside(_figure(question, outcomes(said)), said.seconds, said.words, test.difference, test.low, test.high)

    ours = by_build(question, known, others, budget)
    optuna = by_optuna(question, known, others, budget)
    autogluon = None if python is None else by_autogluon(question, known, others, budget, python)
    figure = _figure(question, outcomes(ours))
    return Line(
        len(held), figure, ours.seconds, ours.words, beside(optuna), None if autogluon is None else beside(autogluon)
    )


def _figure(question: Question, outcomes: Outcomes) -> float:
    return bootstrap(outcomes.measure, outcomes.scheme, draws=1).figures[question.figure]


def main() -> int:
    """Ask, keep what was measured, and write the page."""
    chosen = os.environ.get("QUESTIONS", "").split() or list(QUESTIONS)
    if unknown := [name for name in chosen if name not in QUESTIONS]:
        print(f"there is no question {unknown[0]!r}; there are {', '.join(QUESTIONS)}", file=sys.stderr)
        return 2
    budget = float(os.environ.get("BUDGET", "60"))
    KEPT.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    for name in chosen:
        line = asked(QUESTIONS[name], budget, os.environ.get("AUTOGLUON"))
        (KEPT / f"{name}.json").write_text(json.dumps({"budget": budget} | _told(line)))
        print(name, line, flush=True)
    kept = {name: json.loads(path.read_text()) for name in QUESTIONS if (path := KEPT / f"{name}.json").exists()}
    PAGE.write_text(page(kept))
    return 0


def _told(line: Line) -> dict[str, Any]:
    told = line._asdict()
    told["optuna"] = line.optuna._asdict()
    told["autogluon"] = None if line.autogluon is None else line.autogluon._asdict()
    return told


if __name__ == "__main__":
    sys.exit(main())
