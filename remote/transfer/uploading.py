"""Uploading: chunks that a server lacks, sent several at a time, before the one request that names them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple, TypeVar
from urllib.parse import quote

from ...errors import Malformed, MissingChunks, Refused, Unavailable
from ...tensors.digest import digest_of
from ...tensors.frames import MEDIA, head
from ...tensors.manifest import CHUNK
from .connections import Connections

if TYPE_CHECKING:
    from .server import JsonServer

T = TypeVar("T")
Chunk = tuple[str, bytes | memoryview]
"""Its digest, and its bytes."""
BATCH: Final = 16 << 20
"""Bytes of chunks sent by one request."""
AT_ONCE: Final = 3
"""Requests under way at a time."""
_ASKED: Final = 10_000
"""Chunks asked about by one request."""
_TIMES: Final = 3
"""Times that what a save lacks is uploaded, for another save may have taken the same chunks away meanwhile."""


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


class ChunkUpload(ABC):
    """Bytes on their way to a server, as chunks for a model."""

    def __init__(self, server: JsonServer, model: str) -> None:
        self._server = server
        self._connections = Connections(server)
        self._path = f"/models/{quote(model, safe='')}/chunks"

    def committed(self, commit: Callable[[], T], key: str) -> T:
        """What the server answers once all is uploaded; what it lacks by then is uploaded again."""
        try:
            self._send(self._missing())
            for _ in range(_TIMES):
                try:
                    return commit()
                except MissingChunks as lacking:
                    self._send(set(lacking.chunks))
            return commit()
        except Unavailable as error:
            error.key = error.key or key
            raise
        finally:
            self._connections.close()

    @abstractmethod
    def _missing(self) -> set[str]:
        """The chunks that the server lacks."""

    @abstractmethod
    def _chunks(self, missing: set[str]) -> Iterator[Chunk]:
        """The chunks that are missing, each once."""

    def _lacked(self, chunks: Iterable[str], goes_on_from: Mapping[str, Any]) -> set[str]:
        """Those of the chunks that the server lacks, where a save goes on from versions that it has."""
        wanted, missing = iter(chunks), set[str]()
        while asked := list(islice(wanted, _ASKED)):
            missing.update(self._ask(asked, [], goes_on_from)[0])
        return missing

    def _ask(
        self, chunks: Sequence[str], files: Sequence[str], goes_on_from: Mapping[str, Any]
    ) -> tuple[list[str], list[str]]:
        told = self._server.post(f"{self._path}/missing", {**goes_on_from, "chunks": chunks, "files": files})
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

    def _upload(self, batch: Sequence[Chunk]) -> None:
        pieces = [piece for digest, data in batch for piece in (head(digest, len(data)), data)]
        try:
            self._connections.send(self._path, pieces, {"Content-Type": MEDIA})
        except Malformed:
            if any(digest_of(data) != digest for digest, data in batch):
                sentence = "a tensor or file changed while it was saved; save again when nothing writes to it"
                raise Refused(sentence) from None
            raise

    def _batches(self, missing: set[str]) -> Iterator[list[Chunk]]:
        batch, size = list[Chunk](), 0
        for digest, data in self._chunks(set(missing)):
            batch.append((digest, data))
            size += len(data)
            if size >= BATCH:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch


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
