"""Orders: what a worker is told to do, with all that it needs to know; it asks neither the ledger nor its database."""

from __future__ import annotations

from base64 import b64decode, b64encode
from hashlib import sha256
from typing import Annotated, Any, Final, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from ...errors import Malformed, first_fault
from ...tensors.graph import Edge, Graph
from ...tensors.objects import is_pack
from .identity import WorkerKeys, seal
from .messages import Count, Incarnation, Name, Word

LARGEST: Final = 700_000
"""Bytes of an order: sealed, and written as text, it is what a broker takes as one record."""
LARGEST_SEALED: Final = LARGEST * 4 // 3 + 1_000


def _pack(key: str) -> str:
    if not is_pack(key):
        raise ValueError(f"{key[:60]!r} is no pack's key")
    return key


Tensors = Annotated[str, Field(pattern=r"^blake3:[0-9a-f]{64}$")]
DeltaDigest = Annotated[str, Field(pattern=r"^(sha256|blake3):[0-9a-f]{64}$")]
Pack = Annotated[str, AfterValidator(_pack)]
Bytes = Annotated[int, Field(ge=0, lt=2**63)]
Number = Annotated[int, Field(ge=1, lt=2**53)]


class RestorePlan(BaseModel):
    """How tensors are restored: from a keyframe over deltas, out of these packs, each of which tells what it holds."""

    model_config = ConfigDict(frozen=True)

    tensors: Tensors
    start: Tensors
    start_bytes: Bytes
    edges: tuple[tuple[Tensors, Tensors, DeltaDigest, Bytes, bool], ...] = ()
    packs: tuple[Pack, ...]

    def graph(self) -> Graph:
        """The part of the model's graph that leads to the tensors."""
        return Graph({self.start: self.start_bytes}, tuple(Edge(*edge) for edge in self.edges))


class Base(BaseModel):
    """A version that the work goes on from, or looks at."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")

    version: Number
    way: RestorePlan
    architecture: dict[str, Any]
    hyperparameters: dict[str, Any]
    settings: dict[str, Any]
    data: dict[str, Any] | None
    metrics: dict[str, float]


class ResumePoint(BaseModel):
    """What an earlier attempt had come to, for this one to go on from."""

    model_config = ConfigDict(frozen=True)

    step: Count
    way: RestorePlan


class Order(BaseModel):
    """One attempt, as its worker is told of it."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="constants")

    job: Name
    epoch: Annotated[int, Field(ge=1, lt=2**31)]
    worker: Incarnation
    kind: Word
    model: Annotated[str, Field(min_length=1, max_length=200)]
    payload: dict[str, Any]
    source: Annotated[str, Field(max_length=4096, pattern=r"^[^\x00]*$")]
    validation_source: Annotated[str, Field(max_length=4096, pattern=r"^[^\x00]*$")] = ""
    """Where the rows lie that a training is validated on."""
    rows: RestorePlan | None = None
    """How named rows are restored that the object store keeps."""
    needs: Annotated[tuple[Word, ...], Field(max_length=100)] = ()
    memory: Annotated[int, Field(ge=1, lt=2**63)] | None = None
    seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    base: Base | None = None
    checkpoint: ResumePoint | None = None
    traceparent: Annotated[str, Field(max_length=100)] | None = None


class SealedOrder(NamedTuple):
    """An order as it is sent: its bytes, which only its worker can open, and their digest, which the log tells."""

    raw: bytes
    digest: str


def sealed(order: Order, key: str) -> SealedOrder:
    """An order for the eyes of the worker with these public keys. `Malformed` where it is larger than a topic takes."""
    plain = order.model_dump_json().encode()
    if len(plain) > LARGEST:
        raise Malformed(f"the order for job {order.job} has {len(plain):,} bytes of {LARGEST:,}; ask for less at once")
    about = _about(order.worker, order.job, order.epoch)
    raw = about + b',"sealed":"' + b64encode(seal(plain, about, key)) + b'"}'
    return SealedOrder(raw, digest(raw))


def digest(raw: bytes) -> str:
    """Of a sealed order's bytes, as `job.assigned` tells it."""
    return f"sha256:{sha256(raw).hexdigest()}"


def is_order(raw: bytes) -> bool:
    """Whether bytes look like an order for any worker."""
    return len(raw) <= LARGEST_SEALED and raw.startswith(b'{"worker":"')


def is_for(raw: bytes, incarnation: str) -> bool:
    """Whether bytes say that they are an order for a worker; whether they are one only the log can tell."""
    return len(raw) <= LARGEST_SEALED and raw.startswith(f'{{"worker":"{incarnation}",'.encode())


def opened(raw: bytes, identity: WorkerKeys) -> Order:
    """The order in its bytes, once the log told their digest. Raises `Malformed` where it is not as one must be."""
    about, _, rest = raw.partition(b',"sealed":"')
    try:
        return Order.model_validate_json(identity.opened(b64decode(rest.removesuffix(b'"}'), validate=True), about))
    except ValidationError as error:
        place, words, _ = first_fault(error, "it")
        raise Malformed(f"the order is none that this worker knows: {place}: {words[:200]}") from error
    except ValueError as error:
        raise Malformed(f"the order is damaged ({error})") from error


def job_of(raw: bytes) -> str | None:
    """The job that an order of the ledger's own is for; None where the bytes are no order."""
    try:
        told: Any = from_json(raw)
        return str(told["job"]) if "sealed" in told else None
    except (KeyError, TypeError, ValueError):
        return None


def _about(worker: str, job: str, epoch: int) -> bytes:
    """The readable part of a sealed order, which the seal holds as well."""
    return f'{{"worker":"{worker}","job":"{job}","epoch":{epoch}'.encode()
