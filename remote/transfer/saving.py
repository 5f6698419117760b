"""Saving over HTTP: chunks that the server lacks are uploaded, then one request makes a version of them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple, TypeVar
from urllib.parse import quote

from ...errors import Malformed, MissingChunks, Refused, Unavailable
from ...results import Version
from ...tensors.digest import digest_of
from ...tensors.frames import MEDIA, head
from ...tensors.manifest import CHUNK, checked_raw, chunk_bytes, describe
from ...versions.spool.entries import revision_of, written_save
from .connections import Connections
from .restoring import version_of

if TYPE_CHECKING:
    from ...tensors.tensor import Tensor
    from ...versions.save_request import Save
    from ...versions.source import Subject
    from .server import JsonServer

T = TypeVar("T")
BATCH: Final = 16 << 20
"""Bytes of chunks sent by one request."""
AT_ONCE: Final = 3
"""Requests under way at a time."""
_ASKED: Final = 10_000
"""Chunks asked about by one request."""
_TIMES: Final = 3
"""Times that what a save lacks is uploaded, for another save may have taken the same chunks away meanwhile."""


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
    return version_of(
        upload.committed(lambda manifest: server.post(path, {**body, "manifest": manifest}, key=key), key)
    )


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
    told = upload.committed(lambda manifest: server.post(path, {**body, "manifest": manifest}, key=key), key)
    return str(told["tensors"])


class Part(NamedTuple):
    """A chunk of a file, or of bytes."""

    digest: str
    source: Path | bytes
    start: int
    size: int

    def read(self) -> bytes:
        """Its bytes. Raises `Refused` where the file cannot be read."""
        if isinstance(self.source, bytes):
            return self.source[self.start : self.start + self.size]
        with _readable(self.source) as file:
            file.seek(self.start)
            return file.read(self.size)


class FileParts(NamedTuple):
    """A file beside a version: its digest, and its chunks."""

    digest: str
    parts: tuple[Part, ...]

    @classmethod
    def of(cls, source: Path | bytes) -> FileParts:
        """A file, or bytes, read once to be named. Raises `Refused` where it cannot be read."""
        from blake3 import blake3

        whole, parts = blake3(), list[Part]()
        for start, piece in _pieces(source):
            whole.update(piece)
            parts.append(Part(digest_of(piece), source, start, len(piece)))
        return cls(f"blake3:{whole.hexdigest()}", tuple(parts))

    def told(self) -> dict[str, Any]:
        """As the server is told of it."""
        return {"digest": self.digest, "chunks": [part.digest for part in self.parts]}


class Uploading:
    """The bytes of one save on their way to a server."""

    def __init__(
        self,
        server: JsonServer,
        model: str,
        tensors: Mapping[str, Tensor],
        files: Mapping[str, FileParts],
        goes_on_from: Mapping[str, Any],
    ) -> None:
        self._server = server
        self._connections = Connections(server)
        self._path = f"/models/{quote(model, safe='')}/chunks"
        self._tensors = tensors
        self._files = files
        self._goes_on_from = goes_on_from
        self._manifest = describe(tensors)
        self._head = FileParts.of(self._manifest.encoded)

    def committed(self, commit: Callable[[Mapping[str, Any]], T], key: str) -> T:
        """What the server answers once all is uploaded; what it lacks by then is uploaded again."""
        try:
            self._send(self._missing())
            for _ in range(_TIMES):
                try:
                    return commit(self._head.told())
                except MissingChunks as lacking:
                    self._send(set(lacking.chunks))
            return commit(self._head.told())
        except Unavailable as error:
            error.key = error.key or key
            raise
        finally:
            self._connections.close()

    def _missing(self) -> set[str]:
        """What the server lacks, files that it knows as a whole left out."""
        named = {each.digest for each in self._files.values()}
        known = named - set(self._ask([], sorted(named))[1]) if named else set[str]()
        parts = [
            *self._head.parts,
            *(part for each in self._files.values() if each.digest not in known for part in each.parts),
        ]
        chunks = (digest for owner in self._manifest.owners for digest in owner.chunks)
        wanted = iter(dict.fromkeys((*(part.digest for part in parts), *chunks)))
        missing: set[str] = set()
        while asked := list(islice(wanted, _ASKED)):
            missing.update(self._ask(asked, [])[0])
        return missing

    def _ask(self, chunks: Sequence[str], files: Sequence[str]) -> tuple[list[str], list[str]]:
        body = {**self._goes_on_from, "chunks": chunks, "files": files}
        told = self._server.post(f"{self._path}/missing", body)
        return told["chunks"], told["files"]

    def _send(self, missing: set[str]) -> None:
        """Upload chunks, several requests at a time; what fails ends it once those under way are done."""
        under_way: list[Future[Any]] = []
        with ThreadPoolExecutor(AT_ONCE, "lepton-upload") as threads:
            for batch in self._batches(missing):
                under_way.append(threads.submit(self._upload, batch))
                if len(under_way) > AT_ONCE:
                    under_way.pop(0).result()
            for each in under_way:
                each.result()

    def _upload(self, batch: Sequence[tuple[str, bytes | memoryview]]) -> None:
        pieces = [piece for digest, data in batch for piece in (head(digest, len(data)), data)]
        try:
            self._connections.send(self._path, pieces, {"Content-Type": MEDIA})
        except Malformed:
            if any(digest_of(data) != digest for digest, data in batch):
                sentence = "a tensor or file changed while it was saved; save again when nothing writes to it"
                raise Refused(sentence) from None
            raise

    def _batches(self, missing: set[str]) -> Iterator[list[tuple[str, bytes | memoryview]]]:
        batch, size = list[tuple[str, bytes | memoryview]](), 0
        for digest, data in self._chunks(set(missing)):
            batch.append((digest, data))
            size += len(data)
            if size >= BATCH:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _chunks(self, missing: set[str]) -> Iterator[tuple[str, bytes | memoryview]]:
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


def _pieces(source: Path | bytes) -> Iterator[tuple[int, bytes]]:
    if isinstance(source, bytes):
        yield from ((start, source[start : start + CHUNK]) for start in range(0, len(source), CHUNK))
        return
    with _readable(source) as file:
        start = 0
        while piece := file.read(CHUNK):
            yield start, piece
            start += len(piece)


@contextmanager
def _readable(path: Path) -> Generator[BinaryIO]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise Refused(f"file {path.name!r} cannot be read ({error.strerror}); give one that can") from error


def _at(time: datetime | None) -> dict[str, Any]:
    return {} if time is None else {"time": time.isoformat()}
