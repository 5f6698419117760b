"""What a token may do with models, jobs and runs: what it may not read is as if it were not there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from lepton_ai.domain.access.rights import Rights, Scope
from lepton_ai.web.door.visitor import Visitor

from .server import Served, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of two models, each with a run that is open."""
    with served(tmp_path_factory.mktemp("rights")) as server:
        for name in ("net", "team/other"):
            server.manager.save_version({"weight": np.zeros(2, dtype=np.float32)}, name=name, metrics={"f1": 0.5})
            server.manager.open_runs.start(name, run=f"run-of-{name[:4].strip('/')}", writer="one")
        yield server


class Visits:
    """Has requests come from somebody with rights of their own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, http: httpx.Client) -> None:
        self._monkeypatch = monkeypatch
        self._http = http

    def __call__(self, *scopes: Scope, models: str = "*") -> httpx.Client:
        visitor = Visitor("bea", Rights(frozenset(scopes), (models,)))

        async def who(*_: Any) -> Visitor:
            return visitor

        self._monkeypatch.setattr("lepton_ai.web.door.access.Access._visitor", who)
        return self._http


@pytest.fixture
def visit(server: Served, monkeypatch: pytest.MonkeyPatch) -> Visits:
    return Visits(monkeypatch, server.client())


HIDDEN: list[tuple[str, str, Any]] = [
    ("GET", "models/net", None),
    ("GET", "models/net/log", None),
    ("GET", "models/net/versions", None),
    ("GET", "models/net/versions/1", None),
    ("GET", "models/net/versions/1/card", None),
    ("PATCH", "models/net", {"description": "a"}),
    ("PATCH", "models/net/versions/1/annotations", {"a": 1}),
    ("POST", "models/net/versions/1/metrics", {"metrics": {"f1": 1}}),
    ("GET", "runs/run-of-net", None),
    ("GET", "runs/run-of-net/metrics", None),
    ("GET", "runs/run-of-net/progress", None),
    ("GET", "runs/run-of-net/checkpoints", None),
    ("POST", "runs/run-of-net/metrics", {"points": [{"name": "a", "value": 1}]}),
    ("POST", "runs/run-of-net/finish", {}),
    ("POST", "runs/run-of-net/resume", {"writer": "two"}),
]


@pytest.mark.parametrize(("method", "url", "body"), HIDDEN, ids=lambda part: str(part)[:60])
def test_what_may_not_be_read_is_not_there(server: Served, visit: Visits, method: str, url: str, body: Any) -> None:
    before = server.manager.position()
    answer = visit("write", models="team/*").request(method, url, json=body)

    assert answer.status_code == 404, answer.text
    assert server.manager.position() == before


def test_a_run_that_may_not_be_read_is_heard_of_as_one_whose_start_is_on_its_way(server: Served, visit: Visits) -> None:
    before = server.manager.position()
    http = visit("write", models="team/*")
    hidden, absent = (http.post(f"runs/{run}/beat", json={"writer": "two"}) for run in ("run-of-net", "run-of-gnu"))

    assert (hidden.status_code, hidden.text) == (absent.status_code, absent.text) == (200, '{"open":true}')
    assert server.manager.position() == before
    assert server.manager.open_runs.beat("run-of-net", "one"), "it is still logged to by whoever began it"


def test_lists_leave_out_what_may_not_be_read(visit: Visits) -> None:
    http = visit("read", models="team/*")

    assert [each["model"] for each in http.get("models").json()["models"]] == ["team/other"]
    assert [each["model"] for each in http.get("runs").json()["runs"]] == ["team/other"]
    assert http.get("runs?model=net").json()["runs"] == []
    assert [each["version"] for each in http.get("models/team%2Fother/versions?where=f1 %3E 0").json()["versions"]] == [
        1
    ]


WRITES: list[tuple[str, str, Any]] = [
    ("PATCH", "models/net", {"description": "a"}),
    ("PATCH", "models/net", {"archived": True}),
    ("PUT", "models/net/versions/1/description", {"description": "a"}),
    ("PATCH", "models/net/versions/1/annotations", {"a": 1}),
    ("POST", "models/net/versions/1/metrics", {"metrics": {"f1": 1}}),
    ("POST", "runs", {"model": "net"}),
    ("POST", "runs/run-of-net/metrics", {"points": [{"name": "a", "value": 1}]}),
    ("POST", "runs/run-of-net/finish", {}),
    ("POST", "runs/run-of-net/resume", {"writer": "two"}),
    ("POST", "runs/run-of-net/beat", {"writer": "one"}),
]


@pytest.mark.parametrize(("method", "url", "body"), WRITES, ids=lambda part: str(part)[:60])
def test_who_may_read_writes_nothing(server: Served, visit: Visits, method: str, url: str, body: Any) -> None:
    before = server.manager.position()
    answer = visit("read").request(method, url, json=body)

    assert (answer.status_code, answer.json()["type"]) == (403, "tag:lepton-ai,2026:problem:forbidden")
    assert server.manager.position() == before


def test_an_archive_needs_admin(server: Served, visit: Visits) -> None:
    before = server.manager.position()

    assert visit("write").patch("models/net", json={"archived": True}).status_code == 403
    assert server.manager.position() == before
