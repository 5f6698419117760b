"""The shapes of what judges versions: gates, suites, perturbed rows."""

from __future__ import annotations

from typing import Final

from .figures import METRICS, ROWS
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
