"""The shapes of versions beside each other, of what to take and of rollbacks."""

from __future__ import annotations

from typing import Final

from .figures import CONTEST, METRICS, ROWS, TEST
from .names import VERSION
from .shape import Shape

CHANGES: Final[Shape] = {"NAME": ["any", "any"]}
"""Before and after."""
DIFF: Final[Shape] = {
    "before": VERSION,
    "after": VERSION,
    **dict.fromkeys(
        ("hyperparameters", "architecture", "settings", "data", "environment", "code", "files", "metrics"), CHANGES
    ),
    "other_rows": ["text"],
    "tensors": [
        {
            "name": "text",
            "status": "text",
            "changed": "number?",
            "l2": "number?",
            "relative": "number?",
            "cosine": "number?",
            "max_abs": "number?",
        }
    ],
    "same": {"NAME": ["text"]},
    "test?": TEST,
}
COMPARISON: Final[Shape] = {
    "model": "text",
    "metric": "text?",
    "on?": ROWS,
    "versions": [{"version": VERSION, "metrics": METRICS, "rows": {"NAME": ROWS}, "hyperparameters": {"NAME": "any"}}],
    "words": "text",
    "better": {"NAME": "text"},
    "tests": [CONTEST],
    "untested": ["number"],
    "why": "text",
}
SUGGESTION: Final[Shape] = {
    "model": "text",
    "branch": "text",
    "metric": "text?",
    "rows?": ROWS,
    "candidates": [
        {
            "version": "number",
            "score": "number",
            "performance": "number?",
            "stability": "number",
            "age": "number",
            "barred": "true or false",
            "worse": "true or false?",
            "p": "number?",
            "words": "text",
        }
    ],
    "words": "text",
}
PICK: Final[Shape] = {
    "model": "text",
    "by": ["text"],
    "require": ["text"],
    "rule": "text",
    "picked": "number?",
    "front": ["number"],
    "figures": [{"version": "number", "figures": METRICS}],
    "left_out": [{"version": "number", "requirement": "text", "known": "true or false", "words": "text"}],
    "tests": [CONTEST],
    "on?": ROWS,
    "untested": "true or false",
    "why": "text",
}
REHEARSAL: Final[Shape] = {
    "model": "text",
    "from_version": "number",
    "to_version": "number",
    "metric": "text",
    "metrics_from": METRICS,
    "metrics_to": METRICS,
    "difference": METRICS,
    "worse": "true or false",
    "test?": TEST,
    "better": "text",
    "untested": "text",
    "verdict": "text?",
}
PLAN: Final[Shape] = {
    "model": "text",
    "ref": "text",
    "from_version": "number",
    "to_version": "number",
    "crossed": ["number"],
    "tensors_changed": "number",
    "bytes_changed": "number",
    "bytes_read": "number",
    "deltas": "number",
    "metrics_now": METRICS,
    "metrics_then": METRICS,
    "aliases_left_behind": ["text"],
    "aliases_taken_along": {"NAME": "number"},
    "rehearsal?": REHEARSAL,
}
DONE: Final[Shape] = {
    "model": "text",
    "ref": "text",
    "from_version": "number",
    "to_version": "number",
    "replayed": ["digest"],
    "rehearsal?": REHEARSAL,
    "moved": "true or false",
    "aliases_taken_along": {"NAME": "number"},
}
