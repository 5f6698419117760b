"""Pages over HTTP: each row of a list as it was at its first page, once; cursors cannot be made up."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from lepton_ai.domain.access.rights import Rights
from lepton_ai.web.door.visitor import Visitor

from .many import Many
from .server import Served, served

READER = Rights(frozenset(("read",)))
VISITORS = {
    "ada": Visitor("ada", READER, "1"),
    "bob": Visitor("bob", READER, "2"),
    "ada-net": Visitor("ada", Rights(frozenset(("read",)), ("net",)), "3"),
    "ada-other": Visitor("ada", Rights(frozenset(("read",)), ("other*",)), "4"),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("home")) as server:
        server.service.visitor = VISITORS.get  # type: ignore[method-assign,assignment]
        yield server


@pytest.fixture(scope="module")
def many(server: Served) -> Many:
    many = Many(server.manager)
    many.add(1_500)
    return many


def pages(client: httpx.Client, path: str, **params: Any) -> Iterator[dict[str, Any]]:
    answer = client.get(path, params=params)
    while True:
        assert answer.status_code == 200, answer.text
        yield answer.json()
        if answer.json()["next"] is None:
            assert "next" not in answer.links
            return
        assert answer.links["next"]["url"] == answer.json()["next"]
        answer = client.get(str(answer.url.join(answer.json()["next"])))


def test_paging_1_500_versions_during_1_000_inserts_loses_and_doubles_none(server: Served, many: Many) -> None:
    count, found = many.count, list[int]()
    for page in pages(server.client(), "/search", where="metric.f1 > 0", most=150):
        assert len(page["versions"]) <= 150
        found += [version["version"] for version in page["versions"]]
        many.add(100)

    assert found == list(range(1, count + 1))
    assert many.count >= count + 1_000
    (version,) = server.client().get("/search", params={"where": "metric.f1 = 0.002000"}).json()["versions"]
    assert version["version"] == 2_000


def test_paging_events_during_inserts_loses_and_doubles_none(server: Served, many: Many) -> None:
    end = server.manager.position()
    found: list[int] = []
    for page in pages(server.client(), "/events", most=1000):
        found += [int(event["sequence"]) for event in page["events"]]
        assert page["end"] == end
        many.add(10)

    assert found == list(range(1, end + 1))


def test_a_list_may_be_asked_for_as_it_was(server: Served, many: Many) -> None:
    then, count = server.manager.position(), many.count
    many.add(5)
    client, where = server.client(), "metric.f1 > 0"

    assert sum(len(page["versions"]) for page in pages(client, "/search", where=where, most=1000, at=then)) == count
    assert [page["end"] for page in pages(client, "/events", most=1000, at=then, after=then - 5)] == [then]
    told = client.get("/sql", params={"query": "SELECT count(*) AS n FROM versions", "at": then}).json()["rows"]
    assert told == [{"n": count}]
    live = client.get("/events", params={"at": then}, headers={"Accept": "text/event-stream"})
    assert live.status_code == 400


def test_events_are_paged_of_a_stream_and_of_types(server: Served, many: Many) -> None:
    del many
    client, kind = server.client(), "lepton.model.registered.v1"

    assert [e["type"] for page in pages(client, "/events", stream="model/net", type=kind) for e in page["events"]] == [
        kind
    ]
    committed = list(pages(client, "/events", type=["lepton.version.committed.v2", kind], most=1000, after=4))
    assert all(len(page["events"]) == 1000 for page in committed[:-1])
    assert sum(len(page["events"]) for page in committed) >= 1_500
    assert client.get("/events", params={"stream": "model/nett"}).json()["detail"].endswith("did you mean model/net?")
    assert client.get("/events", params={"type": "lepton.model.registred.v1"}).status_code == 400


def test_who_may_read_no_model_of_a_list_gets_none_of_it(server: Served, many: Many) -> None:
    del many
    seen, hidden = server.client("ada-net"), server.client("ada-other")

    assert len(seen.get("/search", params={"where": "metric.f1 > 0", "most": 3}).json()["versions"]) == 3
    unknown = hidden.get("/search", params={"where": "metric.f1 > 0"})
    assert (unknown.status_code, "no metric is called 'f1'" in unknown.json()["detail"]) == (400, True)
    assert hidden.get("/events", params={"stream": "model/net"}).status_code == 404
    subjects = {e["subject"] for page in pages(hidden, "/events", most=1000) for e in page["events"]}
    assert subjects <= {"ledger"}


CHANGED = {
    "cut": lambda cursor: cursor[:-3],
    "another letter": lambda cursor: cursor[:30] + ("A" if cursor[30] != "A" else "B") + cursor[31:],
    "another place": lambda cursor: _with_place(cursor, b'[9,"net@1"]'),
    "nothing": lambda cursor: "",
    "no base64": lambda cursor: "!!!",
    "not ASCII": lambda cursor: "ü",
    "only a signature": lambda cursor: cursor[:21],
}


def _with_place(cursor: str, place: bytes) -> str:
    raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    return urlsafe_b64encode(raw[:16] + place).rstrip(b"=").decode()


@pytest.mark.parametrize("how", CHANGED)
def test_a_cursor_that_was_changed_is_refused(server: Served, many: Many, how: str) -> None:
    del many
    asked = {"where": "metric.f1 > 0", "most": 2}
    cursor = httpx.URL(server.client().get("/search", params=asked).json()["next"]).params["cursor"]

    answer = server.client().get("/search", params={**asked, "cursor": CHANGED[how](cursor)})

    assert (answer.status_code, answer.json()["type"]) == (400, "tag:lepton-ai,2026:problem:malformed")
    assert "cursor" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "params", "who"),
    [
        ("/search", {"where": "metric.f1 > 1"}, "ada"),
        ("/events", {}, "ada"),
        ("/search", {"where": "metric.f1 > 0"}, "bob"),
        ("/search", {"where": "metric.f1 > 0"}, "ada-net"),
        ("/search", {"where": "metric.f1 > 0"}, None),
    ],
    ids=["another filter", "another list", "another caller", "fewer rights", "no token"],
)
def test_a_cursor_of_another_list_or_caller_is_refused(
    server: Served, many: Many, path: str, params: dict[str, str], who: str | None
) -> None:
    del many
    asked: dict[str, Any] = {"where": "metric.f1 > 0", "most": 2}
    cursor = httpx.URL(server.client("ada").get("/search", params=asked).json()["next"]).params["cursor"]
    assert server.client("ada").get("/search", params=asked | {"most": 3, "cursor": cursor}).status_code == 200

    assert server.client(who).get(path, params=params | {"cursor": cursor}).status_code == 400


@pytest.mark.parametrize("most", ["0", "-1", "1001", "x", "1.5", "99999999999999999999"])
def test_a_page_has_1_to_1_000_rows(server: Served, most: str) -> None:
    answer = server.client().get("/events", params={"most": most})

    assert answer.status_code == 400
    assert "most in the query" in answer.json()["detail"]
