"""What workers and the ledger tell each other: each message a CloudEvent on its topic."""

from __future__ import annotations

from abc import abstractmethod
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Final, Literal, NamedTuple, Self

import uuid_utils
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import from_json, to_json

from ...errors import Malformed, first_fault
from ...events.event import Digest, Figure, Json
from ...events.objects import PackWritten
from ...events.run import MetricsLogged
from ...events.strict_json import checked_json, storable_json
from ...tensors.objects import is_pack
from .identity import verified

PREFIX: Final = "lepton.worker."
REMARKS: Final = 20
"""Sentences about the rows that an attempt may say."""
REMARK: Final = 500
"""Characters of one."""


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,100}$")]
Incarnation = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,36}$")]
Word = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]
Count = Annotated[int, Field(ge=0, lt=2**31, strict=True)]
Size = Annotated[int, Field(ge=0, lt=2**63)]


class Message(BaseModel):
    """Something told; `n` and the rest of its name are the same however often it is sent."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="strings")

    said: ClassVar[str]
    """What it is called behind `lepton.worker.`."""

    @property
    @abstractmethod
    def subject(self) -> str:
        """What it is about."""

    @property
    def name(self) -> str:
        """What sets it apart from all others of its source."""
        return str(uuid_utils.uuid7())


class WorkerMessage(Message):
    """A worker about itself."""

    incarnation: Incarnation

    @property
    def subject(self) -> str:
        return f"worker/{self.incarnation}"


class WorkerReady(WorkerMessage):
    """A worker is there: what it can, how many slots it has, and what it is at; repeated as its heartbeat.

    `beat` counts the announcements, so that an old one said again by somebody else is known.
    """

    said: ClassVar = "ready"
    pool: Word
    capabilities: Annotated[tuple[Word, ...], Field(max_length=100)]
    slots: Annotated[int, Field(ge=0, le=10_000)]
    running: Annotated[tuple[tuple[Name, Count], ...], Field(max_length=10_000)] = ()
    beat: Annotated[int, Field(ge=0, lt=2**53)] = 0
    vouched: Annotated[str, Field(max_length=100)] = ""
    """An HMAC of its name by the ledger's secret, where there is one."""


class Left(WorkerMessage):
    """A worker takes no more orders, and holds none."""

    said: ClassVar = "left"


class Clock(WorkerMessage):
    """The ledger to itself: when this is read, all that was said before it has been."""

    said: ClassVar = "clock"


class AttemptMessage(Message):
    """A worker about one attempt; `n` counts what it says of it."""

    job: Name
    epoch: Count
    n: Count

    @property
    def subject(self) -> str:
        return f"job/{self.job}"

    @property
    def name(self) -> str:
        return f"{self.job}.{self.epoch}.{self.n}"


class Started(AttemptMessage):
    """The process was spawned."""

    said: ClassVar = "started"
    environment: Json = {}
    code: Json = {}


class Measured(AttemptMessage):
    """Points of the attempt's metrics, in columns."""

    said: ClassVar = "measured"
    block: MetricsLogged


class KeptTensors(BaseModel):
    """Bytes that were kept in the object store: the manifest, the new packs, and the older ones they rest on."""

    model_config = ConfigDict(frozen=True)

    tensors: Digest
    packs: tuple[PackWritten, ...] = ()
    relies_on: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _packs_have_keys_of_packs(self) -> Self:
        for key in (*(each.pack for each in self.packs), *self.relies_on):
            if not is_pack(key):
                raise ValueError(f"{key[:60]!r} is no pack's key")
        return self


class Checkpointed(AttemptMessage):
    """What the attempt has come to was kept."""

    said: ClassVar = "checkpointed"
    step: Count
    kept: KeptTensors


class KeptDelta(BaseModel):
    """The difference from the base that was kept."""

    model_config = ConfigDict(frozen=True)

    digest: Digest
    bytes: Size
    elements: Size
    tensors: Size
    two_way: bool


class MadeVersion(BaseModel):
    """A version about to be committed: bytes in the object store, and what made them."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="strings")

    what: Literal["version"] = "version"
    kept: KeptTensors
    base: Annotated[int, Field(ge=1, lt=2**53)] | None = None
    """The version that the branch stood on when the work began."""
    keyframe: bool
    delta: KeptDelta | None = None
    hyperparameters: Json = {}
    architecture: Json = {}
    settings: Json = {}
    data: Json | None = None
    environment: Json = {}
    code: Json = {}
    metrics: dict[str, Figure] = {}
    validation: Json | None = None
    """Fingerprint of the rows that the metrics are of."""
    task: Word | None = None
    """What the metrics are of."""


class MadeEvaluation(BaseModel):
    """An evaluation about to be recorded."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="strings")

    what: Literal["evaluation"] = "evaluation"
    data: Json
    metrics: dict[str, Figure]
    task: Word | None = None
    better: dict[str, Literal["higher", "lower"]] = {}
    """Which way metrics of the user's own are better."""
    intervals: dict[str, tuple[float, float]] | None = None
    bootstrap: Json | None = None
    kept: KeptTensors | None = None
    """The report, and outcomes where they are kept."""


class Finished(AttemptMessage):
    """The final answer: what was made, where the kind of work makes anything but its result."""

    said: ClassVar = "finished"
    made: Annotated[MadeVersion | MadeEvaluation, Field(discriminator="what")] | None = None
    result: Json = {}
    points: Annotated[int, Field(ge=0, lt=2**53)] = 0
    remarks: Annotated[tuple[Annotated[str, Field(max_length=REMARK)], ...], Field(max_length=REMARKS)] = ()
    """What was suspicious about the rows, a sentence each, without a value of them."""


class Failed(AttemptMessage):
    """The final answer: it could not be done; `again` where another attempt may go better."""

    said: ClassVar = "failed"
    error: Annotated[str, Field(max_length=200)]
    reason: str = ""
    again: bool = False
    counted: bool = True
    points: Annotated[int, Field(ge=0, lt=2**53)] = 0


FINAL: Final = (Finished, Failed)
_TYPES: Final = (WorkerReady, Left, Clock, Started, Measured, Checkpointed, *FINAL)
_KINDS: Final[dict[str, type[Message]]] = {f"{PREFIX}{each.said}.v1": each for each in _TYPES}


LARGEST: Final = 900_000
"""Bytes of a message: what every broker takes as one record."""
SOURCE: Final = "/lepton/worker/"
LONGEST: Final = 500
"""Characters of an attribute."""


OWN: Final = "ledger"
"""Who it is that says something when the ledger does."""
_OWN: Final = f'"data":{{"incarnation":"{OWN}"}}}}'.encode()
"""What the ledger's own messages end with."""


class Said(NamedTuple):
    """A message as it came: who says it by which keys, when by its own clock, and the trace it belongs to."""

    message: Message
    by: str
    key: str
    time: datetime
    traceparent: str | None


def encoded(message: Message, source: str, traceparent: str | None = None) -> bytes:
    """A message as its sender signs it: a CloudEvent in its structured form, named the same whenever it is sent."""
    trace = {} if traceparent is None or not traceparent.isprintable() else {"traceparent": traceparent[:LONGEST]}
    return to_json(
        {
            "specversion": "1.0",
            "id": message.name,
            "source": f"{SOURCE}{source}",
            "type": f"{PREFIX}{message.said}.v1",
            "subject": message.subject,
            "time": datetime.now(UTC).isoformat(),
            **trace,
            "datacontenttype": "application/json",
            "data": storable_json(message.model_dump(mode="json")),
        }
    )


def decoded(body: bytes) -> Message:
    """The message in its bytes, signed or not. Raises `Malformed` on anything else."""
    return _parsed(body)[0]


def said(raw: bytes, place: str) -> Said:
    """The message in bytes that were said on a place, and who says it. Raises `Malformed` on anything else.

    A worker's bear its signature and name it as their source. The ledger's own need none: they ask for nothing.
    """
    if raw.endswith(_OWN):
        message, envelope = _parsed(raw)
        if isinstance(message, Clock):
            return Said(message, OWN, "", _time(envelope), None)
    body, by, key = verified(raw, place)
    message, envelope = _parsed(body)
    if (source := _attribute(envelope.get("source"))) != f"{SOURCE}{by}":
        raise Malformed(f"worker {by} signs what it says is by {source[:80]!r}")
    if isinstance(message, WorkerMessage) and message.incarnation != by:
        raise Malformed(f"worker {by} speaks of itself as {message.incarnation!r}")
    trace = envelope.get("traceparent")
    return Said(message, by, key, _time(envelope), None if trace is None else _attribute(trace))


def clock() -> bytes:
    """What the ledger says to itself."""
    return encoded(Clock(incarnation=OWN), OWN)


def _parsed(body: bytes) -> tuple[Message, dict[str, Any]]:
    try:
        envelope: Any = checked_json(from_json(body), "the message")
        return _KINDS[envelope["type"]].model_validate(envelope["data"]), envelope
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise Malformed(f"this is no message of a worker: {_fault(error)}") from error


def _attribute(value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST or not value.isprintable():
        raise Malformed(f"source and traceparent are at most {LONGEST} printable characters")
    return value


def _time(envelope: dict[str, Any]) -> datetime:
    """When a message was written; a time that is none, or that no clock could show, is `Malformed`."""
    try:
        time = datetime.fromisoformat(envelope["time"]).astimezone(UTC)
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise Malformed("this is no message of a worker: it bears no time") from error
    return time


def _fault(error: Exception) -> str:
    if isinstance(error, ValidationError):
        place, words, _ = first_fault(error, "data")
        return f"{place}: {words}"
    if isinstance(error, KeyError):
        return f"it has no {error}" if error.args[0] in ("type", "data") else "its type is unknown"
    return f"it is no JSON object ({str(error)[:200]})"
