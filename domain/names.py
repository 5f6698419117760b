"""The grammar of names: models, branches, tags, aliases, metrics and notes; and what a figure may be."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar
from unicodedata import category, is_normalized, normalize
from unicodedata import name as unicode_name

from pydantic import BaseModel, ValidationError

from ..errors import Malformed, first_fault
from ..events.clock import in_calendar
from ..plain import NON_FINITE, plain_text, plain_value, same, words_of

B = TypeVar("B", bound=BaseModel)
LONGEST_LABEL: Final = 200
"""Characters of the name of a metric or note."""

LONGEST_NAME: Final = 200
"""Characters of the name of a model."""

MOST_NEEDS: Final = 100
"""Words that a job may need of a worker."""

DATA_PREFIX: Final = "data:"
"""Before a name of rows that must be one, whatever files there are."""

JOB_PREFIX: Final = "job:"
"""Before a job's id, where a version is asked for: the one that the job made."""

NAME = re.compile(r"[A-Za-z][A-Za-z0-9._/-]{0,199}", re.ASCII)
"""Branches, tags and aliases: one name space a model."""

_MODEL = re.compile(r"[^\W\d_][\w.-]*(/\w[\w.-]*)*")
_MARKED = re.compile(r"\w[^\w\s./@~^{}-]+")
"""A letter, and what may be marks on it."""
_UNSEEN = re.compile("[\u034f\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Marks that nobody sees: two names would look the same."""
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
_NEED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,299}", re.ASCII)
_FILE = re.compile(r"[^\\\x00-\x1f\x7f-\x9f]{1,200}")
_ENDING = re.compile(r"\.(csv|tsv|parquet|pq|arrow|feather|jsonl?|txt|xlsx?|gz|bz2|zst|zip)$")
"""How files of rows are called."""
_KEY = re.compile(r"[^\W\d]\w*([./: -]\w+)*")


def checked_model(name: str) -> str:
    """The name of a model, or `Malformed`: letters of any script first, then letters, digits and ``._-/``.

    Letters bear the marks that their script combines with them. The name holds no `..`, which is a range of revisions,
    and is composed (Unicode NFC), so that one name has one spelling.
    """
    if not _is_name(name):
        raise Malformed(f"{name!r} cannot name a model; {_way_to_name(name)}")
    return name


def checked_data(name: str) -> str:
    """The name of a data set, or `Malformed`: as of a model, but without `/` and no file's ending: it is no path."""
    if "/" in name or "\\" in name or _ENDING.search(name.lower()):
        raise Malformed(f"{name!r} cannot name data, for it looks like a file's path; give a name without / and ending")
    if not _is_name(name):
        raise Malformed(f"{name!r} cannot name data; {_way_to_name(name)}")
    return name


def called_by(words: str) -> str:
    """What rows are called that are asked for in these words; nothing for a file, whose words are no name."""
    name = words.removeprefix(DATA_PREFIX).partition("@")[0]
    return "" if "/" in name or "\\" in name or _ENDING.search(name.lower()) or not _is_name(name) else name


def _is_name(text: str) -> bool:
    fits = len(text) <= LONGEST_NAME and _MODEL.fullmatch(_MARKED.sub(_letters, text))
    return bool(fits) and ".." not in text and not text.endswith(".") and is_normalized("NFC", text)


def _way_to_name(text: str) -> str:
    """What to do about a text that is no name of a model."""
    if unseen := next((each for each in text if category(each) in ("Cc", "Cf") or _UNSEEN.match(each)), None):
        what = unicode_name(unseen, "control character").lower()
        return f"leave out its {what} (U+{ord(unseen):04X}), which nobody sees"
    if not is_normalized("NFC", text):
        return f"write it in Unicode's composed form (NFC), as {normalize('NFC', text)!r}"
    if len(text) > LONGEST_NAME:
        return f"a name has {LONGEST_NAME} characters at most"
    return "begin with a letter, go on with letters, digits or ._-/"


def _letters(marked: re.Match[str]) -> str:
    """A letter without its marks; as it is where something else follows it."""
    letter, *marks = marked[0]
    whole = all(category(each) in ("Mn", "Mc") for each in marks) and not _UNSEEN.search(marked[0])
    return letter if whole else marked[0]


def checked_run(name: str) -> str:
    """The id of a run, or `Malformed`: letters, digits and ``._-`` of ASCII, for it names a stream."""
    if not _RUN.fullmatch(name):
        raise Malformed(f"{name!r} cannot name a run; begin with a letter or digit, go on with those or ._-")
    return name


def checked_pool(name: str) -> str:
    """The name of a pool of workers, or `Malformed`: as of a run, for commands that start workers bear it."""
    if not _RUN.fullmatch(name):
        raise Malformed(
            f"{name[:80]!r} cannot name a pool of workers; give at most 100 letters from a to z, digits or ._-"
        )
    return name


def checked_needs(needs: Sequence[str]) -> tuple[str, ...]:
    """What a job needs of a worker, or `Malformed`: few words such as `cuda` or `class:NAME`."""
    if len(needs) > MOST_NEEDS:
        raise Malformed(f"a job has {len(needs):,} needs; give at most {MOST_NEEDS}")
    for each in needs:
        if not _NEED.fullmatch(each):
            raise Malformed(f"{each[:80]!r} is nothing that a worker announces; give words such as cuda or class:NAME")
    return tuple(needs)


def checked_file(name: str) -> str:
    """The name of a file of a version or run, or `Malformed`: a relative path with `/`, which leads nowhere else."""
    if not _FILE.fullmatch(name) or {"", ".", ".."}.intersection(name.split("/")):
        raise Malformed(
            f"{name[:80]!r} cannot name a file; write a relative path with /, without . and .., of at most "
            "200 characters"
        )
    return plain_text(name, "a file's name")


def checked_name(name: str, kind: str) -> str:
    """The name of a branch, tag or alias, or `Malformed`."""
    if not NAME.fullmatch(name) or name.endswith(("/", ".")) or ".." in name or "//" in name:
        raise Malformed(
            f"{name!r} cannot name a {kind}; begin with a letter from a to z, go on with those, digits or ._-/"
        )
    return name


def checked_metrics(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Metrics: names to numbers, NaN and infinities among them, or `Malformed`."""
    if not isinstance(metrics, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise Malformed(f"metrics are {words_of(metrics)}; give a mapping of names to numbers")
    return {checked_label(name, "metric"): figure(name, value) for name, value in metrics.items()}


def checked_fields(kind: type[B], given: Mapping[str, Any], what: str) -> B:
    """A part of an event that is given by its fields, or `Malformed`."""
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        place, message, _ = first_fault(error, what)
        raise Malformed(f"{what}, {place}: {message}") from None


def checked_intervals(intervals: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """Intervals of metrics: names to a lower and an upper end, both finite, or `Malformed`."""
    if not isinstance(intervals, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise Malformed(f"intervals are {words_of(intervals)}; give a mapping of names to two numbers")
    checked: dict[str, tuple[float, float]] = {}
    for name, ends in intervals.items():
        if not isinstance(ends, tuple | list) or len(ends) != 2:  # pyright: ignore[reportUnknownArgumentType]
            raise Malformed(f"the interval of {name!r} is {words_of(ends)}; give its lower and its upper end")
        low, high = (figure(name, end) for end in ends)  # pyright: ignore[reportUnknownVariableType]
        if not math.isfinite(high - low) or low > high:
            raise Malformed(f"the interval of {name!r} runs from {low} to {high}; its ends are finite and rise")
        checked[checked_label(name, "metric")] = (low, high)
    return checked


def figure(name: str, value: Any) -> float:
    """A metric's value: any one real number, of whatever library, or the name that stored JSON has for NaN and
    infinities. Raises `Malformed` for text, complex numbers and several numbers."""
    if isinstance(value, str) and value in NON_FINITE:
        return float(value)
    try:
        if not isinstance(value, str | bytes | bytearray) and not _complex(value):
            return float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):  # the last is torch's, for several numbers
        pass
    raise Malformed(f"metric {name!r} is {words_of(value)}; a metric is one real number a name")


def checked_rows(name: object) -> str:
    """What the rows of an evaluation are called, or `Malformed`; empty where they bear no name."""
    return "" if name == "" else checked_label(name, "set of rows")


def checked_task(task: object) -> str | None:
    """What figures are of (binary, multiclass, regression, …), None where nothing is said; `Malformed` for no label."""
    return None if task in (None, "") else checked_label(task, "task")


def same_figure(one: float | None, other: float | None) -> bool:
    """Whether two figures are the same, where NaN is NaN."""
    return one == other or (one is not None and other is not None and math.isnan(one) and math.isnan(other))


def changed_notes(notes: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Those notes that say something new, None taking one off; `Malformed` where one has no name or form of a note."""
    told = {checked_label(name, "note"): _note(name, value) for name, value in notes.items()}
    return {name: value for name, value in told.items() if not same(known.get(name), value)}


def checked_times(*times: datetime) -> None:
    """Hold that every clock and every column can tell these times, or raise `Malformed`."""
    for each in times:
        try:
            in_calendar(each)
        except ValueError as error:
            raise Malformed(
                f"{each.isoformat()} cannot be kept as a time ({error}); write one of this calendar"
            ) from None


def checked_label(name: object, kind: str) -> str:
    """The name of a metric or note, or `Malformed`: any text of at most 200 characters without control characters."""
    if not isinstance(name, str) or not name.strip() or len(name) > LONGEST_LABEL:
        shown = f"{name[:40]}…" if isinstance(name, str) and len(name) > LONGEST_LABEL else name
        raise Malformed(f"{shown!r} cannot name a {kind}; give a text of at most {LONGEST_LABEL} characters")
    if not name.isprintable() and any(category(each) in ("Cc", "Cs") for each in name):
        raise Malformed(f"{name!r} cannot name a {kind}; leave out its control characters and halves of characters")
    return str.__str__(name)


def _note(name: str, value: Any) -> Any:
    told = plain_value(value, f"note {name!r}")
    if isinstance(told, list | dict):
        raise Malformed(f"note {name!r} is {words_of(value)}; notes are text, numbers, true, false or null")
    return told


def _complex(value: Any) -> bool:
    return isinstance(value, complex) or "complex" in str(getattr(value, "dtype", ""))
