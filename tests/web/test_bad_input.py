"""Hostile and broken input to every subject of the API: each has its problem in a sentence, and nothing changes.

The subjects have tables of their own (test_names.py, test_rows.py, test_sql.py, …); here is what goes across them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import numpy as np
import pytest

from lepton_ai.tensors.digest import digest_of
from lepton_ai.tensors.frames import MEDIA, head

from .server import Served, served

ANY = {"If-Match": "*"}
JSON = {"Content-Type": "application/json"}
CHUNKS = {"Content-Type": MEDIA}
NET, V = "/models/net", "/models/net/versions/1"
NONE = digest_of(b"nothing of this is here")


class Bad(NamedTuple):
    """A request, and how it is refused."""

    method: str
    path: str
    status: int = 400
    kind: str = "malformed"
    body: Any = None
    content: bytes | None = None
    headers: dict[str, str] = {}  # noqa: RUF012
    params: dict[str, Any] = {}  # noqa: RUF012


def sent(path: str, content: bytes, method: str = "PATCH", **more: Any) -> Bad:
    return Bad(method, path, content=content, headers=JSON, **more)


BAD: dict[str, Bad] = {
    "no JSON": sent(NET, b"{"),
    "no bytes": sent(NET, b""),
    "JSON of a number that is none": sent(NET, b'{"description": NaN}'),
    "JSON that is no UTF-8": sent(NET, b'{"description": "\xff\xfe"}'),
    "JSON of half a character": sent(NET, b'{"description": "\\ud800"}'),
    "JSON as UTF-16": sent(NET, '{"description": "a"}'.encode("utf-16")),
    "a field twice, once too many": sent(NET, b'{"description": "a", "archived": true}'),
    "a list for an object": sent(NET, b"[1]"),
    "JSON as deep as it goes": sent(NET, b"[" * 200_000 + b"]" * 200_000),
    "notes as deep as they go": sent(f"{V}/annotations", b'{"a":' * 50_000 + b"1" + b"}" * 50_000),
    "a note of a number of many digits": sent(f"{V}/annotations", b'{"n": ' + b"9" * 20_000 + b"}"),
    "a note without a name": sent(f"{V}/annotations", b'{"": 1}'),
    "a description of another kind": Bad("PATCH", NET, body={"description": ["a"]}),
    "a field of the manager's": Bad("PATCH", NET, body={"description": "a", "actor": "eve"}),
    "a metric that is no number": Bad("POST", f"{V}/metrics", body={"metrics": {"f1": "high"}}),
    "a metric that is true": Bad("POST", f"{V}/metrics", body={"metrics": {"f1": True}}),
    "a key that is too long": Bad("PATCH", NET, body={"description": "a"}, headers={"Idempotency-Key": "k" * 300}),
    "a key of nothing": Bad("PATCH", NET, body={"description": "a"}, headers={"Idempotency-Key": ""}),
    "a key with a tab": Bad("PATCH", NET, body={"description": "a"}, headers={"Idempotency-Key": "a\tb"}),
    "a version of the future": Bad("GET", "/models/net/versions/99999999999999999999", 404, "unknown"),
    "a version before the first": Bad("GET", "/models/net/versions/main~999999999999999999999", 404, "unknown"),
    "steps without end": Bad("GET", "/models/net/versions/main" + "~" * 20_000),
    "an expression without end": Bad("GET", "/search", params={"where": "(" * 3_999}),
    "an expression that negates itself": Bad("GET", "/search", params={"where": "not " * 990 + "x"}),
    "an expression of a model as deep": Bad("GET", f"{NET}/versions", params={"where": "(" * 20_000}),
    "an expression that injects": Bad("GET", "/search", params={"where": "metric.f1 > 0; DROP TABLE versions"}),
    "an expression in quotes": Bad("GET", "/search", params={"where": "note.a = ''' OR 1=1 --'"}),
    "a page of nothing": Bad("GET", "/models", params={"most": 0}),
    "a page of all": Bad("GET", "/models", params={"most": 10**30}),
    "a cursor of nobody's": Bad("GET", "/models", params={"cursor": "A" * 80}),
    "a cursor of another list": Bad("GET", f"{NET}/log", params={"cursor": "CURSOR", "most": 1}),
    "a place that is none": Bad("GET", "/models", params={"at": "tomorrow"}),
    "a place beyond time": Bad("GET", "/models", params={"at": "999999-12-31"}),
    "a place before time": Bad("GET", "/models", params={"at": "-1"}),
    "a wait for what is no seq": Bad("GET", "/models", params={"wait_for": 2**63}),
    "events of a type that is none": Bad("GET", "/events", params={"type": "lepton.nothing.v1"}),
    "events of a stream that is none": Bad("GET", "/events", 404, "unknown", params={"stream": "model/../token"}),
    "a Last-Event-ID that is none": Bad(
        "GET", "/events", headers={"Accept": "text/event-stream", "Last-Event-ID": "٣"}
    ),
    "a form that is none": Bad("GET", "/models", 406, "not-acceptable", headers={"Accept": "a/b;q=x, ;, /"}),
    "a range beyond the end": Bad(
        "GET", f"{V}/weights", 416, "range-not-satisfiable", headers={"Range": "bytes=999999999-"}
    ),
    "bytes that are others by now": Bad("GET", f"{V}/weights", 412, "stale", headers={"If-Match": '"other"'}),
    "a tensor that leads elsewhere": Bad("GET", f"{V}/tensors/..%2F..%2Fetc%2Fpasswd", 404, "unknown"),
    "a file that leads elsewhere": Bad("GET", f"{V}/files/..%2F..%2Fledger.db", 404, "unknown"),
    "a checkpoint of no step": Bad("GET", "/runs/r1/checkpoints/first/weights"),
    "a run with a way in its name": Bad("POST", "/runs", body={"model": "net", "run": "../../etc"}),
    "a run of many points": Bad(
        "POST", "/runs/r1/metrics", body={"points": [{"name": "a", "value": 1}] * 10_001, "writer": "one"}
    ),
    "a run told by another": Bad("POST", "/runs/r1/finish", 409, "refused", body={"writer": "two"}),
    "a point beyond time": Bad(
        "POST", "/runs/r1/metrics", body={"points": [{"name": "a", "value": 1, "time": "99999-01-01T00:00:00Z"}]}
    ),
    "chunks that are cut off": Bad("POST", f"{NET}/chunks", content=head(NONE, 100) + b"few", headers=CHUNKS),
    "chunks that are others": Bad("POST", f"{NET}/chunks", content=head(NONE, 3) + b"few", headers=CHUNKS),
    "chunks of no length": Bad("POST", f"{NET}/chunks", content=head(NONE, 0), headers=CHUNKS),
    "chunks of gigabytes": Bad("POST", f"{NET}/chunks", content=head(NONE, 2**32 - 1), headers=CHUNKS),
    "a version of chunks that are not here": Bad(
        "POST", f"{NET}/versions", 409, "missing-chunks", body={"manifest": {"digest": NONE, "chunks": [NONE]}}
    ),
    "a digest that is none": Bad("POST", f"{NET}/chunks/missing", body={"chunks": ["blake3:../../etc/passwd"]}),
    "a job on a file": Bad(
        "POST", "/jobs", 404, "unknown", body={"kind": "evaluate", "model": "net", "version": 1, "data": "no-such-data"}
    ),
    "a job of no kind": Bad("POST", "/jobs", body={"kind": "__import__", "model": "net"}),
    "a job with a class of Python's": Bad(
        "POST", "/jobs", 409, "refused", body={"kind": "train", "class": "os.system", "model": "net", "data": "loans"}
    ),
    "rows that are a way": Bad("GET", "/rows/..%2f..%2fledger", 404, "unknown"),
    "data that is a file": Bad(
        "POST", f"{V}/evaluations", body={"data": "/etc/passwd", "labels": "y"}
    ),
    "data that is an address": Bad(
        "POST", f"{V}/evaluations", body={"data": "s3://bucket/rows.csv", "labels": "y"}
    ),
    "SQL that reads a file": Bad("POST", "/sql", body={"query": "SELECT * FROM '/etc/passwd'"}),
    "SQL of a moment beyond time": Bad("POST", "/sql", body={"query": "SELECT 1", "as_of": "never"}),
    "a token for nobody": Bad("POST", "/tokens", body={"owner": "", "scopes": ["read"]}),
    "a token of globs without end": Bad(
        "POST", "/tokens", body={"owner": "a", "scopes": ["read"], "models": [f"m{n}" for n in range(200)]}
    ),
    "a token part that fits many": Bad("DELETE", "/tokens/0", 404, "unknown"),
    "an alias by a stale tag": Bad(
        "PUT", f"{NET}/aliases/live", 412, "stale", body={"version": 1}, headers={"If-Match": '"1"'}
    ),
    "an alias by no tag": Bad("PUT", f"{NET}/aliases/live", 428, "precondition-required", body={"version": 1}),
    "an alias by a tag without end": Bad(
        "PUT", f"{NET}/aliases/live", body={"version": 1}, headers={"If-Match": '"1",' * 5_000}
    ),
    "a method that is none": Bad("TRACE", NET, 405, "method-not-allowed"),
}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("bad") / "home") as server:
        manager = server.manager
        manager.save_version({"w": np.zeros(3)}, name="net", metrics={"f1": 0.5})
        manager.save_version({"w": np.ones(3)}, name="other")
        manager.alias("live", "net@1")
        manager.open_runs.start("net", run="r1", writer="one")
        manager.add_data("loans", {"a": [1.0, 2.0]}, [0.0, 1.0], keep=True)
        yield server


@pytest.fixture(scope="module")
def http(server: Served) -> httpx.Client:
    return server.client()


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_a_problem_and_changes_nothing(server: Served, http: httpx.Client, what: str) -> None:
    bad, before = BAD[what], server.manager.position()
    options: dict[str, Any] = {"headers": bad.headers, "params": dict(bad.params)}
    if options["params"].get("cursor") == "CURSOR":
        (_, options["params"]["cursor"]) = http.get("/models?most=1").json()["next"].split("cursor=")
    if bad.content is not None:
        options["content"] = bad.content
    elif bad.body is not None:
        options |= {"content": json.dumps(bad.body).encode(), "headers": {**JSON, **bad.headers}}
    options["headers"] = [(name.encode(), value.encode()) for name, value in options["headers"].items()]
    answer = http.request(bad.method, bad.path, **options)

    told = answer.json()
    kind = told["type"].removeprefix("tag:lepton-ai,2026:problem:")
    assert (answer.status_code, kind) == (bad.status, bad.kind), answer.text[:600]
    assert answer.headers["content-type"] == "application/problem+json"
    assert 10 < len(told["detail"]) < 700, told["detail"]
    assert server.manager.position() == before
