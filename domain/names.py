"""The grammar of names: models, branches, tags, aliases, metrics and notes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast
from unicodedata import is_normalized

from ..errors import Malformed
from ..events.clock import in_calendar
from .plain import plain_text, same, scalar, whole

NAME = re.compile(r"[A-Za-z][A-Za-z0-9._/-]{0,199}", re.ASCII)
"""Branches, tags and aliases: one name space a model."""

_MODEL = re.compile(r"[^\W\d_][\w.-]*(/\w[\w.-]*)*")
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
_FILE = re.compile(r"[^\\\x00-\x1f\x7f]{1,200}")
_KEY = re.compile(r"[^\W\d]\w*([./: -]\w+)*")


def checked_model(name: str) -> str:
    """The name of a model, or `Malformed`: letters of any script first, then letters, digits and ``._-/``.

    It holds no `..`, which is a range of revisions, and is composed (Unicode NFC), so that one name has one spelling.
    """
    fits = len(name) <= 200 and _MODEL.fullmatch(name) and ".." not in name and not name.endswith(".")
    if not fits or not is_normalized("NFC", name):
        raise Malformed(f"{name!r} cannot name a model; begin with a letter, go on with letters, digits or ._-/")
    return name


def checked_run(name: str) -> str:
    """The id of a run, or `Malformed`: letters, digits and ``._-`` of ASCII, for it names a stream."""
    if not _RUN.fullmatch(name):
        raise Malformed(f"{name!r} cannot name a run; begin with a letter or digit, go on with those or ._-")
    return name


def checked_file(name: str) -> str:
    """The name of a file of a version, or `Malformed`: a relative path with `/`, which leads nowhere else."""
    if not _FILE.fullmatch(name) or {"", ".", ".."}.intersection(name.split("/")):
        raise Malformed(f"{name!r} cannot name a file of a version; write a relative path with /, without . and ..")
    return plain_text(name, "a file's name")


def checked_name(name: str, kind: str) -> str:
    """The name of a branch, tag or alias, or `Malformed`."""
    if not NAME.fullmatch(name) or name.endswith(("/", ".")) or ".." in name or "//" in name:
        raise Malformed(f"{name!r} cannot name a {kind}; begin with a letter, go on with letters, digits or ._-/")
    return name


def checked_metrics(metrics: Mapping[str, float]) -> dict[str, float]:
    """Metrics of a version: known names to finite numbers, or `Malformed`."""
    return {checked_key(name, "metric"): _finite(name, value) for name, value in metrics.items()}


def changed_notes(notes: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Those notes that say something new, None taking one off; `Malformed` where one has no name or form of a note."""
    notes = {name: scalar(value) for name, value in notes.items()}
    for name, value in notes.items():
        checked_key(name, "note")
        if isinstance(value, str):
            plain_text(value, f"note {name!r}")
        elif not isinstance(value, int | float | None) or (isinstance(value, float) and not math.isfinite(value)):
            what = value if isinstance(value, float) else f"a {type(value).__name__}"
            raise Malformed(f"note {name!r} is {what}; notes are text, finite numbers, true, false or null")
        elif isinstance(value, int):
            whole(value, f"note {name!r}")
    return {name: value for name, value in notes.items() if not same(known.get(name), value)}


def checked_times(*times: datetime) -> None:
    """Hold that every clock and every column can tell these times, or raise `Malformed`."""
    for each in times:
        try:
            in_calendar(each)
        except ValueError as error:
            raise Malformed(
                f"{each.isoformat()} cannot be kept as a time ({error}); write one of this calendar"
            ) from None


def checked_key(name: object, kind: str) -> str:
    """The name of a metric or note, or `Malformed`."""
    if not isinstance(name, str) or len(name) > 200 or not _KEY.fullmatch(name):
        raise Malformed(f"{name!r} cannot name a {kind}; begin with a letter, go on with letters, digits or ._/:-")
    return name


def _finite(name: str, value: object) -> float:
    try:
        number = math.nan if isinstance(value, str) else float(cast(float, value))
    except (TypeError, ValueError, OverflowError, RuntimeError):  # the last is torch's, for several numbers
        number = math.nan
    if not math.isfinite(number):
        raise Malformed(f"metric {name!r} is {value!r}; a version's metrics are finite numbers (a run may log others)")
    return number
