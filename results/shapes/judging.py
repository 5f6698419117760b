"""The shapes of what judges versions: gates, suites, perturbed rows."""

from __future__ import annotations

from typing import Final

from .figures import METRICS, ROWS
from .names import VERSION
from .shape import Shape

REQUIREMENT: Final[Shape] = {
    "text": "text",
    "holds": "true or false?",
    "numbers": {"NAME": "number?"},
    "compared": [
        {"text": "text", "operator": "text", "left": "number?", "right": "number?", "holds": "true or false?"}
    ],
    "words": "text",
}
GATE: Final[Shape] = {
    "model": "text",
    "version": "number",
    "against": "number?",
    "parent": "number?",
    "name": "text",
    "requirements": [REQUIREMENT],
    "rows": ["text"],
    "passed": "true or false",
    "seq": "number",
    "suite": "text?",
}
VERDICT: Final[Shape] = {
    "model": "text",
    "version": "number",
    "status": "text",
    "passed": "true or false?",
    "metrics": METRICS,
    "gate": "number?",
    "job": "text?",
    "words": "text",
}
SUITE: Final[Shape] = {
    "suite": "text",
    "version": "number",
    "versions": "number",
    "model": "text?",
    "branch": "text?",
    "data": ROWS,
    "named": "text",
    "source": "text?",
    "label": "text",
    "evaluation": "text",
    "metrics": ["text"],
    "requirements": ["text"],
    "against": "text?",
    "task": "text?",
    "report": {"NAME": "any"},
    "pool": "text",
    "message": "text",
    "actor": "text",
    "defined": "time",
    "retired": "time?",
    "seq": "number",
    "verdicts": [VERDICT],
}
SUITE_RUN: Final[Shape] = {
    "suite": "text",
    "suite_version": "number",
    "model": "text",
    "version": "number",
    "metrics": METRICS,
    "gate?": GATE,
    "passed": "true or false",
}
ROBUSTNESS: Final[Shape] = {
    "task": "text",
    "figure": "text",
    "better": "text",
    "clean": "number",
    "n": "number",
    "draws": "number",
    "level": "number",
    "seed": "number",
    "trials": [
        {
            "kind": "text",
            "severity": "number",
            "column": "text?",
            "value": "number?",
            "difference": "number?",
            "low": "number?",
            "high": "number?",
            "p": "number?",
            "worse": "true or false",
            "refused": "text?",
        }
    ],
}
PERFORMANCE: Final[Shape] = {"...": "any"}
"""The figures of a task, each by its name."""
EVALUATION: Final[Shape] = {"version": "number", "name": "text", "performance": PERFORMANCE, "task": "text"}
"""The evaluation of a version, as it was recorded."""
JUDGED: Final[Shape] = {
    "evaluations": [
        {
            "name": "text",
            "task": "text?",
            "rows?": ROWS,
            "figures": METRICS,
            "learnt": "true or false",
            "report": "true or false",
        }
    ]
}
"""What a version was judged on."""
_GROUPS: Final[Shape] = {
    "groups": [
        {
            "group": "text",
            "rows": "number",
            "base_rate": "number",
            "selection_rate": "number",
            "true_positive_rate": "number?",
            "false_positive_rate": "number?",
            "precision": "number?",
        }
    ],
    "gaps": [{"name": "text", "value": "number?", "low": "number?", "high": "number?", "p": "number?"}],
    "level": "number",
    "draws": "number",
}
REPORT: Final[Shape] = {
    "task": "text",
    "performance": PERFORMANCE,
    "intervals": {"NAME": {"low": "number", "high": "number", "level": "number"}},
    "method": "text",
    "draws": "number",
    "seed": "number",
    "curves": {"NAME": {"x": ["number"], "y": ["number"]}},
    "confusion?": {"classes": ["text"], "counts": [["number"]]},
    "calibration?": {
        "bins": [
            {
                "low": "number",
                "high": "number",
                "rows": "number",
                "probability": "number",
                "frequency": "number",
                "least": "number",
                "most": "number",
            }
        ],
        "ece": "number",
        "noise": "number",
    },
    "costs?": {"thresholds": ["number"], "costs": ["number"]},
    "slices": [{"condition": "text", "rows": "number", "loss": "number", "others": "number", "p": "number"}],
    "fairness": {"NAME": _GROUPS},
    "by_class": {"NAME": {"classes": ["text"], "values": ["number?"], "rows": ["number"]}},
    "series?": {
        "places": ["number"],
        "truth": ["number"],
        "forecast": ["number"],
        "low?": ["number"],
        "high?": ["number"],
    },
    "own": METRICS,
}
"""What an evaluation says of a model."""
CARD: Final[Shape] = {"version": VERSION, "language": "text", "metadata": {"NAME": "any"}, "markdown": "text"}
"""A model card: what its front matter says, and the whole text."""
SUITES: Final[Shape] = {"suites": [SUITE]}
