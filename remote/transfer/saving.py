"""Saving over HTTP: chunks that the server lacks are uploaded, then one request makes a version of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ...results import Version
from ...tensors.manifest import checked_raw, chunk_bytes, describe
from ...versions.spool.entries import revision_of, written_save
from .restoring import version_of
from .uploading import Chunk, ChunkUpload, FileParts

if TYPE_CHECKING:
    from ...tensors.tensor import Tensor
    from ...versions.runs.run_file import RunFile
    from ...versions.save_request import Save
    from ...versions.source import Subject
    from .server import JsonServer


def saved(server: JsonServer, subject: Subject, save: Save, key: str, time: datetime | None = None) -> Version:
    """Keep a subject as the next version of a branch, on the server; `save` is what `filled` gave.

    Parents, origin and `expected` that were pending bear their numbers by now. Raises what the server refuses, and
    `Unavailable` with the key while it is away: what was uploaded by then is not uploaded again.
    """
    asked = {name: each for name, each in written_save(subject.name, save).items() if name != "name"}
    parents = [revision_of(subject.name, words, version) for words, version, _ in asked["parents"] or ()]
    files = {name: FileParts.of(source) for name, source in save.files.items()}
    upload = Uploading(server, subject.name, subject.tensors, files, {"branch": save.branch, "parents": parents})
    body = {"save": asked, "files": {name: each.told() for name, each in files.items()}, **_at(time)}
    path = f"/models/{quote(subject.name, safe='')}/versions"
    return version_of(upload.committed(lambda: server.post(path, {**body, "manifest": upload.manifest}, key=key), key))


def checkpointed(
    server: JsonServer,
    model: str,
    run: str,
    tensors: Mapping[str, Tensor],
    step: int | None,
    key: str,
    *,
    time: datetime | None = None,
    architecture: Mapping[str, Any] | None = None,
) -> str:
    """Keep the tensors of a run of a model on its way: the digest of their manifest."""
    upload = Uploading(server, model, tensors, {}, {"run": run})
    body = {"step": step, "architecture": architecture, **_at(time)}
    path = f"/runs/{quote(run, safe='')}/checkpoints"
    told = upload.committed(lambda: server.post(path, {**body, "manifest": upload.manifest}, key=key), key)
    return str(told["tensors"])


def files_logged(
    server: JsonServer,
    model: str,
    run: str,
    files: Sequence[RunFile],
    key: str,
    *,
    time: datetime | None = None,
    writer: str | None = None,
) -> tuple[str, ...]:
    """Keep files of a run of a model: the digests of their bytes."""
    parts = [FileParts.of(file.content) for file in files]
    named = [
        {"name": file.name, "content": each.told(), "step": file.step} for file, each in zip(files, parts, strict=True)
    ]
    body, path = {"files": named, "writer": writer, **_at(time)}, f"/runs/{quote(run, safe='')}/files"
    told = FilesUpload(server, model, parts).committed(lambda: server.post(path, body, key=key), key)
    return tuple(told["digests"])


class FilesUpload(ChunkUpload):
    """The bytes of a run's files on their way to a server."""

    def __init__(self, server: JsonServer, model: str, files: Sequence[FileParts]) -> None:
        super().__init__(server, model)
        self._parts = [part for file in files for part in file.parts]

    def _missing(self) -> set[str]:
        """The chunks that the server lacks; a single one is sent at once, which takes as long as to ask for it."""
        chunks = {part.digest: None for part in self._parts}
        return self._lacked(chunks, {}) if len(chunks) > 1 else set(chunks)

    def _chunks(self, missing: set[str]) -> Iterator[Chunk]:
        for part in self._parts:
            if part.digest in missing:
                missing.discard(part.digest)
                yield part.digest, part.read()


class Uploading(ChunkUpload):
    """The bytes of one save on their way to a server."""

    def __init__(
        self,
        server: JsonServer,
        model: str,
        tensors: Mapping[str, Tensor],
        files: Mapping[str, FileParts],
        goes_on_from: Mapping[str, Any],
    ) -> None:
        super().__init__(server, model)
        self._tensors = tensors
        self._files = files
        self._goes_on_from = goes_on_from
        self._manifest = describe(tensors)
        self._head = FileParts.of(self._manifest.encoded)
        self.manifest = self._head.told()
        """As the server is told of it."""

    def _missing(self) -> set[str]:
        """What the server lacks, files that it knows as a whole left out."""
        named = {each.digest for each in self._files.values()}
        known = named - set(self._ask([], sorted(named), self._goes_on_from)[1]) if named else set[str]()
        parts = [
            *self._head.parts,
            *(part for each in self._files.values() if each.digest not in known for part in each.parts),
        ]
        chunks = (digest for owner in self._manifest.owners for digest in owner.chunks)
        return self._lacked(dict.fromkeys((*(part.digest for part in parts), *chunks)), self._goes_on_from)

    def _chunks(self, missing: set[str]) -> Iterator[Chunk]:
        """The chunks that are missing, each once: the manifest, files, then tensors, each asked once for its bytes."""
        parts = (part for each in (self._head, *self._files.values()) for part in each.parts)
        for part in parts:
            if part.digest in missing:
                missing.discard(part.digest)
                yield part.digest, part.read()
        for owner in self._manifest.owners:
            if missing.isdisjoint(owner.chunks):
                continue
            raw = checked_raw(owner.name, self._tensors[owner.name])
            for number, digest in enumerate(owner.chunks):
                if digest in missing:
                    missing.discard(digest)
                    yield digest, chunk_bytes(raw, number).data


def _at(time: datetime | None) -> dict[str, Any]:
    return {} if time is None else {"time": time.isoformat()}
