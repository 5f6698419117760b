"""Loading: the payloads that a restore rests on with their index, weights and tensors by ranges, files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import quote

from fastapi import Query
from starlette.responses import Response

from ...errors import Malformed, UnknownRevision
from ...results.shapes.stored import FILES, RESTORING, TENSORS
from ..caller import ANY, Call
from ..described import answers, ranges
from ..ranges import Content, ranged
from ..routing import Router

if TYPE_CHECKING:
    from ...versions.export.restoring import Restorable
    from ...versions.export.weights import Tensors

router = Router("loading")

VERSION: Final = "/models/{model}/versions/{rev}"
CHECKPOINT: Final = "/runs/{run}/checkpoints/{step}"
From = Annotated[
    str | None, Query(alias="from", description="The version at hand: then the deltas from there alone are listed.")
]
_NUMBER: Final = re.compile(r"v?[0-9]+")


@router.get(
    VERSION + "/restoring", summary="What a restore of a version rests on", responses=answers(RESTORING, etag=True)
)
def restoring(call: Call, model: str, rev: str, since: From = None) -> Response:
    """An index of stored payloads, the deltas to walk, and what a client needs to verify and rebuild the version."""
    found = call.manager.transfer.restorable(call.rev(model, rev), since)
    return call.read(found.to_dict(), etag=found.pack.etag)


@router.get(VERSION + "/stored", summary="Stored payloads, by ranges", responses=ranges())
def stored(call: Call, model: str, rev: str, since: From = None) -> Response:
    """The bytes that `restoring` lists, under the ETag that it gives."""
    return _stored(call, call.manager.transfer.restorable(call.rev(model, rev), since))


@router.get(VERSION + "/weights", summary="A version's tensors as a safetensors file, by ranges", responses=ranges())
def weights(call: Call, model: str, rev: str) -> Response:
    """As `lepton export` writes it; of a range only the chunks within are restored."""
    found = call.manager.transfer.tensors(call.rev(model, rev))
    return _weights(call, found, fixed=_is_fixed(model, rev))


@router.get(VERSION + "/tensors", summary="A version's tensors, by name", responses=answers(TENSORS, etag=True))
def tensors(call: Call, model: str, rev: str) -> Response:
    """Names, dtypes, shapes and digests; tied tensors name what they share."""
    found = call.manager.transfer.tensors(call.rev(model, rev))
    return call.read({"tensors": found.listed()}, etag=found.digest, immutable=_is_fixed(model, rev))


@router.get(
    VERSION + "/tensors/{name}",
    summary="A tensor's bytes, by ranges",
    responses=ranges(Lepton_Dtype="Its dtype.", Lepton_Shape="Its shape, sizes with commas between."),
)
def tensor(call: Call, model: str, rev: str, name: str) -> Response:
    """Row-major, little-endian; dtype and shape stand in Lepton-Dtype and Lepton-Shape."""
    return _tensor(call, call.manager.transfer.tensors(call.rev(model, rev)), name, fixed=_is_fixed(model, rev))


@router.get(VERSION + "/files", summary="The files kept beside a version", responses=answers(FILES))
def files(call: Call, model: str, rev: str) -> Response:
    """Names, sizes and digests."""
    return call.read({"files": call.manager.transfer.files(call.rev(model, rev))})


@router.get(VERSION + "/files/{name}", summary="A file kept beside a version, by ranges", responses=ranges())
def file(call: Call, model: str, rev: str, name: str) -> Response:
    """The file as it was when the version was saved."""
    transfer = call.manager.transfer
    known = next((each for each in transfer.files(call.rev(model, rev)) if each["name"] == name), None)
    if known is None:
        raise UnknownRevision(f"no file {name[:200]!r} is kept beside it; its files are listed one level up")

    def pieces(start: int, stop: int) -> Iterator[memoryview]:
        yield memoryview(transfer.file(known["digest"]))[start:stop]

    content = Content(known["bytes"], known["digest"], pieces)
    return ranged(call.request, content, immutable=_is_fixed(model, rev), name=name.rpartition("/")[2])


@router.get(
    CHECKPOINT + "/restoring",
    summary="What a restore of a checkpoint rests on",
    responses=answers(RESTORING, etag=True),
)
def checkpoint_restoring(call: Call, run: str, step: str) -> Response:
    """As of a version; `step` is a number, or `last`."""
    found = call.manager.transfer.restorable_checkpoint(run, _step(step))
    return call.read(found.to_dict(), etag=found.pack.etag)


@router.get(CHECKPOINT + "/stored", summary="Stored payloads of a checkpoint, by ranges", responses=ranges())
def checkpoint_stored(call: Call, run: str, step: str) -> Response:
    """As of a version."""
    return _stored(call, call.manager.transfer.restorable_checkpoint(run, _step(step)))


@router.get(
    CHECKPOINT + "/weights", summary="A checkpoint's tensors as a safetensors file, by ranges", responses=ranges()
)
def checkpoint_weights(call: Call, run: str, step: str) -> Response:
    """As of a version."""
    return _weights(call, call.manager.transfer.checkpoint_tensors(run, _step(step)), fixed=False)


@router.get(CHECKPOINT + "/tensors", summary="A checkpoint's tensors, by name", responses=answers(TENSORS, etag=True))
def checkpoint_tensors(call: Call, run: str, step: str) -> Response:
    """As of a version."""
    found = call.manager.transfer.checkpoint_tensors(run, _step(step))
    return call.read({"tensors": found.listed()}, etag=found.digest)


@router.get(
    CHECKPOINT + "/tensors/{name}",
    summary="A tensor's bytes of a checkpoint, by ranges",
    responses=ranges(Lepton_Dtype="Its dtype.", Lepton_Shape="Its shape, sizes with commas between."),
)
def checkpoint_tensor(call: Call, run: str, step: str, name: str) -> Response:
    """As of a version."""
    return _tensor(call, call.manager.transfer.checkpoint_tensors(run, _step(step)), name, fixed=False)


def _stored(call: Call, found: Restorable) -> Response:
    return ranged(call.request, Content(found.pack.size, found.pack.etag, found.pieces))


def _weights(call: Call, found: Tensors, *, fixed: bool) -> Response:
    read = found.weights()
    name = f"{quote(found.metadata.get('model', 'checkpoint'), safe='')}.safetensors"
    return ranged(call.request, Content(read.size, read.digest, read.pieces), immutable=fixed, name=name)


def _tensor(call: Call, found: Tensors, name: str, *, fixed: bool) -> Response:
    entry, read = found.tensor(name)
    more = {"Lepton-Dtype": entry.dtype, "Lepton-Shape": ",".join(map(str, entry.shape))}
    return ranged(call.request, Content(read.size, read.digest, read.pieces), immutable=fixed, more=more)


def _is_fixed(model: str, rev: str) -> bool:
    """Whether an address names the same version for ever, whoever asks."""
    return model != ANY and _NUMBER.fullmatch(rev) is not None


def _step(step: str) -> int | None:
    if step == "last":
        return None
    if not re.fullmatch(r"-?[0-9]{1,18}", step):
        raise Malformed(f"{step[:80]!r} is no step; give a number, or last")
    return int(step)
