"""The shapes of versions, and of the names that they go by."""

from __future__ import annotations

from typing import Final

from .shape import Shape

PARENT: Final[Shape] = {"model": "text", "version": "number", "role": "text"}
VERSION: Final[Shape] = {
    "version": "number",
    "model": "text",
    "digest": "digest",
    "branch": "text",
    "parents": [PARENT],
}
NAMES: Final[Shape] = {"NAME": VERSION}
"""Versions by the names of a kind."""
PROTECTION: Final[Shape] = {
    "model": "text",
    "alias": "text",
    "requirements": ["text"],
    "against": "text?",
    "suite": "text?",
}
FOUND: Final[Shape] = {"versions": [VERSION]}
BRANCHES: Final[Shape] = {"branches": NAMES}
TAGS: Final[Shape] = {"tags": NAMES}
ALIASES: Final[Shape] = {"aliases": NAMES}
PROTECTED: Final[Shape] = {"protected": {"NAME": PROTECTION}}
