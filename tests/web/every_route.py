"""Every route of the API with a request that it takes: what a walk of all of them asks with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from fastapi import FastAPI

from lepton_ai.domain.access.rights import Scope
from lepton_ai.tensors.digest import digest_of
from lepton_ai.tensors.frames import MEDIA, head

CSV: Final = {"Content-Type": "text/csv"}
ANY_MOVE: Final = {"If-Match": "*"}
CHUNK: Final = b"a chunk of bytes"
FRAME: Final = head(digest_of(CHUNK), len(CHUNK)) + CHUNK
ROWS: Final = b"a,b,y\n1,3,0\n2,4,1\n3,5,0\n4,1,1\n"
ABSENT_JOB: Final = "0190a7e2-7c1d-7f7e-9f0a-3d2f5a6b7c8d"


@dataclass(frozen=True)
class Things:
    """What requests name."""

    model: str
    run: str
    suite: str
    job: str
    chain: str
    study: str
    rows: str = "0" * 32
    token: str = ABSENT_JOB
    data: str = "loans"
    actor: str = "cleo"


@dataclass(frozen=True)
class Sample:
    """A request that a route takes, the scope that it needs (None for anybody's), and what it is answered."""

    scope: Scope | None = "read"
    parts: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of the address, beside those that are named as things are."""
    query: Mapping[str, Any] = field(default_factory=dict[str, Any])
    body: Any = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    status: int = 200
    whole: bool = False
    """Whether it needs the rights for every model."""


@dataclass(frozen=True)
class Route:
    """A route of the application."""

    method: str
    path: str

    @property
    def parts(self) -> list[str]:
        """The parts of its address that are filled in."""
        return [each[1:-1] for each in self.path.split("/") if each.startswith("{")]

    def filled(self, things: Things, sample: Sample, **others: str) -> str:
        """Its address of some things; `others` stand there as they are."""
        path = self.path
        for part in self.parts:
            value = others.get(part) or quote(str(sample.parts.get(part) or getattr(things, part)), safe="")
            path = path.replace(f"{{{part}}}", value)
        return path


def routes(app: FastAPI) -> list[Route]:
    """All of an application, hidden ones too."""
    return sorted(set(_routes(app.routes, "")), key=lambda route: (route.path, route.method))


def _routes(among: Any, prefix: str) -> Iterator[Route]:
    for route in among:
        if (context := getattr(route, "include_context", None)) is not None:
            yield from _routes(route.original_router.routes, prefix + context.prefix)
        elif (methods := getattr(route, "methods", None)) is not None:
            yield from (Route(method, prefix + route.path) for method in methods - {"HEAD"})
        else:
            raise AssertionError(f"{route!r} is walked by no test")


V: Final = {"rev": "1"}
MAIN, LIVE, ONE = {"name": "main"}, {"name": "live"}, {"name": "one"}
PREDICTED: Final = {"predictions": "a", "labels": "y", "task": "regression", "draws": 0}
BLOB: Final = {"digest": digest_of(b"none"), "chunks": [digest_of(b"none")]}
STEP: Final = {"step": "1"}
HEAD: Final = f"lepton/{ABSENT_JOB}\n1\n{'A' * 43}=\n"
"""A head of another ledger, which is refused."""


def read(**query: Any) -> Callable[[Things], Sample]:
    """A route that anybody reads who reads the model."""
    return lambda _: Sample(query=query)


def at(parts: Mapping[str, str], **query: Any) -> Callable[[Things], Sample]:
    return lambda _: Sample(parts=parts, query=query)


def does(scope: Scope, body: Any, parts: Mapping[str, str] = V, **more: Any) -> Callable[[Things], Sample]:
    """A route with a body, which may depend on the things."""
    return lambda things: Sample(scope, parts, body=body(things) if callable(body) else body, **more)


def gone(scope: Scope, parts: Mapping[str, str] = V, **more: Any) -> Callable[[Things], Sample]:
    """A route that takes something away."""
    return lambda _: Sample(scope, parts, **more)


_M, _V, _R, _C = "/api/v1/models/{model}", "/api/v1/models/{model}/versions/{rev}", "/api/v1/runs/{run}", "/checkpoints"
_S = f"{_R}{_C}/{{step}}"

SAMPLES: Final[Mapping[str, Callable[[Things], Sample]]] = {
    "GET /healthz": gone("read"),
    "GET /readyz": gone("read"),
    "GET /api/v1/openapi.json": lambda _: Sample(None),
    "GET /api/v1/position": read(),
    "GET /api/v1/sql": lambda _: Sample("sql", query={"query": "SELECT 1 AS one"}, whole=True),
    "POST /api/v1/sql": does("sql", {"query": "SELECT 1 AS one"}, whole=True),
    "GET /api/v1/search": read(where="metric.f1 > 0"),
    "GET /api/v1/status": read(),
    "GET /api/v1/verify": lambda _: Sample("admin", whole=True),
    "POST /api/v1/verify": does("admin", {"heads": HEAD}, whole=True, status=409),
    "GET /api/v1/head": read(),
    "GET /api/v1/proofs": read(since=1),
    "GET /api/v1/events": read(most=1000),
    "GET /api/v1/proofs/{event}": lambda t: Sample(parts={"event": f"{t.model}@1"}),
    "GET /api/v1/models": read(),
    f"GET {_M}": read(),
    f"PATCH {_M}": does("write", {"description": "for loans"}),
    f"GET {_M}/log": read(),
    f"GET {_M}/versions": read(where="metric.f1 > 0"),
    f"GET {_V}": at(V),
    f"PUT {_V}/description": does("write", {"description": "the first"}),
    f"PATCH {_V}/annotations": does("write", {"ticket": "RISK-1"}),
    f"POST {_V}/metrics": does("write", {"metrics": {"auc": 0.5}}),
    f"POST {_V}/clearance": does("move", {"reason": "looked at"}, status=409),
    f"GET {_V}/card": at({"rev": "2"}),
    f"GET {_M}/branches": read(),
    f"GET {_M}/tags": read(),
    f"GET {_M}/aliases": read(),
    f"GET {_M}/branches/{{name}}": at(MAIN),
    f"GET {_M}/tags/{{name}}": at(ONE),
    f"GET {_M}/aliases/{{name}}": at(LIVE),
    f"GET {_M}/branches/{{name}}/moves": at(MAIN),
    f"GET {_M}/tags/{{name}}/moves": at(ONE),
    f"GET {_M}/aliases/{{name}}/moves": at(LIVE),
    f"PUT {_M}/branches/{{name}}": does("move", {"version": 1}, {"name": "side"}, status=201),
    f"PUT {_M}/tags/{{name}}": does("move", {"version": 1}, {"name": "first"}, status=201),
    f"PUT {_M}/aliases/{{name}}": does("move", {"version": 1}, LIVE, headers=ANY_MOVE),
    f"PATCH {_M}/aliases": does("move", {"moves": {"live": 2}}, headers=ANY_MOVE),
    f"DELETE {_M}/branches/{{name}}": gone("move", {"name": "spare-branch"}, headers=ANY_MOVE),
    f"DELETE {_M}/tags/{{name}}": gone("move", {"name": "spare-tag"}, headers=ANY_MOVE),
    f"DELETE {_M}/aliases/{{name}}": gone("move", {"name": "spare-alias"}, headers=ANY_MOVE),
    f"POST {_M}/rollback-plans": lambda _: Sample(body={"to": 1}),
    f"POST {_M}/rehearsals": lambda t: Sample(body={"to": 1, "rehearse": {"rows": t.rows, "labels": "y"}}, status=409),
    f"POST {_M}/rollbacks": does("move", {"to": 2}, headers=ANY_MOVE),
    f"POST {_M}/merges": does("move", {"version": 1}, headers=ANY_MOVE),
    f"GET {_M}/suggestions": lambda _: Sample(),
    f"GET {_M}/protections": read(),
    f"GET {_M}/aliases/{{name}}/protection": at({"name": "held"}),
    f"PUT {_M}/aliases/{{name}}/protection": does("move", {"require": ["f1 > 0"]}, {"name": "kept"}),
    f"DELETE {_M}/aliases/{{name}}/protection": gone("move", {"name": "held"}),
    "GET /api/v1/jobs": read(),
    "POST /api/v1/jobs": does(
        "write", lambda t: {"kind": "evaluate", "model": t.model, "version": 1, "data": t.data}, status=202
    ),
    "GET /api/v1/jobs/{job}": read(),
    "POST /api/v1/jobs/{job}/cancel": does("write", {"reason": "no more"}),
    "GET /api/v1/jobs/{job}/events": read(),
    "GET /api/v1/runs": lambda t: Sample(query={"model": t.model}),
    "POST /api/v1/runs": does("write", lambda t: {"model": t.model, "run": "begun"}, status=201),
    f"GET {_R}": read(),
    f"GET {_R}/metrics": read(),
    f"GET {_R}/progress": read(),
    f"GET {_R}{_C}": read(),
    f"GET {_R}/files": read(),
    f"GET {_R}/files/{{name}}": lambda _: Sample(parts={"name": "figures/none.png"}, status=404),
    f"POST {_R}/files": does("write", {"files": [{"name": "a.png", "content": BLOB}], "writer": "one"}, status=409),
    f"POST {_R}/metrics": does("write", {"points": [{"name": "loss", "value": 1.0}], "writer": "one"}),
    f"POST {_R}/beat": does("write", {"writer": "one"}),
    f"POST {_R}/resume": does("write", {"writer": "one"}),
    f"POST {_R}/finish": does("write", {"writer": "one"}),
    f"POST {_M}/chunks/missing": does("write", {"chunks": [digest_of(CHUNK)]}),
    f"POST {_M}/chunks": gone("write", content=FRAME, headers={"Content-Type": MEDIA}),
    f"POST {_M}/versions": does("write", {"manifest": BLOB}, status=409),
    f"POST {_R}{_C}": does("write", {"manifest": BLOB}, status=409),
    f"GET {_V}/restoring": at(V),
    f"GET {_V}/stored": at(V),
    f"GET {_V}/weights": at(V),
    f"GET {_V}/tensors": at(V),
    f"GET {_V}/tensors/{{name}}": at({**V, "name": "w"}),
    f"GET {_V}/files": at(V),
    f"GET {_V}/files/{{name}}": lambda _: Sample(parts={**V, "name": "none.json"}, status=404),
    f"GET {_S}/restoring": at(STEP),
    f"GET {_S}/stored": at(STEP),
    f"GET {_S}/weights": at(STEP),
    f"GET {_S}/tensors": at(STEP),
    f"GET {_S}/tensors/{{name}}": at({**STEP, "name": "w"}),
    "POST /api/v1/rows": lambda _: Sample(content=ROWS, headers=CSV, status=201),
    "GET /api/v1/rows/{rows}": read(),
    f"GET {_M}/diff": lambda _: Sample(query={"from": "1", "to": "2"}),
    f"GET {_M}/compare": read(rev=["1", "2"]),
    f"POST {_M}/compare": lambda _: Sample(body={"revs": ["1", "2"]}),
    f"GET {_M}/pick": lambda _: Sample(query={"by": "f1"}, status=409),
    f"POST {_M}/pick": lambda _: Sample(body={"revs": ["1", "2"], "by": "f1"}, status=409),
    f"GET {_V}/evaluations": at(V),
    f"POST {_V}/evaluations": does("write", lambda t: {"rows": t.rows, "labels": "y"}, status=409),
    f"POST {_V}/evaluations/predictions": does("write", lambda t: {"rows": t.rows, **PREDICTED}, status=201),
    f"POST {_V}/predictions": lambda t: Sample(parts=V, body={"rows": t.rows}, status=409),
    f"GET {_V}/report": at(V),
    f"POST {_V}/gates": does("write", {"require": "f1 > 0"}),
    f"POST {_V}/calibrations": does("write", lambda t: {"rows": t.rows, "labels": "y"}, status=409),
    f"POST {_V}/thresholds": does(
        "write", lambda t: {"rows": t.rows, "labels": "y", "costs": {"false_negative": 5}}, status=409
    ),
    f"POST {_V}/robustness": lambda t: Sample(parts=V, body={"rows": t.rows, "labels": "y"}, status=409),
    "GET /api/v1/chains": read(),
    "GET /api/v1/chains/{chain}": read(),
    "GET /api/v1/studies": read(),
    "GET /api/v1/studies/{study}": read(),
    "POST /api/v1/studies/{study}/stop": gone("write", {}),
    "GET /api/v1/suites": read(),
    "GET /api/v1/suites/{suite}": read(),
    "PUT /api/v1/suites/{suite}": does("write", lambda t: {"data": t.data, "model": t.model, "require": "mae < 9"}),
    "POST /api/v1/suites/{suite}/runs": does("write", lambda t: {"version": f"{t.model}@1"}, status=409),
    "DELETE /api/v1/suites/{suite}": gone("write"),
    "GET /api/v1/data": read(),
    "GET /api/v1/data/{name}": lambda t: Sample(parts={"name": t.data}),
    "PUT /api/v1/data/{name}": does("write", lambda t: {"rows": t.rows, "labels": "y"}, {"name": "fresh"}),
    "GET /api/v1/data/{name}/rows": lambda t: Sample(parts={"name": t.data}),
    "GET /api/v1/data/{name}/drift": lambda t: Sample(parts={"name": t.data}, query={"after": t.data}),
    "DELETE /api/v1/rows/{rows}": lambda _: Sample(status=204),
    "GET /api/v1/library": read(),
    "GET /api/v1/library/{name}": at({"name": "table-model"}),
    "GET /api/v1/tokens": lambda _: Sample("admin", whole=True),
    "POST /api/v1/tokens": does("admin", {"owner": "dan", "scopes": ["read"]}, whole=True, status=201),
    "DELETE /api/v1/tokens/{token}": gone("admin", whole=True),
    "DELETE /api/v1/actors/{name}": lambda t: Sample("admin", {"name": t.actor}, whole=True),
}
"""By method and path: a new route is named here, or the walk fails."""
