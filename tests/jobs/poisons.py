"""Messages that are nearly right: each a mutation of a genuine one, drawn from a seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any, Final

from lepton_ai.domain.outside import ACCEPTED
from lepton_ai.events.inbox import Letter
from lepton_ai.events.objects import PackWritten
from lepton_ai.events.run import MetricsLogged
from lepton_ai.jobs.protocol.messages import (
    Checkpointed,
    Clock,
    Failed,
    Finished,
    KeptTensors,
    Left,
    MadeEvaluation,
    MadeVersion,
    Measured,
    Message,
    Started,
    WorkerReady,
    encoded,
)

from .identities import identity

DIGEST: Final = f"blake3:{7:064x}"
EXTREMES: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1, 2**31, 2**53, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63) - 1, 10**30, 10**400,
    -0.0, 5e-324, 1.7976931348623157e308, float("inf"), float("-inf"), float("nan"), "NaN", "Infinity", "1", "", " ",
    "\0", "a\0b",
    "\ud800", "\udfff\ud800", "\ufffe\uffff", "\U0010ffff", "\u202e", "\u0301", "\n", "'; DROP TABLE events; --",
    "x" * 201, "x" * 600, "x" * 70_000, "😀" * 500, "../../etc/passwd", "sha256:0", "sealed:v1:AAAA", "%00", "${HOME}",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0000-00-00T00:00:00Z", "2026-02-30T00:00:00Z",
    "2026-01-31T12:00:00", "2026-01-31T12:00:60Z", "2026-01-31T12:00:00+99:99", "-292277-01-01T00:00:00Z", "P1D", "1e9",
    [], {}, [[]], [None], {"": None}, {"\0": 1}, {"a": {"b": {"c": 1}}}, [1] * 5_000,
)  # fmt: skip
DATA: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "lepton.metrics.recorded.v1": ("model/credit", {"version": 1, "metrics": {"f1": 0.5}}),
    "lepton.evaluation.recorded.v1": (
        "model/credit",
        {"version": 1, "data": {"digest": "blake3:1", "rows": 9}, "name": "test", "metrics": {"f1": 0.5}},
    ),
    "lepton.version.annotated.v1": ("model/credit", {"version": 1, "annotations": {"ticket": "RISK-1", "n": 1}}),
    "lepton.dataset.recorded.v1": ("dataset/loans", {"data": {"digest": "blake3:1", "rows": 9}}),
    "lepton.observation.recorded.v1": (
        "endpoint/scoring",
        {
            "model": "credit",
            "version": 1,
            "since": "2026-01-01T00:00:00Z",
            "until": "2026-01-02T00:00:00Z",
            "rows": 10,
            "metrics": {"latency_ms": 3.5},
        },
    ),
    "lepton.version.offered.v1": (
        "model/credit",
        {
            "source": "s3://bucket/m.safetensors",
            "digest": f"sha256:{7:064x}",
            "branch": "main",
            "hyperparameters": {"lr": 0.1},
            "architecture": {"class": "somebody-else"},
            "settings": {"epochs": 3},
            "data": {"digest": "blake3:1"},
            "metrics": {"f1": 0.5},
            "tags": ["lab"],
            "message": "by hand",
        },
    ),
}


def outside(id: str, kind: str = "lepton.metrics.recorded.v1", **changes: Any) -> dict[str, Any]:
    """A genuine message of a service."""
    subject, data = DATA[kind]
    whole = {"specversion": "1.0", "id": id, "source": "/scoring/eu", "type": kind, "subject": subject}
    return whole | {"time": "2026-01-31T12:00:00Z", "correlationid": "c", "data": data} | changes


def said(job: str, worker: str) -> list[Message]:
    """A genuine message of each kind that workers say."""
    block = MetricsLogged.model_validate(
        {"names": ["loss"], "steps": [1], "values": [0.5], "times": ["2026-01-31T12:00:00Z"]}
    )
    pack = PackWritten(pack=f"packs/aa/{7:032x}", index=DIGEST, bytes=100, entries=1)
    kept = KeptTensors(tensors=DIGEST, packs=(pack,))
    of = {"job": job, "epoch": 1}
    return [
        WorkerReady(incarnation=worker, pool="default", capabilities=("train",), slots=1, running=((job, 1),)),
        Left(incarnation=worker),
        Clock(incarnation=worker),
        Started(**of, n=0, environment={"python": "3.11"}),
        Measured(**of, n=1, block=block),
        Checkpointed(**of, n=2, step=3, kept=kept),
        Finished(**of, n=3, made=MadeVersion(kept=kept, keyframe=True, metrics={"f1": 0.5}), result={"f1": 0.5}),
        Finished(**of, n=4, made=MadeEvaluation(data={"digest": DIGEST}, metrics={"f1": 0.5})),
        Failed(**of, n=5, error="ValueError", reason="why"),
    ]


def mutated(raw: bytes, chance: random.Random) -> bytes:
    """A message after one or two mutations, of its JSON or of its bytes."""
    for _ in range(chance.choice((1, 1, 1, 2))):
        raw = chance.choice((_valued, _valued, _valued, _valued, *_OF_BYTES))(raw, chance)
    return raw


def poisoned_letters(chance: random.Random, count: int, good: Callable[[int], dict[str, Any]]) -> Iterator[Letter]:
    """Letters from position 0 on: mutations of every accepted type, in both modes; each fifth one is good."""
    kinds = list(ACCEPTED)
    for place in range(count):
        if place % 5 == 4:
            yield Letter(place, json.dumps(good(place)).encode())
            continue
        told = outside(f"poison-{place}", kinds[place % len(kinds)])
        if chance.random() < 0.25:
            yield _binary(place, told, chance)
        else:
            yield Letter(place, mutated(json.dumps(told).encode(), chance))


def poisoned_results(chance: random.Random, count: int, place: str) -> Iterator[bytes]:
    """Mutations of every kind of message that workers say, of jobs and workers that there are none.

    Most bear a signature that holds, so that what they say is looked at too; some are mutated behind it.
    """
    for n in range(count):
        worker = identity(f"stranger-{n % 7}")
        message = chance.choice(said(chance.choice(("nobodys-job", "job")), worker.incarnation))
        body = encoded(message, worker.incarnation)
        if chance.random() < 0.2:
            yield mutated(worker.signed(body, place), chance)
        else:
            yield worker.signed(mutated(body, chance), place)


def _binary(place: int, told: dict[str, Any], chance: random.Random) -> Letter:
    """A letter in binary mode whose headers or data are mutated."""
    headers = [(f"ce_{name}", str(value).encode()) for name, value in told.items() if name != "data"]
    n = chance.randrange(len(headers))
    name, value = headers[n]
    headers[n] = chance.choice(
        (
            (name.upper(), value),
            (name, b""),
            (name, b"\xff\xfe" + value),
            (name, value + b"\0"),
            (name, value * 300),
            (name + "\n", value),
            ("", value),
            (name, str(chance.choice(EXTREMES)).encode("utf-8", "surrogatepass")),
        )
    )
    if chance.random() < 0.2:
        headers.append(headers[0])
    raw = json.dumps(told["data"]).encode()
    return Letter(place, mutated(raw, chance) if chance.random() < 0.5 else raw, tuple(headers))


def _valued(raw: bytes, chance: random.Random) -> bytes:
    """Another value, another name, or a place less or more, somewhere in the JSON."""
    try:
        whole = json.loads(raw)
    except (ValueError, RecursionError):
        return raw
    places = list(_places(whole))
    if not places:
        return raw
    holder, name = chance.choice(places)
    act = chance.randrange(10)
    if act == 0:
        del holder[name]
    elif act == 1 and isinstance(holder, dict):
        holder[chance.choice(("", "\0", "x" * 300, "type", "no such field", "\ud800"))] = holder.pop(name)
    elif act == 2:
        holder[name] = _nested(holder[name], chance.choice((3, 70, 500)))
    elif act == 3 and isinstance(holder, dict):
        holder[f"extra-{chance.randrange(5)}"] = chance.choice(EXTREMES)
    else:
        holder[name] = chance.choice(EXTREMES)
    return json.dumps(whole).encode()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    names = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for name in names:
        yield value, name
        yield from _places(value[name])


def _nested(value: Any, levels: int) -> Any:
    for n in range(levels):
        value = [value] if n % 2 else {"deeper": value}
    return value


def _cut(raw: bytes, chance: random.Random) -> bytes:
    return raw[: chance.randrange(len(raw) + 1)]


def _flipped(raw: bytes, chance: random.Random) -> bytes:
    if not raw:
        return raw
    place = chance.randrange(len(raw))
    return raw[:place] + bytes([raw[place] ^ 1 << chance.randrange(8)]) + raw[place + 1 :]


def _inserted(raw: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(raw) + 1)
    odd = chance.choice(
        (b"\0", b"\xff", b"\xed\xa0\x80", b"\\ud800", b"\xef\xbb\xbf", b'"', b"1e999", b"9" * 5000, b"[" * 2000)
    )
    return raw[:place] + odd + raw[place:]


def _twice(raw: bytes, chance: random.Random) -> bytes:
    """Its first name twice, or the whole message."""
    return raw + raw if chance.random() < 0.3 else raw.replace(b"{", b'{"id":"twice","id":"again",', 1)


def _transcoded(raw: bytes, chance: random.Random) -> bytes:
    return raw.decode("utf-8", "replace").encode(chance.choice(("utf-16", "utf-32", "utf-8-sig", "cp037")), "replace")


_OF_BYTES: Final = (_cut, _flipped, _inserted, _twice, _transcoded)
