"""The shapes of figures: metrics, the rows they are of, paired tests."""

from __future__ import annotations

from typing import Final

from .shape import Shape

METRICS: Final[Shape] = {"NAME": "number"}
ROWS: Final[Shape] = {"digest": "text", "rows": "number?"}
"""The rows that figures were measured on."""
BETTER: Final[Shape] = {"NAME": "text"}
"""Which way metrics are better."""
TEST: Final[Shape] = {
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
CONTEST: Final[Shape] = {
    "version": "number",
    "against": "number",
    "test": TEST,
    "better": "text",
    "p": "number",
    "verdict": "text",
    "effect": "text?",
}
"""A version against another."""
