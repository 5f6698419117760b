"""The shapes of what happened: a log, what a version recorded, a model, an event."""

from __future__ import annotations

from typing import Final

from .figures import BETTER, METRICS, ROWS
from .names import VERSION
from .shape import Shape

ENTRY: Final[Shape] = {
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
EVENT: Final[Shape] = {
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
LOG: Final[Shape] = {"model": "text", "entries": [ENTRY]}
TENSOR: Final[Shape] = {"name": "text", "dtype": "text", "shape": ["number"], "bytes": "number", "digest": "digest"}
VERSION_RECORD: Final[Shape] = {
    "version": VERSION,
    "seq": "number",
    "time": "time",
    "actor": "text",
    "message": "text",
    "description": "text",
    "tags": ["text"],
    "branches": ["text"],
    "aliases": ["text"],
    "hyperparameters": {"NAME": "any"},
    "architecture": {"NAME": "any"},
    "settings": {"NAME": "any"},
    "data": "any",
    "derivation": "any",
    "environment": {"NAME": "any"},
    "code": {"NAME": "any"},
    "metrics": METRICS,
    "rows": {"NAME": ROWS},
    "logged": METRICS,
    "annotations": {"NAME": "any"},
    "files": [{"name": "text", "digest": "digest", "bytes": "number"}],
    "tensors": [TENSOR],
    "parameters": "number",
    "bytes": "number",
    "keyframe": "true or false",
    "delta": "any",
    "run": "text?",
    "protected": {"NAME": ["text"]},
    "suites": {"NAME": "true or false"},
}
"""All that a version recorded."""
SUMMARY: Final[Shape] = VERSION | {
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
VERSIONS: Final[Shape] = {"model": "text", "versions": [SUMMARY]}
MODEL: Final[Shape] = {
    "model": "text",
    "description": "text",
    "archived": "true or false",
    "versions": "number",
    "changed": "time?",
    "branches": {"NAME": "number"},
    "tags": {"NAME": "number"},
    "aliases": {"NAME": "number"},
    "better": BETTER,
    "protected": {"NAME": ["text"]},
}
"""A model at a glance."""
MODELS: Final[Shape] = {"models": [MODEL]}
EVENTS: Final[Shape] = {"events": [EVENT]}
