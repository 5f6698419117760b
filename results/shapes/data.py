"""The shapes of named data."""

from __future__ import annotations

from typing import Final

from .shape import Shape

COLUMN: Final[Shape] = {
    "name": "text",
    "type": "text",
    "missing": "number",
    "distinct": "number",
    "about": "true or false",
    "identifies": "true or false",
    "quantiles": [["number", "any"]],
    "levels?": {"NAME": "number"},
    "other": "number",
}
DATA: Final[Shape] = {
    "name": "text",
    "version": "number",
    "versions": "number",
    "digest": "digest",
    "rows": "number",
    "columns": [COLUMN],
    "labels?": COLUMN,
    "kept": "digest?",
    "bytes": "number",
    "source": "text?",
    "message": "text",
    "actor": "text",
    "named": "time",
    "seq": "number",
}
DRIFT: Final[Shape] = {
    "before": "text",
    "after": "text",
    "rows_before": "number",
    "rows_after": "number",
    "columns": [
        {
            "name": "text",
            "psi": "number?",
            "test": "text?",
            "statistic": "number?",
            "p": "number?",
            "missing_before": "number",
            "missing_after": "number",
            "level": "number",
        }
    ],
    "only_before": ["text"],
    "only_after": ["text"],
    "other_type": ["text"],
    "identifying": ["text"],
    "basis": "text",
    "reason": "text",
    "level": "number",
}
DATA_SETS: Final[Shape] = {"data_sets": [DATA]}
SENT: Final[Shape] = {
    "rows": "text",
    "count": "number",
    "columns": [{"name": "text", "type": "text"}],
    "bytes": "number",
    "digest": "digest",
    "expires": "time",
}
"""Rows that were sent: the id that they go by, what they hold, and until when they are kept."""
