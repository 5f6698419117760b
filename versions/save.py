"""Saving: tensors into the vault, then the one command that makes them a version."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from pydantic_core import to_json

from ..domain.commands import Checkpoint, Commit, Delta, Expected, Stored, TellManifest
from ..domain.guards import writable
from ..domain.model.commit import check_tags
from ..domain.model.revision import parts
from ..domain.model.state import ModelState
from ..domain.names import checked_model, checked_name
from ..errors import Condemned, Damaged
from ..events.envelope import Recorded
from ..events.model import File, Parent, VersionCommitted
from ..events.objects import ManifestWritten, packs_written
from ..events.sql.rows import PlacementRow
from ..results import LastMove, Version, VersionRef
from ..tensors.graph import Graph
from .deltas import ModelDeltas
from .save_request import Named, Save, filled, numbered
from .source import Subject
from .workspace import Workspace

if TYPE_CHECKING:
    from ..tensors.manifest import Manifest, TensorEntry
    from ..tensors.tensor import Tensor
    from ..tensors.vault import SavedTensors

PAGE: Final = 500
PAGE_BYTES: Final = 192 * 1024
"""What a page's tensors may take of the 256 KiB that an event holds."""
TOLD_BYTES: Final = 384 * 1024
"""What the pages of one command may take of the 768 KiB that its events may."""
UPLOADS: Final = 2
"""Times that bytes are uploaded anew because a pack they rely on was condemned meanwhile."""
T = TypeVar("T")
log = logging.getLogger("lepton")


def save(
    workspace: Workspace, subject: Subject, asked: Save, key: str | None = None, time: datetime | None = None
) -> Version:
    """Keep a subject as the next version of a branch; where it repeats the branch's head, that version.

    Everything is checked that can be before a byte is written; bytes are synced before the ledger hears of them.
    `time` is when it happened, if not now.
    """
    return save_filled(workspace, subject, filled(subject, asked), key, time)


def save_filled(
    workspace: Workspace, subject: Subject, asked: Save, key: str | None = None, time: datetime | None = None
) -> Version:
    """As `save`, of what `filled` gave."""
    model = admissible(workspace, subject.name, asked.branch, asked.tags)
    if not subject.named:
        tell_of_new(workspace, model, subject.name)
    parents, follows_head = parents_of(workspace, model, asked)
    expected = _expected(workspace, asked, subject.name)
    base = _base(workspace, model, parents)
    for _ in range(UPLOADS):
        with suppress(Condemned):
            return _committed(workspace, subject, asked, model, (parents, follows_head, expected, base), key, time)
    return _committed(workspace, subject, asked, model, (parents, follows_head, expected, base), key, time)


def _expected(workspace: Workspace, asked: Save, model: str) -> Expected | None:
    """Where the branch must be."""
    wanted = asked.expected
    return wanted if wanted is None or isinstance(wanted, LastMove) else workspace.guard(numbered(wanted), model)


def _committed(
    workspace: Workspace,
    subject: Subject,
    request: Save,
    model: ModelState,
    place: tuple[tuple[Parent, ...], bool, Expected | None, Manifest | None],
    key: str | None,
    time: datetime | None,
) -> Version:
    """Keep the bytes and send the command; `Condemned` where a pack was, meanwhile, that they rely on."""
    parents, follows_head, expected, base = place
    kept = workspace.vault_to_save().keep(
        subject.tensors, base=base, graph=ModelDeltas(model), files=request.files, told=subject.manifest
    )
    command = Commit(
        model=subject.name,
        branch=request.branch,
        asked_parents=None
        if request.parents is None
        else tuple(f"{each.words} {each.role}" for each in request.parents),
        parents=parents,
        follows_head=follows_head,
        expected=expected,
        asked={} if request.expected is None else {"expected": str(request.expected)},
        tensors=kept.manifest.digest,
        tensor_count=len(kept.manifest.tensors),
        parameters=kept.manifest.parameters,
        bytes=kept.manifest.size,
        keyframe=kept.keyframe,
        delta=_delta(kept),
        stored=told_ahead(stored(kept), lambda page: workspace.admit(page, None, time=time)),
        recipe=request.recipe,
        environment=request.environment or {},
        code=request.code or {},
        metrics=request.metrics or {},
        validation=request.validation if request.metrics else None,
        task=request.task if request.metrics else None,
        better=request.better,
        annotations=request.annotations,
        tags=tuple(request.tags),
        files=tuple(File(name=name, digest=digest, bytes=size) for name, digest, size in kept.files),
        run=request.run,
        message=request.message,
    )
    receipt = workspace.admit(command, key, placed(kept), time)
    model = workspace.model(subject.name)
    return workspace.version(model, _numbered(receipt.events) or _repeated(model, request.branch, command.tensors))


def checkpoint(
    workspace: Workspace,
    run: str,
    tensors: Mapping[str, Tensor],
    step: int | None,
    key: str,
    time: datetime | None = None,
    architecture: Mapping[str, Any] | None = None,
    manifest: str | None = None,
) -> str:
    """Keep a run's tensors on the way, without making a version: the digest of their manifest.

    `manifest` is what that must be, where it was told with them.
    """
    kept = workspace.vault_to_save().keep(tensors, base=None, graph=Graph({}, ()), told=manifest)
    rest = told_ahead(stored(kept), lambda page: workspace.admit(page, None, time=time))
    digest = kept.manifest.digest
    command = Checkpoint(run=run, tensors=digest, step=step, stored=rest, architecture=architecture)
    workspace.admit(command, key, placed(kept), time)
    return digest


def number_under(workspace: Workspace, key: str) -> int | None:
    """The version that a save under a key made, or put tags, notes or figures on; None where no event tells."""
    return _numbered(workspace.known(key))


def _numbered(events: Sequence[Recorded]) -> int | None:
    made = [recorded.event.version for recorded in events if isinstance(recorded.event, VersionCommitted)]
    numbers = [number for recorded in events if (number := getattr(recorded.event, "version", None))]
    return (made or numbers or [None])[0]


def _repeated(model: ModelState, branch: str, tensors: str) -> int:
    """The version that a save repeated: the branch's head, unless others moved it since."""
    head = cast(int, model.head(branch))
    versions = chain((head,), model.past_newest_first(branch))
    return next(number for number in versions if model.version(number).event.tensors == tensors)


def admissible(workspace: Workspace, name: str, branch: str = "main", tags: Sequence[str] = ()) -> ModelState:
    """The model as it stands, unless a save would be refused whatever its bytes: known before a training, too."""
    checked_model(name)
    checked_name(branch, "branch")
    model = workspace.model(name)
    writable(model)
    check_tags(model, branch, tags)
    return model


def tell_of_new(workspace: Workspace, model: ModelState, name: str) -> None:
    """Say that a save opens a model beside others under a name that nobody chose."""
    if not model.registered and (others := workspace.models()):
        log.warning("%s is a new model beside %s; name= would keep it as one of theirs", name, ", ".join(others[:10]))


def stored(kept: SavedTensors) -> Stored:
    """What the ledger is told of bytes that were kept."""
    fresh = any(placement.digest == kept.manifest.digest for placement in kept.placements)
    return Stored(
        packs=packs_written(kept.packs),
        manifests=tuple(pages(kept.manifest)) if fresh else (),
        relies_on=kept.relies_on,
    )


def told_ahead(stored: Stored, tell: Callable[[TellManifest], object]) -> Stored:
    """What is left for a command to tell of its bytes, after pages that it has no room for were told by themselves.

    A model of thousands of tensors has such. Told ahead of a command that is refused then, or told twice, they do no
    harm: a page says nothing but what its manifest's digest stands for.
    """
    *ahead, rest = _portions(stored.manifests, lambda page: len(to_json(page)), TOLD_BYTES, len(stored.manifests))
    for pages in ahead:
        tell(TellManifest(pages=tuple(pages)))
    return replace(stored, manifests=tuple(rest))


def placed(kept: SavedTensors) -> tuple[PlacementRow, ...]:
    """Where kept bytes lie, as the store's rows."""
    return tuple(PlacementRow(p.digest, p.pack, p.offset, p.length) for p in kept.placements)


def _base(workspace: Workspace, model: ModelState, parents: tuple[Parent, ...]) -> Manifest | None:
    """The manifest to keep a delta from. A damaged one stops no save: the version is kept whole instead."""
    if (first := next((parent for parent in parents if parent.model == model.name), None)) is None:
        return None
    try:
        return workspace.vault.manifest(model.version(first.version).event.tensors)
    except Damaged as damage:
        log.warning("%s; version %d is kept whole", damage, model.next_number)
        return None


def parents_of(workspace: Workspace, model: ModelState, asked: Save) -> tuple[tuple[Parent, ...], bool]:
    """Those named; where none of them is of this model, it goes on from where the object came from, else from the
    branch's head as it is now. Also whether that is what it follows, wherever it is when the commit is decided."""
    named = tuple(_parent(workspace, model, each) for each in asked.parents or ())
    if asked.parents is not None and (not named or any(parent.model == model.name for parent in named)):
        return named, False
    if asked.origin is not None:
        return (Parent(model=model.name, version=int(asked.origin), role="fine_tuned"), *named), False
    if (head := model.head(asked.branch)) is None:
        return named, True
    return (Parent(model=model.name, version=head), *named), True


def _parent(workspace: Workspace, model: ModelState, named: Named) -> Parent:
    ref = numbered(named.version)
    if ref is None:
        of, *_ = parts(named.words)
        known, number = workspace.resolve(named.words, of or model.name)
        ref = VersionRef(known.name, number)
    elif isinstance(ref, int):
        ref = VersionRef(model.name, int(ref))
    if ref.model == model.name:
        model.version(ref.number)
    return Parent(model=ref.model, version=ref.number, role=named.role)


def _delta(kept: SavedTensors) -> Delta | None:
    if (delta := kept.delta) is None:
        return None
    return Delta(delta.digest, delta.bytes, delta.elements, delta.tensors, delta.two_way)


def pages(manifest: Manifest) -> Iterator[ManifestWritten]:
    """A manifest as the ledger tells it, in events of a size that it takes."""
    for page, tensors in enumerate(_portions(manifest.tensors, _size, PAGE_BYTES, PAGE)):
        yield ManifestWritten(
            manifest=manifest.digest,
            page=page,
            names=_column(tensors, "name"),
            dtypes=_column(tensors, "dtype"),
            shapes=_column(tensors, "shape"),
            bytes=_column(tensors, "nbytes"),
            digests=_column(tensors, "digest"),
        )


def _size(entry: TensorEntry) -> int:
    return len(json.dumps([entry.name, entry.dtype, entry.shape, entry.nbytes, entry.digest]))


def _portions(items: Iterable[T], weigh: Callable[[T], int], room: int, most: int) -> Iterator[list[T]]:
    """Items in as few portions as their number and weight allow, at least one; one too heavy has its own."""
    portion: list[T] = []
    left = room
    for item in items:
        weight = weigh(item)
        if portion and (weight > left or len(portion) == most):
            yield portion
            portion, left = [], room
        portion.append(item)
        left -= weight
    yield portion


def _column(tensors: Iterable[Any], name: str) -> tuple[Any, ...]:
    return tuple(getattr(tensor, name) for tensor in tensors)
