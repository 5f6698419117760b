"""The shapes of the model library."""

from __future__ import annotations

from typing import Final

from .shape import Shape

HYPERPARAMETER: Final[Shape] = {
    "name": "text",
    "default": "any",
    "required": "true or false",
    "schema": {"NAME": "any"},
    "search?": {"name": "text", "attributes": {"NAME": "any"}},
}
ENTRY: Final[Shape] = {
    "name": "text",
    "python": "text",
    "tasks": ["text"],
    "reads": "text",
    "size": "text",
    "sources": {"NAME": "text"},
    "licence": "text",
    "good_at": "text",
    "not_for": "text",
    "extra": "text",
    "packages": ["text"],
    "missing": ["text"],
    "hyperparameters": [HYPERPARAMETER],
}
LIBRARY: Final[Shape] = {"library": [ENTRY]}
