"""What of a refused save can be kept beside its tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, TypeVar

from ...domain.model.metric import checked_better
from ...domain.names import changed_notes, checked_metrics, checked_name, checked_task
from ...plain import plain, plain_text
from ...provenance import code, environment
from ...results import PendingVersion, Version
from ..save_request import Save, named_files, named_parents
from ..source import Subject, fingerprint_of, identity_of

T = TypeVar("T")


def salvaged(subject: Subject, origin: Version | PendingVersion | None, asked: Mapping[str, Any]) -> Save:
    """What of a refused save can be kept beside its tensors; each part of it that cannot is left out."""
    given = {name: value for name, value in asked.items() if name in _SALVAGED}
    if given.get("metrics") is None:
        given |= {"validation": subject.validation, "task": subject.task}
    given |= {name: getattr(subject, name) for name in _OWN if given.get(name) is None}
    parts = {name: _or_nothing(lambda: _SALVAGED[name](value)) for name, value in given.items() if value is not None}  # noqa: B023
    save = Save(**{name: value for name, value in parts.items() if value is not None})
    return replace(save, origin=origin, environment=environment(), code=code())


def _or_nothing(act: Callable[[], T]) -> T | None:
    with suppress(Exception):
        return act()
    return None


def _each(check: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """A check of a mapping that leaves out the names it refuses."""

    def checked(given: Mapping[str, Any]) -> dict[str, Any]:
        kept = (_or_nothing(lambda: check({name: value})) for name, value in given.items())  # noqa: B023
        return {name: value for each in kept if each for name, value in each.items()}

    return checked


def _plain_of(what: str) -> Callable[[Any], Mapping[str, Any]]:
    return _each(lambda given: plain(given, what))


_OWN: Final = ("hyperparameters", "architecture", "settings", "data", "metrics")
_SALVAGED: Final[Mapping[str, Callable[[Any], Any]]] = {
    **{name: _plain_of(name) for name in ("hyperparameters", "architecture", "settings")},
    "branch": lambda name: plain_text(name, "the branch"),
    "message": lambda text: plain_text(text, "the message"),
    "parents": named_parents,
    "tags": lambda tags: tuple(tag for tag in tags if _or_nothing(lambda: checked_name(tag, "tag"))),  # noqa: B023
    "metrics": _each(checked_metrics),
    "data": fingerprint_of,
    "validation": identity_of,
    "task": checked_task,
    "better": _each(checked_better),
    "annotations": _each(lambda notes: changed_notes(notes, {})),
    "files": named_files,
    "run": lambda run: plain_text(run, "the run"),
}
"""What is kept of each part, as far as it can be."""
