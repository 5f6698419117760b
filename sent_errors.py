"""Errors as one process sends them to another, which raises the same kind with the same sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, cast

from . import errors
from .errors import Damaged, LeptonError, NotAsSigned

_APART: Final = frozenset({"python", "cli", "kept", "__notes__"})
"""What an error carries that is no field of its kind: it is sent beside them, within the sentence, or not at all."""


def told(error: LeptonError) -> dict[str, Any]:
    """An error as it is sent."""
    if isinstance(error, Damaged) and not isinstance(error, NotAsSigned):
        return {"error": "Damaged", "thing": error.thing, "expected": error.expected, "found": error.found}
    advice = {"python": error.python, "cli": error.cli}  # the asker may read it at another door
    fields = {name: value for name, value in vars(error).items() if name not in _APART}
    fields = json.loads(json.dumps(fields, default=str))
    return {"error": type(error).__name__, "message": error.fact, "fields": fields, **advice}


def raised(told: Mapping[str, Any]) -> LeptonError:
    """The error that was sent."""
    if told["error"] == "Damaged":
        return Damaged(told["thing"], expected=told["expected"], found=told["found"])
    kind = getattr(errors, told["error"], errors.Refused)
    error = kind.__new__(kind, told["message"])
    LeptonError.__init__(error, told["message"], python=told.get("python", ""), cli=told.get("cli", ""))
    for name, value in told.get("fields", {}).items():
        setattr(error, name, tuple(cast("list[Any]", value)) if isinstance(value, list) else value)
    return error
