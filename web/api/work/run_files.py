"""Files of runs: listed, sent as what they are without running in the site's name, and kept of what was uploaded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated
from urllib.parse import quote

from fastapi import Query
from pydantic import Field, StrictInt
from starlette.responses import Response

from ....errors import UnknownRevision
from ....media import PICTURES
from ....results.shapes.work import LOGGED_FILES, RUN_FILES
from ....results.work.run_files import RunFileRecord
from ....versions.incoming.run_files import SentFile
from ....versions.runs.found_file import found
from ....versions.runs.run_file import MOST_FILES
from ...caller import Call
from ...described import answers, ranges
from ...ranges import Content, ranged
from ...routing import Router
from ..saving import BlobSent, Strict
from .runs import ToldOfRun

router = Router("files")

Named = Annotated[str | None, Query(description="The files of this name alone.")]
Step = Annotated[int | None, Query(description="That of this step; else the one that was logged last.")]
OfDigest = Annotated[str | None, Query(description="That of this digest, which never changes.", max_length=100)]
HARMLESS = {"Content-Security-Policy": "default-src 'none'; sandbox", "Cross-Origin-Resource-Policy": "same-origin"}
"""Whatever a file is, a browser neither runs it nor shows it in the site's name."""


class FileSent(Strict):
    """A file of a run whose chunks were uploaded."""

    name: str = Field(max_length=1000)
    content: BlobSent
    step: StrictInt | None = None


class FilesSent(ToldOfRun):
    """Files of a run whose chunks were uploaded: all of them are kept, or none."""

    files: list[FileSent] = Field(min_length=1, max_length=MOST_FILES)


@router.get("/runs/{run}/files", summary="The files that a run logged", responses=answers(RUN_FILES))
def files(call: Call, run: str, name: Named = None) -> Response:
    """By name and step; of two of one name and step the later one."""
    listed = call.manager.run_files(run, name)
    return call.read(listed, body={"files": listed})


@router.post(
    "/runs/{run}/files",
    status_code=201,
    summary="Keep what was uploaded as files of a run",
    responses=answers(LOGGED_FILES, status=201, place=True),
)
def log_files(call: Call, run: str, sent: FilesSent) -> Response:
    """Chunks are uploaded for the run's model. Those that are not here by now are listed in a problem `missing-chunks`:
    upload them, and send this again."""
    files = [SentFile(each.name, each.content.told(), each.step) for each in sent.files]
    where = f"/api/v1/runs/{quote(run, safe='')}/files"
    return call.wrote(
        lambda: call.manager.transfer.log_files(run, files, call.key, sent.time, sent.writer),
        body=lambda digests: {"digests": list(digests)},
        status=201,
        location=lambda _: where,
    )


@router.get("/runs/{run}/files/{name}", summary="A file that a run logged, by ranges", responses=ranges("*/*"))
def file(call: Call, run: str, name: str, step: Step = None, digest: OfDigest = None) -> Response:
    """Pictures (PNG, JPEG, GIF, WebP) as what they are, all else to be saved: nothing of it runs in the site's name."""
    record = (
        _of_digest(call, run, name, digest) if digest else found(call.manager.run_files(run, name), run, name, step)
    )
    transfer = call.manager.transfer

    def pieces(start: int, stop: int) -> Iterator[memoryview]:
        yield memoryview(transfer.file(record.digest))[start:stop]

    shown = record.media_type in PICTURES
    content = Content(record.bytes, record.digest, pieces, record.media_type)
    called = None if shown else record.name.rpartition("/")[2]
    return ranged(call.request, content, immutable=digest is not None, name=called, more=HARMLESS)


def _of_digest(call: Call, run: str, name: str, digest: str) -> RunFileRecord:
    for each in call.manager.run_files(run, name):
        if each.digest == digest:
            return each
    raise UnknownRevision(f"run {run!r} has no file {name[:200]!r} of that digest; its files are listed one level up")
