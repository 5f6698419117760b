"""The shapes that several commands' `--json` share."""

from __future__ import annotations

from typing import Any, Final

PARENT: Final = {"model": "text", "version": "number", "role": "text"}
VERSION: Final[dict[str, Any]] = {
    "version": "number",
    "model": "text",
    "digest": "digest",
    "branch": "text",
    "parents": [PARENT],
}
METRICS: Final = {"NAME": "number"}
ROWS: Final = {"digest": "text", "rows": "number?"}
"""The rows that figures were measured on."""
TEST: Final = {
    "test": "text",
    "figure": "text",
    "difference": "number",
    "low": "number?",
    "high": "number?",
    "p": "number",
    "n": "number",
    "level": "number",
    "effect?": {"measure": "text", "value": "number"},
}
"""A paired test of two versions."""
CONTEST: Final = {
    "version": "number",
    "against": "number",
    "test": TEST,
    "better": "text",
    "p": "number",
    "verdict": "text",
    "effect": "text?",
}
"""A version against another."""
CHANGES: Final = {"NAME": ["any", "any"]}
"""Before and after."""
ENTRY: Final[dict[str, Any]] = {
    "seq": "number",
    "time": "time",
    "kind": "text",
    "actor": "text",
    "message": "text",
    "version": "number?",
    "from_version": "number?",
    "ref": "text",
    "parents": ["number"],
    "other_parents": ["text"],
    "tags": ["text"],
    "branches": ["text"],
    "aliases": ["text"],
    "metrics": METRICS,
}
SUMMARY: Final[dict[str, Any]] = VERSION | {
    "seq": "number",
    "time": "time",
    "actor": "text",
    "message": "text",
    "tags": ["text"],
    "branches": ["text"],
    "aliases": ["text"],
    "metrics": METRICS,
}
"""A version at a glance."""
EVENT: Final[dict[str, Any]] = {
    "specversion": "text",
    "id": "text",
    "source": "text",
    "type": "text",
    "subject": "text",
    "time": "time",
    "sequence": "text",
    "recordedtime": "time",
    "data": {"NAME": "any"},
    "...": "any",
}
"""A CloudEvent."""

JOB: Final[dict[str, Any]] = {
    "job": "text",
    "kind": "text",
    "model": "text",
    "status": "text",
    "epoch": "number",
    "pool": "text",
    "submitted": "time",
    "changed": "time",
    "message": "text",
    "version": "number?",
    "figures": {"NAME": "any"},
    "error": "text?",
    "reason": "text",
    "step": "number?",
    "warnings": "number",
    "lost_points": "number",
    "warning": "text",
    "remarks": ["text"],
}
