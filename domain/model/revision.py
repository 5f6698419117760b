"""The grammar of revisions: a number, name or digest, then steps back through parents or time."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from typing import Final

from ...errors import Malformed
from ..names import checked_model, checked_name

LONGEST: Final = 1000
DIGEST: Final = re.compile(r"sha256:[0-9a-f]{8,64}|(?=.*[a-f])[0-9a-f]{8,64}", re.IGNORECASE | re.ASCII)
"""A prefix of a version's digest: unmarked it has a letter, for all digits are a number."""

_REVISION = re.compile(r"(?:([^@~^{}]*)@(?!\{))?([^@~^{}]+)((?:[~^][0-9]*|@\{[^{}]*\})*)")
_STEP = re.compile(r"([~^])([0-9]*)|@\{([^{}]*)\}")
_NUMBER = re.compile(r"[0-9]+")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_RFC_3339 = re.compile(_DATE.pattern + r"[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})")


@dataclass(frozen=True, slots=True)
class Ancestor:
    """`~n`: the first parent, n times over."""

    n: int = 1

    def __str__(self) -> str:
        return f"~{self.n}"


@dataclass(frozen=True, slots=True)
class NthParent:
    """`^n`: the n-th parent, counted from 1."""

    n: int = 1

    def __str__(self) -> str:
        return f"^{self.n}"


@dataclass(frozen=True, slots=True)
class MovesAgo:
    """`@{n}`: where a branch or alias stood n moves ago."""

    n: int

    def __str__(self) -> str:
        return f"@{{{self.n}}}"


@dataclass(frozen=True, slots=True)
class AsOf:
    """`@{time}`: where a branch or alias stood at an instant in UTC; a date is the last microsecond of its day."""

    instant: datetime

    def __str__(self) -> str:
        if self.instant.time() == time.max:
            return f"@{{{self.instant.date().isoformat()}}}"
        return f"@{{{self.instant.replace(tzinfo=None).isoformat()}Z}}"


Step = Ancestor | NthParent | MovesAgo | AsOf


@dataclass(frozen=True, slots=True)
class Revision:
    """A parsed revision; `str()` is its canonical text. `base` is a number, or else a name or digest prefix."""

    base: int | str
    steps: tuple[Step, ...] = ()
    model: str | None = None

    def __str__(self) -> str:
        model = "" if self.model is None else f"{self.model}@"
        return f"{model}{self.base}{''.join(map(str, self.steps))}"


def parse(text: str) -> Revision:
    """The revision that a text writes, or `Malformed`. Whether it names a version only `resolve` knows."""
    model, base, steps = parts(text)
    return revision(model, base, steps)


def parse_range(text: str) -> tuple[Revision, Revision]:
    """Both ends of `A..B`, or `Malformed`; where B names no model it is A's."""
    first, last = (parse(end) for end in ends(text))
    return first, same_model(first, last)


def parts(text: str) -> tuple[str | None, str, tuple[Step, ...]]:
    """The model, base and steps that a text writes; model and base are not looked at yet."""
    if len(text) > LONGEST or not (match := _REVISION.fullmatch(text)):
        raise Malformed(f"{text[:80]!r} is no revision; write a number, a name or a digest, then ~n, ^n or @{{...}}")
    steps = tuple(_step(each, text) for each in _STEP.finditer(match[3]))
    standing = any(isinstance(step, MovesAgo | AsOf) for step in steps)
    if any(isinstance(step, MovesAgo | AsOf) for step in steps[1:]) or (standing and _NUMBER.fullmatch(match[2])):
        raise Malformed(f"{text!r} asks where a version stood; @{{...}} goes right behind a branch or alias")
    return match[1], match[2], steps


def revision(model: str | None, base: str, steps: tuple[Step, ...]) -> Revision:
    """The revision of these parts, or `Malformed` where model or base cannot be one."""
    named = None if model is None else checked_model(model)
    if _NUMBER.fullmatch(base):
        return Revision(int(base), steps, named)
    return Revision(base if DIGEST.fullmatch(base) else checked_name(base, "branch, tag or alias"), steps, named)


def ends(text: str) -> tuple[str, str]:
    """The texts on both sides of a range's dots."""
    start, dots, end = text.partition("..")
    if not (start and dots and end) or ".." in end or end.startswith("."):
        raise Malformed(f"{text[:80]!r} is no range; write A..B")
    return start, end


def same_model(first: Revision, last: Revision) -> Revision:
    """A range's last end in its first end's model, or `Malformed` where it names another."""
    if last.model not in (None, first.model):
        raise Malformed(f"'{first}..{last}' runs from one model into another; `lepton diff A B` compares two")
    return replace(last, model=first.model)


def _step(match: re.Match[str], text: str) -> Step:
    if match[1]:
        n = int(match[2] or 1)
        return Ancestor(n) if match[1] == "~" else NthParent(n)
    return MovesAgo(int(match[3])) if _NUMBER.fullmatch(match[3]) else AsOf(_instant(match[3], text))


def _instant(words: str, text: str) -> datetime:
    try:
        if _DATE.fullmatch(words):
            return datetime.combine(datetime.fromisoformat(words), time.max, UTC)
        if _RFC_3339.fullmatch(words):
            return datetime.fromisoformat(words.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # a day that no calendar has, or an instant before the first or after the last that Python has
    raise Malformed(f"{text!r} has no count, date or time; write @{{2}}, @{{2026-11-24}} or @{{2026-11-24T09:30:00Z}}")
