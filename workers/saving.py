"""Saving: tensors into the vault, then the one command that makes them a version."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast, get_args

from ..domain.commands import Commit, Delta, Stored
from ..domain.commit import check_tags
from ..domain.guards import writable
from ..domain.model import Model
from ..domain.names import checked_metrics, checked_model, checked_name
from ..domain.plain import scalar
from ..domain.recipe import Recipe
from ..errors import Damaged, Malformed
from ..events.model import File, Parent, Role, VersionCommitted
from ..events.objects import ManifestWritten, PackWritten
from ..events.store import Placement
from ..results import Version
from .environment import code, environment
from .restoring import graph_of
from .subject import Subject, fingerprint_of
from .workspace import Workspace

if TYPE_CHECKING:
    from ..tensors.manifest import Manifest
    from ..tensors.vault import Kept

PAGE: Final = 500
Asked = str | int | tuple[str | int, str]
"""A parent as it is asked for: a revision, and its role if it has one of its own."""
log = logging.getLogger("lepton")


class Named(NamedTuple):
    """A parent that the caller named: in which words, the version they came to, and its role."""

    words: str
    version: int
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
    expected: int | None = None
    run: str | None = None


def keep(
    workspace: Workspace,
    source: Any,
    subject: Subject,
    *,
    key: str | None = None,
    parents: Sequence[Asked] | None = None,
    data: Any = None,
    annotations: Mapping[str, Any] | None = None,
    files: Mapping[str, Any] | Sequence[Any] | None = None,
    expected: str | int | None = None,
    **asked: Any,
) -> Version:
    """Keep what was read from `source` as `ModelManager.save_version` is asked to, and note which version it is."""
    origin = workspace.origin(source)
    wanted = Save(
        parents=None if parents is None else tuple(_named(workspace, subject.name, parent) for parent in parents),
        origin=int(origin) if origin is not None and origin.model == subject.name else None,
        data=fingerprint_of(data),
        annotations=dict(annotations or {}),
        files=named_files(files),
        expected=None if expected is None else workspace.resolve(expected, subject.name)[1],
        **asked,
    )
    version = save(workspace, subject, wanted, key)
    workspace.remember(source, version)
    return version


def save(workspace: Workspace, subject: Subject, asked: Save, key: str | None = None) -> Version:
    """Keep a subject as the next version of a branch; where it repeats the branch's head, that version.

    Everything is checked that can be before a byte is written; bytes are synced before the ledger hears of them.
    """
    model = admissible(workspace, subject.name, asked.branch, asked.tags)
    checked_metrics(asked.metrics or {})
    parents = _parents(model, asked)
    recipe = _recipe(subject, asked)
    recipe.digest()
    if not subject.named:
        tell_of_new(workspace, model, subject.name)
    base = _base(workspace, model, parents)
    kept = workspace.vault_to_save().keep(subject.tensors, base=base, graph=graph_of(model), files=asked.files)
    command = Commit(
        model=subject.name,
        branch=asked.branch,
        asked_parents=None if asked.parents is None else tuple(f"{each.words} {each.role}" for each in asked.parents),
        parents=parents,
        expected=asked.expected,
        tensors=kept.manifest.digest,
        tensor_count=len(kept.manifest.tensors),
        parameters=kept.manifest.parameters,
        bytes=kept.manifest.size,
        keyframe=kept.keyframe,
        delta=_delta(kept),
        stored=stored(kept),
        recipe=recipe,
        environment=environment(),
        code=code(),
        metrics=dict(asked.metrics if asked.metrics is not None else subject.metrics),
        annotations=dict(asked.annotations),
        tags=tuple(asked.tags),
        files=tuple(File(name=name, digest=digest, bytes=size) for name, digest, size in kept.files),
        run=asked.run,
        message=asked.message,
    )
    receipt = workspace.admit(command, key, placements=placed(kept))
    made = [recorded.event.version for recorded in receipt.events if isinstance(recorded.event, VersionCommitted)]
    told = [number for recorded in receipt.events if (number := getattr(recorded.event, "version", None))]
    model = workspace.model(subject.name)
    return workspace.version(model, (made or told or [model.head(asked.branch)])[0])


def admissible(workspace: Workspace, name: str, branch: str = "main", tags: Sequence[str] = ()) -> Model:
    """The model as it stands, unless a save would be refused whatever its bytes: known before a training, too."""
    checked_model(name)
    checked_name(branch, "branch")
    model = workspace.model(name)
    writable(model)
    check_tags(model, branch, tags)
    return model


def tell_of_new(workspace: Workspace, model: Model, name: str) -> None:
    """Say that a save opens a model beside others under a name that nobody chose."""
    if not model.registered and (others := workspace.models()):
        log.warning("%s is a new model beside %s; name= would keep it as one of theirs", name, ", ".join(others[:10]))


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


def stored(kept: Kept) -> Stored:
    """What the ledger is told of bytes that were kept."""
    fresh = any(placement.digest == kept.manifest.digest for placement in kept.placements)
    return Stored(
        packs=tuple(
            PackWritten(pack=pack.key, bytes=pack.bytes, entries=pack.entries, index=pack.index) for pack in kept.packs
        ),
        manifests=tuple(_pages(kept.manifest)) if fresh else (),
        relies_on=kept.relies_on,
    )


def placed(kept: Kept) -> tuple[Placement, ...]:
    """Where kept bytes lie, as the store's rows."""
    return tuple(Placement(p.digest, p.pack, p.offset, p.length) for p in kept.placements)


def _base(workspace: Workspace, model: Model, parents: tuple[Parent, ...]) -> Manifest | None:
    """The manifest to keep a delta from. A damaged one stops no save: the version is kept whole instead."""
    if not parents:
        return None
    try:
        return workspace.vault.manifest(model.version(parents[0].version).event.tensors)
    except Damaged as damage:
        log.warning("%s; version %d is kept whole", damage, model.next_number)
        return None


def _parents(model: Model, asked: Save) -> tuple[Parent, ...]:
    """Those named, else where the object came from, else the branch's head as it is now."""
    if asked.parents is not None:
        return tuple(_parent(model, named) for named in asked.parents)
    if asked.origin is not None:
        return (Parent(version=asked.origin, role="fine_tuned"),)
    head = model.head(asked.branch)
    return (Parent(version=head, role="trained"),) if head is not None else ()


def _named(workspace: Workspace, model: str, parent: Asked) -> Named:
    rev, role = parent if isinstance(parent, tuple) else (parent, "trained")
    return Named(str(rev), workspace.resolve(rev, model)[1], role)


def _parent(model: Model, named: Named) -> Parent:
    roles = get_args(Role)
    if named.role not in roles:
        raise Malformed(f"a parent's role is one of {', '.join(roles)}; {named.role!r} is none")
    model.version(named.version)
    return Parent(version=named.version, role=cast(Role, named.role))


def _recipe(subject: Subject, asked: Save) -> Recipe:
    return Recipe(
        hyperparameters=_json(subject.hyperparameters if asked.hyperparameters is None else asked.hyperparameters),
        architecture=_json(subject.architecture if asked.architecture is None else asked.architecture),
        settings=_json(subject.settings if asked.settings is None else asked.settings),
        data=_maybe_json(subject.data if asked.data is None else asked.data),
        derivation=_maybe_json(asked.derivation),
    )


def _json(value: Mapping[str, Any]) -> dict[str, Any]:
    """The value as it will be read back: tuples are lists, keys are text."""
    try:
        return json.loads(json.dumps(value, allow_nan=False, default=_scalar))
    except (TypeError, ValueError) as error:
        raise Malformed(f"a recipe is plain JSON: {error}; write such a value as text") from error


def _scalar(value: Any) -> Any:
    if (found := scalar(value)) is value:
        raise TypeError(f"a {type(value).__name__} is none")
    return found


def _maybe_json(value: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if value is None else _json(value)


def _delta(kept: Kept) -> Delta | None:
    if (delta := kept.delta) is None:
        return None
    return Delta(delta.digest, delta.bytes, delta.elements, delta.tensors, delta.two_way)


def _pages(manifest: Manifest) -> Iterator[ManifestWritten]:
    for page, start in enumerate(range(0, max(1, len(manifest.tensors)), PAGE)):
        tensors = manifest.tensors[start : start + PAGE]
        yield ManifestWritten(
            manifest=manifest.digest,
            page=page,
            names=_column(tensors, "name"),
            dtypes=_column(tensors, "dtype"),
            shapes=_column(tensors, "shape"),
            bytes=_column(tensors, "nbytes"),
            digests=_column(tensors, "digest"),
        )


def _column(tensors: Iterable[Any], name: str) -> tuple[Any, ...]:
    return tuple(getattr(tensor, name) for tensor in tensors)
