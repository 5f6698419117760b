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
NAME: Final[Shape] = {"name": "text"} | VERSION | {"last_move": "number"}
"""A name with the version that it stands on, and the seq of its last move."""
BRANCHES: Final[Shape] = {"branches": {"NAME": NAME}}
TAGS: Final[Shape] = {"tags": {"NAME": NAME}}
ALIASES: Final[Shape] = {"aliases": {"NAME": NAME}}
PROTECTED: Final[Shape] = {"protected": {"NAME": PROTECTION}}
