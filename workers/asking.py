"""What a caller asks to be kept of an object, and that as plain as JSON gives it back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

from ..domain.names import changed_notes, checked_metrics, checked_model, checked_name
from ..domain.plain import plain, scalar
from ..domain.recipe import Recipe
from ..errors import Malformed
from ..results import PendingVersion, Version
from .environment import code, environment
from .subject import Subject

Rev = str | int


class Named(NamedTuple):
    """A parent that the caller named: in which words, the version they came to, and its role."""

    words: str
    version: int | None
    """None where the words are still to be looked up."""
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Save:
    """What a caller asks to be kept beside the subject's own word; see `ModelManager.save_version`."""

    branch: str = "main"
    message: str = ""
    parents: tuple[Named, ...] | None = None
    origin: int | None = None
    """The version that the object was loaded from or last saved as."""
    tags: Sequence[str] = ()
    hyperparameters: Mapping[str, Any] | None = None
    metrics: Mapping[str, float] | None = None
    data: Mapping[str, Any] | None = None
    settings: Mapping[str, Any] | None = None
    annotations: Mapping[str, Any] = field(default_factory=dict[str, Any])
    files: Mapping[str, Path | bytes] = field(default_factory=dict[str, Path | bytes])
    architecture: Mapping[str, Any] | None = None
    derivation: Mapping[str, Any] | None = None
    environment: Mapping[str, Any] | None = None
    code: Mapping[str, Any] | None = None
    expected: Rev | None = None
    run: str | None = None

    @property
    def recipe(self) -> Recipe:
        """What made the version, once this is filled in."""
        return Recipe(
            self.hyperparameters or {}, self.architecture or {}, self.settings or {}, self.data, self.derivation
        )


def filled(subject: Subject, asked: Save) -> Save:
    """What is asked, with the subject's own word where nothing is, as plain JSON gives it back.

    Raises `Malformed` where anything of it cannot be kept, whatever the ledger holds.
    """
    checked_model(subject.name)
    checked_name(asked.branch, "branch")
    for tag in asked.tags:
        checked_name(tag, "tag")
    changed_notes(asked.annotations, {})
    recipe = Recipe(
        hyperparameters=_json(subject.hyperparameters if asked.hyperparameters is None else asked.hyperparameters),
        architecture=_json(subject.architecture if asked.architecture is None else asked.architecture),
        settings=_json(subject.settings if asked.settings is None else asked.settings),
        data=_maybe_json(subject.data if asked.data is None else asked.data),
        derivation=_maybe_json(asked.derivation),
    )
    recipe.digest()
    return replace(
        asked,
        **{each.name: getattr(recipe, each.name) for each in fields(recipe)},
        metrics=checked_metrics(subject.metrics if asked.metrics is None else asked.metrics),
        annotations=plain(asked.annotations, "annotations"),
        environment=environment() if asked.environment is None else asked.environment,
        code=code() if asked.code is None else asked.code,
    )


def named_parents(parents: Sequence[Rev | tuple[Rev, str]] | None) -> tuple[Named, ...] | None:
    """Parents as a caller names them: numbers are known, words are looked up when the ledger can be asked."""
    if parents is None:
        return None
    pairs = [parent if isinstance(parent, tuple) else (parent, "trained") for parent in parents]
    known = (rev if type(rev) is int or isinstance(rev, PendingVersion) else None for rev, _ in pairs)
    return tuple(Named(words(rev), number, role) for (rev, role), number in zip(pairs, known, strict=True))


def named_files(files: Mapping[str, Any] | Sequence[Any] | None) -> dict[str, Path | bytes]:
    """Files by the name they are kept under: as given, or the file's own; `Malformed` where one cannot be read."""
    if files is None:
        return {}
    pairs = files.items() if isinstance(files, Mapping) else ((Path(path).name, path) for path in files)
    named: dict[str, Path | bytes] = {}
    for name, content in pairs:
        if not name or name.startswith("/") or "\\" in name or ".." in name.split("/"):
            raise Malformed(f"{name!r} cannot name a file of a version; give a relative name with forward slashes")
        if name in named:
            raise Malformed(f"two files are named {name!r}; pass a mapping of names to paths")
        named[name] = content if isinstance(content, bytes) else Path(content)
        if isinstance(content, str | Path) and not Path(content).is_file():
            raise Malformed(f"file {name!r} is not there; only what can be read can be kept")
    return named


def words(rev: Rev) -> str:
    """A revision as text that says all it knows: a version names its model."""
    if isinstance(rev, PendingVersion):
        return f"pending {rev.key}"
    return f"{rev.model}@{int(rev)}" if isinstance(rev, Version) else str(rev)


def _json(value: Mapping[str, Any]) -> dict[str, Any]:
    """The value as it will be read back: tuples are lists, keys are text."""
    try:
        return json.loads(json.dumps(value, allow_nan=False, default=_scalar))
    except (TypeError, ValueError, RecursionError) as error:
        raise Malformed(f"a recipe is plain JSON: {error}; write such a value as text") from error


def _scalar(value: Any) -> Any:
    if (found := scalar(value)) is value:
        raise TypeError(f"a {type(value).__name__} is none")
    return found


def _maybe_json(value: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if value is None else _json(value)
