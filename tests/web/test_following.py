"""Following the log over HTTP: each event once and in order, however often the connection is lost."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Event, Thread
from typing import Any

import httpx
import numpy as np
import pytest

from lepton_ai.domain.access.rights import Rights
from lepton_ai.errors import Unavailable
from lepton_ai.events.log import Row
from lepton_ai.web.door.visitor import Visitor
from lepton_ai.web.following import streams as streams_module
from lepton_ai.web.following import tail as tail_module
from lepton_ai.web.following.streams import Streams
from lepton_ai.web.following.tail import Tail

from ..asking import until
from .many import Many
from .server import Served, served

SSE = {"Accept": "text/event-stream"}
READER = Rights(frozenset(("read",)))
VISITORS = {
    "ada": Visitor("ada", READER, "1"),
    "other": Visitor("ada", Rights(frozenset(("read",)), ("other*",)), "2"),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("home")) as server:
        server.service.visitor = VISITORS.get  # type: ignore[method-assign,assignment]
        yield server


@pytest.fixture(scope="module")
def many(server: Served) -> Many:
    return Many(server.manager)


def told(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    """Events as a browser reads them: one counts once its blank line has come."""
    event: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            event[name] = value
        elif event:
            if "data" in event:
                yield event
            event = {}


def test_a_stream_cut_100_times_tells_each_event_once_and_in_order(server: Served, many: Many) -> None:
    many.add(500)
    chance, client, heard, cuts = random.Random(7), server.client(), list[int](), 0
    while cuts < 100 or heard[-1] < server.manager.position():
        if cuts % 10 == 0 and cuts < 100:
            many.add(20)
        last = {"Last-Event-ID": str(heard[-1])} if heard else {}
        room, before = chance.randrange(1, 20_000), heard[-1] if heard else 0
        with client.stream("GET", "/events", headers=SSE | last) as answer:
            text = b""
            for piece in answer.iter_raw():
                text += piece
                if len(text) >= room or max(before, _last(text)) == server.manager.position():
                    break
        cuts += 1
        heard += [int(event["id"]) for event in told(iter(text[:room].decode(errors="replace").split("\n")))]

    assert heard == list(range(1, server.manager.position() + 1))


def _last(text: bytes) -> int:
    ids = [line for line in text.rpartition(b"\n")[0].split(b"\n") if line.startswith(b"id: ")]
    return int(ids[-1][4:]) if ids else 0


def test_an_event_is_told_as_the_pages_have_it(server: Served, many: Many) -> None:
    del many
    with server.client().stream("GET", "/events", headers=SSE, params={"after": 3}) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        lines = answer.iter_lines()
        assert next(lines) == "retry: 2000"
        event = next(told(lines))

    (page,) = server.client().get("/events", params={"after": 3, "most": 1}).json()["events"]
    assert (event["id"], event["event"], json.loads(event["data"])) == ("4", page["type"], page)
    batch = server.client().get(
        "/events", params={"after": 3, "most": 1}, headers={"Accept": "application/cloudevents-batch+json"}
    )
    assert batch.headers["content-type"] == "application/cloudevents-batch+json"
    assert batch.json() == [page]
    assert "next" in batch.links


def test_a_stream_tells_what_is_asked_for_from_the_past_and_as_it_happens(server: Served, many: Many) -> None:
    kind = "lepton.version.committed.v2"
    asked = {"stream": "model/net", "type": kind}
    with server.client().stream("GET", "/events", headers=SSE, params=asked) as answer:
        events = told(answer.iter_lines())
        for number in range(1, many.count + 1):
            event = json.loads(next(events)["data"])
            assert (event["type"], event["subject"], event["data"]["version"]) == (kind, "model/net", number)
        many.add(3)
        news = [json.loads(next(events)["data"])["data"]["version"] for _ in range(3)]

    assert news == list(range(many.count - 2, many.count + 1))


def test_a_stream_tells_nobody_what_they_may_not_read(server: Served, many: Many) -> None:
    with server.client("other").stream("GET", "/events", headers=SSE) as answer:
        events = told(answer.iter_lines())
        assert json.loads(next(events)["data"])["subject"] == "ledger"
        many.add(5)
        server.manager.save_version({"w": np.ones(1)}, name="other-net")
        assert json.loads(next(events)["data"])["subject"] == "model/other-net"


BAD: dict[str, tuple[dict[str, str], dict[str, str], int]] = {
    "no seq": ({}, {"Last-Event-ID": "x"}, 400),
    "a negative seq": ({}, {"Last-Event-ID": "-1"}, 400),
    "an endless seq": ({}, {"Last-Event-ID": "9" * 30}, 400),
    "no number": ({"after": "x"}, {}, 400),
    "a cursor": ({"cursor": "abc"}, {}, 400),
    "no type": ({"type": "lepton.nothing.v1"}, {}, 400),
    "an unknown parameter": ({"follow": "true"}, {}, 400),
    "another form": ({}, {"Accept": "text/html"}, 406),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_stream_is_refused(server: Served, what: str) -> None:
    params, headers, status = BAD[what]
    answer = server.client().get("/events", params=params, headers=SSE | headers)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_streams_are_bounded_of_each_and_of_all(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(vars(server.service), "streams", Streams(3, 2))
    with ExitStack() as stack:
        begun: list[Iterator[str]] = []  # what is not held on to is closed

        def follow(client: httpx.Client) -> None:
            begun.append(stack.enter_context(client.stream("GET", "/events", headers=SSE)).iter_lines())
            assert next(begun[-1]) == "retry: 2000"

        follow(server.client())
        follow(server.client())
        one_more = server.client().get("/events", headers=SSE)
        follow(server.client("ada"))
        of_all = server.client("ada").get("/events", headers=SSE)

    assert (one_more.status_code, of_all.status_code) == (429, 503)
    assert one_more.headers["retry-after"] == of_all.headers["retry-after"] == "2"
    until(lambda: not server.service.streams._open)  # those that were closed are noticed


def test_a_stream_says_that_it_lives_and_ends_with_its_token(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams_module, "HEARTBEAT", 0.05)
    monkeypatch.setitem(VISITORS, "short", Visitor("ada", READER, "9"))
    with server.client("short").stream("GET", "/events", headers=SSE, params={"after": 10**9}) as answer:
        lines = answer.iter_lines()
        assert [next(lines) for _ in range(4)] == ["retry: 2000", "", ": ", ""]
        monkeypatch.delitem(VISITORS, "short")
        assert set(lines) <= {": ", ""}  # and then it ends


def test_50_open_streams_end_by_themselves_when_the_server_stops(tmp_path_factory: pytest.TempPathFactory) -> None:
    ended: list[str] = []
    with ExitStack() as stack:
        with served(tmp_path_factory.mktemp("home")) as server:
            client = stack.enter_context(httpx.Client(base_url=server.url, timeout=60, limits=httpx.Limits()))

            def follow(begun: Event) -> None:
                with client.stream("GET", "/api/v1/events", headers=SSE) as answer:
                    for line in answer.iter_lines():
                        if line.startswith("id: 1"):
                            begun.set()
                ended.append("whole")

            begun = [Event() for _ in range(50)]
            threads = [Thread(target=follow, args=(each,), daemon=True) for each in begun]
            for thread in threads:
                thread.start()
            assert all(each.wait(60) for each in begun)
        for thread in threads:
            thread.join(60)

    assert ended == ["whole"] * 50


class Store:
    """A log that grows by what it is told, and is away for a while."""

    def __init__(self) -> None:
        self.ends: list[int | None] = []
        self.looks = 0

    def end(self) -> int:
        self.looks += 1
        end = self.ends.pop(0) if len(self.ends) > 1 else self.ends[0]
        if end is None:
            raise Unavailable("the database is away")
        return end

    def read(self, after: int, limit: int) -> list[Row]:
        return [Row(seq, b"", b"x" * 100) for seq in range(after + 1, after + limit + 1)]

    def all(self) -> dict[str, Any]:
        return {"id": object()}


async def test_one_look_at_a_time_wakes_all_who_wait_through_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail_module, "LOOKS", 0)
    monkeypatch.setattr(tail_module, "_AWAY", 0)
    store = Store()
    store.ends = [5, 5, None, None, None, 5, 7]
    tail: Any = Tail(lambda: (store, store), Event())  # type: ignore[arg-type,return-value]
    async with tail.watched():
        ends = await asyncio.gather(*(tail.beyond(5, 60) for _ in range(50)))
        looks = store.looks
        rows = await tail.rows(5)

    assert ends == [7] * 50
    assert looks < 50
    assert [row.seq for row in rows] == [6, 7]


async def test_the_newest_events_are_kept_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail_module, "LOOKS", 0)
    monkeypatch.setattr(tail_module, "_KEPT_BYTES", 1000)
    store = Store()
    store.ends = [1, *range(2, 40)]
    tail: Any = Tail(lambda: (store, store), Event())  # type: ignore[arg-type,return-value]
    async with tail.watched():
        await tail.beyond(38, 60)
        kept = len(tail._newest)

    assert 0 < kept <= 11
    assert tail._newest == []


async def test_a_wait_ends_when_the_server_stops() -> None:
    store, ending = Store(), Event()
    store.ends = [5]
    tail: Any = Tail(lambda: (store, store), ending)  # type: ignore[arg-type,return-value]
    async with tail.watched():
        waiting = asyncio.ensure_future(tail.beyond(5, 600))
        ending.set()
        assert await waiting in (0, 5)
