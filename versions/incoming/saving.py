"""Saves and checkpoints whose bytes were uploaded: what is missing of them, and the save itself."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import uuid_utils

from ...domain.model.revision import parts
from ...domain.model.state import ModelState
from ...domain.names import checked_model
from ...errors import Damaged, Malformed, MissingChunks, UnknownRevision
from ...events.model import File
from ...results import Version
from ...tensors.digest import digest_of
from ...tensors.graph import Graph
from ...tensors.manifest import Manifest
from ..deltas import graph_of
from ..runs.record import record
from ..save import checkpoint as save_checkpoint
from ..save import number_under
from ..save import save as save_version
from ..save_request import named_files
from ..source import is_fingerprint
from ..spool.entries import read_save, revision_of
from ..workspace import Workspace
from .assembly import KnownChunks, KnownVersion, assembled, chunks_of
from .staging import StagedChunks, Staging, Upload


class Blob(NamedTuple):
    """Bytes that were uploaded in chunks: the digest of the whole, and those of the chunks in order."""

    digest: str
    chunks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded:
    """What a save or checkpoint names of what was uploaded; of the manifest the canonical bytes."""

    manifest: Blob
    files: Mapping[str, Blob] = field(default_factory=dict[str, Blob])


class Missing(NamedTuple):
    """What is still to be uploaded: chunks by digest, and which of the files are not known as a whole."""

    chunks: tuple[str, ...]
    files: tuple[str, ...]


class SaveBase(NamedTuple):
    """What a save goes on from: chunks of its tensors, and whole files, need not be uploaded again."""

    known: KnownVersion
    files: tuple[File, ...] = ()


def missing(
    workspace: Workspace,
    staging: Staging,
    name: str,
    chunks: Sequence[str],
    files: Sequence[str],
    *,
    branch: str,
    parents: Sequence[str],
    run: str | None,
) -> Missing:
    """Which chunks and files a save would lack. Known are those staged for the model, and those of the branch's head,
    of the parents and of the run's last checkpoint: of a model that may not be read nothing is told.
    """
    model = writable(workspace, name)
    bases = [*_bases(workspace, model, branch, parents), *_checkpoints(workspace, model, run)]
    known = KnownChunks(workspace.vault, (base.known for base in bases))
    staged = staging.of(name).among(chunks)
    whole = {file.digest for base in bases for file in base.files}
    return Missing(
        tuple(digest for digest in chunks if digest not in staged and digest not in known),
        tuple(digest for digest in files if digest not in whole),
    )


def upload(workspace: Workspace, staging: Staging, name: str) -> Upload:
    """Where chunks for a model are put."""
    return staging.of(writable(workspace, name).name).upload()


def save(
    workspace: Workspace,
    staging: Staging,
    asked: Mapping[str, Any],
    uploaded: Uploaded,
    key: str | None,
    time: datetime | None,
) -> Version:
    """Make a version of what was uploaded; `asked` is what `written_save` gives, complete.

    Raises `MissingChunks` where some of it is not here by now, `Malformed` where it is not what its digests say.
    """
    model = writable(workspace, asked["name"])
    parents = [revision_of(model.name, words, version) for words, version, _ in asked["parents"] or ()]
    bases = [*_bases(workspace, model, asked["branch"], parents), *_under(workspace, model, key)]
    if asked["origin"] is not None:
        bases += _of(model, asked["origin"])
    staged = staging.of(model.name)
    with _assembled(workspace, staged, bases, uploaded) as (manifest, tensors, files):
        subject, save = read_save(_checked(asked), tensors, {})
        save = replace(save, files=named_files(files), environment=save.environment or {}, code=save.code or {})
        subject = replace(subject, manifest=manifest.digest)
        version = save_version(workspace, subject, save, key, time)
    staged.drop((*uploaded.manifest.chunks, *_chunks_of_files(uploaded), *chunks_of(manifest)))
    return version


def checkpoint(
    workspace: Workspace,
    staging: Staging,
    run: str,
    uploaded: Uploaded,
    key: str | None,
    time: datetime | None,
    *,
    step: int | None,
    architecture: Mapping[str, Any] | None,
) -> str:
    """Keep a run's tensors on its way, as `save` does: the digest of their manifest."""
    name = record(workspace, run).model
    model = writable(workspace, name)
    bases = [*_bases(workspace, model, "main", ()), *_checkpoints(workspace, model, run)]
    staged = staging.of(name)
    with _assembled(workspace, staged, bases, uploaded) as (manifest, tensors, _):
        digest = save_checkpoint(
            workspace, run, tensors, step, key or str(uuid_utils.uuid7()), time, architecture, manifest.digest
        )
    staged.drop((*uploaded.manifest.chunks, *chunks_of(manifest)))
    return digest


@contextmanager
def _assembled(
    workspace: Workspace, staged: StagedChunks, bases: Sequence[SaveBase], uploaded: Uploaded
) -> Generator[tuple[Manifest, Mapping[str, Any], dict[str, Path | bytes]]]:
    """Manifest, tensors and files of what was uploaded. Where the save finds that the bytes are others, damaged chunks
    are taken away and told as missing."""
    known = KnownChunks(workspace.vault, (base.known for base in bases))
    manifest = _manifest(staged, uploaded.manifest)
    wanted = list(chunks_of(manifest))
    here = staged.among(wanted)
    if lacking := [digest for digest in wanted if digest not in here and digest not in known]:
        raise MissingChunks(lacking)
    whole = {file.digest for base in bases for file in base.files}
    try:
        with staged.folder_for_files() as folder:
            yield manifest, assembled(manifest, staged, known), dict(_files(workspace, staged, whole, uploaded, folder))
    except Malformed:
        if damaged := [digest for digest in here if staged.read(digest) is None]:
            raise MissingChunks(damaged) from None
        raise


def _manifest(staged: StagedChunks, blob: Blob) -> Manifest:
    content = b"".join(contents(staged, blob))
    if digest_of(content) != blob.digest:
        raise Malformed(f"the chunks of the manifest come to {digest_of(content)}, not to {blob.digest}")
    try:
        return Manifest.decode(content)
    except Damaged as error:
        raise Malformed(f"the manifest is none: it must be {error.expected}") from None


def _files(
    workspace: Workspace, staged: StagedChunks, whole: set[str], uploaded: Uploaded, folder: Path
) -> Iterator[tuple[str, Path | bytes]]:
    for number, (name, blob) in enumerate(uploaded.files.items()):
        if blob.digest in whole:
            yield name, workspace.vault.blob(blob.digest)
            continue
        path = folder / str(number)
        with path.open("xb") as file:
            for content in contents(staged, blob):
                file.write(content)
        yield name, path


def contents(staged: StagedChunks, blob: Blob) -> Iterator[bytes]:
    """The chunks of a blob, each verified. Raises `MissingChunks`."""
    staged_now = staged.among(blob.chunks)
    if lacking := [digest for digest in dict.fromkeys(blob.chunks) if digest not in staged_now]:
        raise MissingChunks(lacking)
    for digest in blob.chunks:
        if (content := staged.read(digest)) is None:
            raise MissingChunks((digest,))
        yield content


def _checked(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is asked, whose `validation` is what is told of rows: of rows themselves the server makes no fingerprint."""
    if asked["validation"] is not None and not is_fingerprint(asked["validation"]):
        raise Malformed("validation is no fingerprint of rows; send what Lepton tells of them")
    return asked


def writable(workspace: Workspace, name: str) -> ModelState:
    workspace.rights.check("write", checked_model(name))
    return workspace.model(name)


def _bases(workspace: Workspace, model: ModelState, branch: str, parents: Iterable[str]) -> Iterator[SaveBase]:
    """The branch's head and the parents named. Raises `UnknownRevision` where one is not there, or may not be read."""
    if (head := model.head(branch)) is not None:
        yield from _of(model, head)
    for rev in parents:
        of, *_ = parts(rev)
        yield from _of(*workspace.resolve(rev, of or model.name))


def _of(model: ModelState, number: int) -> Iterator[SaveBase]:
    event = model.version(number).event
    yield SaveBase(KnownVersion(event.tensors, graph_of(model, event.tensors)), event.files)


def _under(workspace: Workspace, model: ModelState, key: str | None) -> Iterator[SaveBase]:
    """The version that this very save made when it was sent before: then nothing is uploaded again."""
    with suppress(UnknownRevision):
        if key is not None and (number := number_under(workspace, key)) is not None:
            yield from _of(model, number)


def _checkpoints(workspace: Workspace, model: ModelState, run: str | None) -> Iterator[SaveBase]:
    """What a run of the model kept last."""
    if run is None or not (kept := record(workspace, run)).checkpoints or kept.model != model.name:
        return
    digest = kept.checkpoints[-1].tensors
    yield SaveBase(KnownVersion(digest, Graph({digest: 1}, ())))


def _chunks_of_files(uploaded: Uploaded) -> Iterator[str]:
    return (digest for blob in uploaded.files.values() for digest in blob.chunks)
