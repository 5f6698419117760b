"""docs/builds.md: what the builds came to, beside what others came to in the same time."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from .questions import QUESTIONS

PAGE: Final = Path(__file__).parents[2] / "docs" / "builds.md"
_NAMES: Final = {"roc_auc": "ROC AUC", "accuracy": "accuracy", "rmse": "RMSE"}
_LEAST: Final = 0.01
"""Of AUC and accuracy, and as a share of RMSE: what a build may be worse by and still hold."""


def page(lines: Mapping[str, Mapping[str, Any]]) -> str:
    """The page of what was measured."""
    budgets = sorted({line["budget"] for line in lines.values()})
    holding = [name for name, line in lines.items() if holds(name, line)]
    beside = {name: line for name, line in lines.items() if line["autogluon"] is not None}
    sides = [_side(name, line) for name, line in beside.items()]
    ahead = (
        f" Beside AutoGluon {sides.count(1)} are ahead and {sides.count(-1)} behind by the interval." if sides else ""
    )
    parts = [
        "# Builds, compared\n",
        "Made by `make builds`. Each table was split once: a quarter is held out (whole mice where rows are of mice), "
        f"and each had {' or '.join(f'{budget:.0f}' for budget in budgets)} s for the rest: `manager.build` at its "
        "defaults; logistic regression (ridge for numbers), random forest and histogram gradient boosting of "
        "scikit-learn in one search of plain Optuna, cross-validated on as many folds, and the best fitted to all "
        "rows; AutoGluon's usual preset in an environment of its own. Differences are the build's figure less the "
        "other's, with an interval of 95 % by a paired test on the same held-out rows. A build holds where that "
        "interval is not wholly on the worse side of 0.01 of AUC or accuracy, or of 1 % of RMSE.\n",
        f"Measured on {os.cpu_count()} cores, Python {platform.python_version()}; scikit-learn "
        f"{version('scikit-learn')}, Optuna {version('optuna')}, LightGBM {version('lightgbm')}, XGBoost "
        f"{version('xgboost')}. {len(holding)} of {len(lines)} hold beside Optuna's search.{ahead}\n",
        "| table, rows held out | figure | build | search by Optuna | difference | AutoGluon | difference | |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    parts += [_line(name, line) for name, line in lines.items()]
    missed = [name for name in lines if name not in holding]
    parts += ["", *(f"- {QUESTIONS[name].title}: {QUESTIONS[name].miss or 'below'}." for name in missed)]
    return "\n".join(parts).rstrip() + "\n"


def holds(name: str, line: Mapping[str, Any], other: str = "optuna") -> bool:
    """Whether the interval of the difference is not wholly worse than what is let pass."""
    beside, lower = line[other], QUESTIONS[name].figure == "rmse"
    ends = [each for each in (beside["low"], beside["high"]) if each is not None] or [beside["difference"]]
    if lower:
        return min(ends) <= _LEAST * beside["figure"]
    return max(ends) >= -_LEAST


def _side(name: str, line: Mapping[str, Any]) -> int:
    """1 where the build is ahead of AutoGluon by the interval, -1 where it is behind, else 0."""
    turned = -1 if QUESTIONS[name].figure == "rmse" else 1
    ends = [turned * each for each in (line["autogluon"]["low"], line["autogluon"]["high"]) if each is not None]
    return 0 if not ends else 1 if min(ends) > 0 else -1 if max(ends) < 0 else 0


def _line(name: str, line: Mapping[str, Any]) -> str:
    question = QUESTIONS[name]
    cells = [f"{question.title}; {line['rows']:,}", _NAMES[question.figure]]
    cells += [f"**{line['ours']:.4g}** {line['words']}, {line['seconds']:.0f} s"]
    for other in ("optuna", "autogluon"):
        beside = line[other]
        if beside is None:
            cells += ["", ""]
            continue
        ends = "" if beside["low"] is None else f" ({beside['low']:+.4f} to {beside['high']:+.4f})"
        cells += [f"{beside['figure']:.4g} {beside['words']}, {beside['seconds']:.0f} s"]
        cells += [f"{beside['difference']:+.4f}{ends}"]
    return f"| {' | '.join(cells)} | {'holds' if holds(name, line) else 'below'} |"
