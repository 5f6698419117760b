"""Saving: which chunks are missing, their upload, and the version or checkpoint that is made of them."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final
from urllib.parse import quote

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictInt
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ...errors import Malformed
from ...results import Version
from ...results.shapes.names import VERSION
from ...results.shapes.stored import KEPT_TENSORS, MISSING, STAGED
from ...tensors.frames import MEDIA, Frame, FrameReader
from ...versions.incoming.saving import Blob, Uploaded
from ...versions.incoming.staging import Upload
from ..caller import ANY, Call
from ..described import RECORDS_NOTHING, answers
from ..problems import Problem
from ..routing import Router

router = Router("saving")

_TOGETHER: Final = 4 << 20
"""Bytes of chunks that one thread verifies and stages while more arrive."""
Digest = Annotated[str, Field(pattern=r"^blake3:[0-9a-f]{64}$")]
Ref = StrictInt | tuple[str, StrictInt] | None


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ChunksAsked(Strict):
    """Chunks that a client has, and would upload if they are missing."""

    branch: str = "main"
    parents: list[str] = Field(default=[], max_length=1000, description="Revisions that the save will name as parents.")
    run: str | None = Field(default=None, description="The run whose checkpoint is to be kept.")
    chunks: list[Digest] = Field(max_length=20_000, description="BLAKE3 of each chunk.")
    files: list[Digest] = Field(default=[], max_length=20_000, description="BLAKE3 of each file as a whole.")


class BlobSent(Strict):
    """Bytes that were uploaded in chunks."""

    digest: Digest
    chunks: list[Digest] = Field(max_length=1_000_000)

    def told(self) -> Blob:
        return Blob(self.digest, tuple(self.chunks))


class SaveSent(Strict):
    """What is asked to be kept beside tensors: what `save_version` takes, as plain JSON."""

    branch: str = "main"
    message: str = ""
    parents: list[tuple[str, Ref, str]] | None = Field(
        default=None, description="Each a revision, its number where that is known, and its role."
    )
    origin: StrictInt | None = Field(default=None, description="The version that this one goes on from.")
    tags: list[str] = []
    hyperparameters: dict[str, Any] | None = None
    metrics: dict[str, Any] | None = None
    validation: dict[str, Any] | None = Field(default=None, description="Fingerprint of the rows of the metrics.")
    task: str | None = None
    better: dict[str, str] = {}
    data: dict[str, Any] | None = Field(default=None, description="Fingerprint of the training data.")
    settings: dict[str, Any] | None = None
    annotations: dict[str, Any] = {}
    architecture: dict[str, Any] | None = None
    derivation: dict[str, Any] | None = None
    environment: dict[str, Any] | None = None
    code: dict[str, Any] | None = None
    expected: StrictInt | str | None = Field(default=None, description="Where the branch must be.")
    run: str | None = None


class VersionSent(Strict):
    """A version whose chunks were uploaded."""

    manifest: BlobSent
    files: dict[str, BlobSent] = {}
    save: SaveSent = SaveSent()
    time: AwareDatetime | None = Field(default=None, description="When it was saved, if not now.")


class CheckpointSent(Strict):
    """A run's checkpoint whose chunks were uploaded."""

    manifest: BlobSent
    step: StrictInt | None = None
    architecture: dict[str, Any] | None = None
    time: AwareDatetime | None = None


@router.post(
    "/models/{model}/chunks/missing",
    summary="Which chunks a save would lack",
    responses=answers(MISSING, marks=(RECORDS_NOTHING,)),
)
def missing(call: Call, model: str, asked: ChunksAsked) -> Response:
    """Known are chunks staged for the model, and those of the branch's head, of the parents and of the run."""
    found = call.manager.transfer.missing(
        named(model), asked.chunks, asked.files, branch=asked.branch, parents=asked.parents, run=asked.run
    )
    return call.read({"chunks": list(found.chunks), "files": list(found.files)})


@router.post(
    "/models/{model}/chunks",
    summary="Upload chunks",
    openapi_extra={
        "requestBody": {"required": True, "content": {MEDIA: {"schema": {"type": "string", "format": "binary"}}}}
    },
    responses=answers(STAGED, marks=(RECORDS_NOTHING,)),
)
async def upload(call: Call, model: str) -> Response:
    """A body of frames, each a chunk: its BLAKE3 (32 bytes), its length (4 bytes, little-endian), and so many bytes, 1
    to 524,288. Those before one that is refused are staged; sent again, a chunk does no harm. They wait for a day."""
    if call.request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA:
        raise Problem(415, f"chunks come as {MEDIA}; send them so", Accept=MEDIA)
    place = await run_in_threadpool(lambda: call.manager.transfer.upload(named(model)))
    return call.read({"chunks": await _staged(call, place)})


@router.post(
    "/models/{model}/versions",
    status_code=201,
    summary="Make a version of what was uploaded",
    responses=answers(VERSION, status=201, place=True),
)
def save(call: Call, model: str, sent: VersionSent) -> Response:
    """Chunks that are not here by now are listed in a problem `missing-chunks`: upload them, and send this again."""
    asked = sent.save.model_dump() | {"name": named(model)}
    files = {name: blob.told() for name, blob in sent.files.items()}
    uploaded = Uploaded(manifest=sent.manifest.told(), files=files)
    return call.wrote(
        lambda: call.manager.transfer.save(asked, uploaded, call.key, sent.time), status=201, location=_place
    )


@router.post(
    "/runs/{run}/checkpoints",
    status_code=201,
    summary="Keep what was uploaded as a checkpoint",
    responses=answers(KEPT_TENSORS, status=201, place=True),
)
def checkpoint(call: Call, run: str, sent: CheckpointSent) -> Response:
    """As a version is made; chunks are uploaded for the run's model."""

    def keep() -> str:
        uploaded = Uploaded(manifest=sent.manifest.told())
        transfer, shape = call.manager.transfer, sent.architecture
        return transfer.checkpoint(run, uploaded, call.key, sent.time, step=sent.step, architecture=shape)

    where = f"/api/v1/runs/{quote(run, safe='')}/checkpoints"
    return call.wrote(keep, body=lambda digest: {"tensors": digest}, status=201, location=lambda _: where)


def named(model: str) -> str:
    """A model that is written to: the address names it."""
    if model == ANY:
        raise Malformed("name the model in the address: who saves says what it is a version of")
    return model


async def _staged(call: Call, place: Upload) -> int:
    """Stage the chunks of a body, a few at a time in a thread, while the next ones arrive: how many there were."""
    frames, waiting, size, count = FrameReader(), list[Frame](), 0, 0
    staging: asyncio.Task[None] | None = None

    def put(chunks: list[Frame]) -> None:
        for each in chunks:
            place.put(each)

    try:
        async for piece in call.request.stream():
            for frame in frames.feed(piece):
                waiting.append(frame)
                size, count = size + len(frame.data), count + 1
            if size >= _TOGETHER:
                if staging is not None:
                    await staging
                staging, waiting, size = asyncio.ensure_future(run_in_threadpool(put, waiting)), [], 0
        frames.finish()
    finally:
        if staging is not None:
            await staging
    await run_in_threadpool(put, waiting)
    return count


def _place(version: Version) -> str:
    return f"/api/v1/models/{quote(version.model, safe='')}/versions/{int(version)}"
