"""The grammar of names: models, branches, tags, aliases, metrics and notes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from ..errors import Malformed

NAME = re.compile(r"[A-Za-z][A-Za-z0-9._/-]{0,199}", re.ASCII)
"""Branches, tags and aliases: one name space a model."""

_MODEL = re.compile(r"[^\W\d_][\w.-]*(/[\w.-]+)*")
_KEY = re.compile(r"[^\W\d]\w*([./: -]\w+)*")


def checked_model(name: str) -> str:
    """The name of a model, or `Malformed`: letters of any script first, then letters, digits and ``._-/``."""
    if len(name) > 200 or not _MODEL.fullmatch(name):
        raise Malformed(f"{name!r} cannot name a model; begin with a letter, go on with letters, digits or ._-/")
    return name


def checked_name(name: str, kind: str) -> str:
    """The name of a branch, tag or alias, or `Malformed`."""
    if not NAME.fullmatch(name) or name.endswith(("/", ".")) or ".." in name or "//" in name:
        raise Malformed(f"{name!r} cannot name a {kind}; begin with a letter, go on with letters, digits or ._-/")
    return name


def checked_metrics(metrics: Mapping[str, float]) -> dict[str, float]:
    """Metrics of a version: known names to finite numbers, or `Malformed`."""
    for name, value in metrics.items():
        checked_key(name, "metric")
        if not math.isfinite(value):
            raise Malformed(
                f"metric {name!r} is {value}; a version's metrics are finite numbers (a run may log others)"
            )
    return {name: float(value) for name, value in metrics.items()}


def checked_key(name: str, kind: str) -> str:
    """The name of a metric or note, or `Malformed`."""
    if len(name) > 200 or not _KEY.fullmatch(name):
        raise Malformed(f"{name!r} cannot name a {kind}; begin with a letter, go on with letters, digits or ._/:-")
    return name
