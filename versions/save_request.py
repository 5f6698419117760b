"""What a caller asks to be kept of an object, and that as plain as JSON gives it back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar, cast

from ..domain.model.metric import checked_better
from ..domain.model.recipe import Recipe
from ..domain.model.revision import parts
from ..domain.names import changed_notes, checked_label, checked_metrics, checked_model, checked_name, checked_task
from ..errors import Malformed
from ..plain import plain, plain_text, words_of
from ..provenance import code, environment
from ..results import LastMove, PendingVersion, Version, VersionRef
from .source import Subject, fingerprint_of, identity_of

Rev = str | int | PendingVersion
Expected = Rev | LastMove
"""Where a caller believes a branch to be: on a version (0: nowhere), or where its last move left it."""
T = TypeVar("T")


class Named(NamedTuple):
    """A parent that the caller named: in which words, the version they came to, and its role."""

    words: str
    version: int | VersionRef | PendingVersion | None
    """A number is one of the model's own, None is still to be looked up."""
    role: str

    def of_another(self, model: str) -> bool:
        """Whether it is a version of another model than this one."""
        ref = self.version
        named = parts(self.words)[0] if ref is None else ref.model if isinstance(ref, VersionRef) else None
        return named not in (None, model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Save:
    """What a caller asks to be kept beside the subject's own word; see `ModelManager.save_version`."""

    branch: str = "main"
    message: str = ""
    parents: tuple[Named, ...] | None = None
    origin: int | PendingVersion | None = None
    """The version that the object was loaded from or last saved as."""
    tags: Sequence[str] = ()
    hyperparameters: Mapping[str, Any] | None = None
    metrics: Mapping[str, float] | None = None
    validation: Mapping[str, Any] | None = None
    """Fingerprint of the rows that the metrics are of."""
    task: str | None = None
    """What the metrics are of."""
    better: Mapping[str, str] = field(default_factory=dict[str, str])
    data: Mapping[str, Any] | None = None
    settings: Mapping[str, Any] | None = None
    annotations: Mapping[str, Any] = field(default_factory=dict[str, Any])
    files: Mapping[str, Path | bytes] = field(default_factory=dict[str, Path | bytes])
    architecture: Mapping[str, Any] | None = None
    derivation: Mapping[str, Any] | None = None
    environment: Mapping[str, Any] | None = None
    code: Mapping[str, Any] | None = None
    expected: Expected | None = None
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
    asked = prepared(asked)
    recipe = Recipe(
        hyperparameters=_told(asked.hyperparameters, subject.hyperparameters, "hyperparameters"),
        architecture=_told(asked.architecture, subject.architecture, "architecture"),
        settings=_told(asked.settings, subject.settings, "settings"),
        data=plain(subject.data, "data") if asked.data is None and subject.data is not None else asked.data,
        derivation=asked.derivation,
    )
    recipe.digest()
    return replace(
        asked,
        **{each.name: getattr(recipe, each.name) for each in fields(recipe)},
        metrics=checked_metrics(subject.metrics if asked.metrics is None else asked.metrics),
        # figures that the caller gives are not of the rows that the subject's own are of
        validation=identity_of(subject.validation) if asked.metrics is None else asked.validation,
        task=subject.task if asked.metrics is None else asked.task,
        environment=environment() if asked.environment is None else asked.environment,
        code=code() if asked.code is None else asked.code,
    )


def prepared(asked: Save) -> Save:
    """What is asked as it can be kept, which needs no look at what is saved: known before a training, too.

    Raises `Malformed` where anything of it cannot be kept, whatever the ledger holds.
    """
    checked_name(asked.branch, "branch")
    for tag in asked.tags:
        checked_name(tag, "tag")
    mappings = {name: getattr(asked, name) for name in _MAPPINGS}
    return replace(
        asked,
        **{name: plain(value, name) for name, value in mappings.items() if value is not None},
        annotations=changed_notes(asked.annotations, {}),
        metrics=None if asked.metrics is None else checked_metrics(asked.metrics),
        task=checked_task(asked.task),
        better=checked_better(asked.better),
        message=plain_text(asked.message, "the message"),
    )


_MAPPINGS: Final = ("hyperparameters", "architecture", "settings", "data", "derivation")


def asked_for(origin: PendingVersion | Version | None, asked: Mapping[str, Any]) -> Save:
    """What `ModelManager.save_version` was given, as a save; `Malformed` where it is none."""
    optimizer, asked = asked.get("optimizer"), {word: each for word, each in asked.items() if word != "optimizer"}
    if unknown := sorted(asked.keys() - {each.name for each in fields(Save)}):
        raise Malformed(f"a save takes no {unknown[0]!r}; `help(ModelManager.save_version)` lists what it takes")
    tags, message = asked.get("tags", ()), asked.get("message", "")
    if isinstance(tags, str) or not isinstance(tags, Collection):
        raise Malformed(f"tags are {words_of(tags)}; give a list of texts")
    for word, text in (("message", message), ("branch", asked.get("branch", "main"))):
        if not isinstance(text, str):
            raise Malformed(f"the {word} is {words_of(text)}; give a text")
    annotations: Any = asked.get("annotations") or {}
    converted: dict[str, Any] = {
        "parents": named_parents(asked.get("parents")),
        "origin": origin,
        "data": fingerprint_of(asked.get("data")),
        "validation": identity_of(asked.get("validation")),
        "better": asked.get("better") or {},
        "annotations": plain(annotations, "annotations"),
        "files": _with_optimizer(named_files(asked.get("files")), optimizer),
        "tags": tuple(cast("Collection[str]", tags)),
        "expected": _expected(asked.get("expected")),
    }
    return Save(**{**asked, **converted})


def _expected(rev: Expected | None) -> Expected | None:
    return rev if rev is None or isinstance(rev, PendingVersion | LastMove) else words(rev)


def _told(given: Mapping[str, Any] | None, known: Mapping[str, Any], what: str) -> Mapping[str, Any]:
    return plain(known, what) if given is None else given


def named_parents(parents: Sequence[Rev | tuple[Rev, str]] | None) -> tuple[Named, ...] | None:
    """Parents as a caller names them: numbers are known, words are looked up when the ledger can be asked.

    Raises `Malformed` where a role is no label.
    """
    if parents is None:
        return None
    pairs = [parent if isinstance(parent, tuple) else (parent, "trained") for parent in parents]
    known = (rev if type(rev) is int or isinstance(rev, PendingVersion) else None for rev, _ in pairs)
    roles = (checked_label(role, "parent's role") for _, role in pairs)
    return tuple(Named(words(rev), number, role) for (rev, _), number, role in zip(pairs, known, roles, strict=True))


def _with_optimizer(files: dict[str, Path | bytes], optimizer: Any) -> dict[str, Path | bytes]:
    """Files with the state of an optimizer among them, where one is given."""
    if optimizer is None:
        return files
    from ..models.optimizer_state import FILE, written

    if FILE in files:
        raise Malformed(f"the file {FILE!r} is where the optimizer's state is kept; give that another name")
    return files | {FILE: written(optimizer)}


def named_files(files: Mapping[str, Any] | Sequence[Any] | None) -> dict[str, Path | bytes]:
    """Files by the name they are kept under: as given, or the file's own; `Malformed` where one cannot be read."""
    if files is None:
        return {}
    if isinstance(files, str | bytes) or not isinstance(cast(Any, files), Collection):
        raise Malformed(f"files are {words_of(files)}; give a list of paths, or a mapping of names to them")
    pairs = files.items() if isinstance(files, Mapping) else ((Path(path).name, path) for path in files)
    named: dict[str, Path | bytes] = {}
    for name, content in pairs:
        if not name or name.startswith("/") or "\\" in name or ".." in name.split("/"):
            raise Malformed(f"{name!r} cannot name a file of a version; give a relative name with forward slashes")
        if name in named:
            raise Malformed(f"two files are named {name!r}; pass a mapping of names to paths")
        named[name] = content if isinstance(content, bytes) else Path(content)
        if isinstance(content, str | Path) and not _is_file(Path(content)):
            raise Malformed(f"file {name!r} is not there; only what can be read can be kept")
    return named


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that is too long, or holds what no name does
        return False


def numbered(version: T | PendingVersion) -> T:
    """What a pending version has become by the time that the ledger is told of it: a number."""
    assert not isinstance(version, PendingVersion), "whoever delivers a save looks up its number first"
    return version


def words(rev: Expected) -> str:
    """A revision as text that says all it knows: a version names its model."""
    if isinstance(rev, PendingVersion):
        return f"pending {rev.key}"
    return f"{rev.model}@{int(rev)}" if isinstance(rev, Version) else str(rev)
