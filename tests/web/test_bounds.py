"""How much one client may take of the server: bytes, time, places; and that nobody's bytes become another's request."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from lepton_ai import ModelManager
from lepton_ai.web.door.protocol import BoundedProtocol
from lepton_ai.web.options import Limits

from ..asking import PATIENCE
from .server import Served, served

LIMITS = Limits(body=100_000, json=10_000, silence=30.0, requests=3)
PATCH = "PATCH /api/v1/models/credit HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
GET = "GET /api/v1/position HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("bounds") / "home", limits=LIMITS) as server:
        server.manager.save_version({"w": np.zeros(300_000)}, name="credit")
        yield server


def wire(server: Served) -> socket.socket:
    place = httpx.URL(server.url)
    return socket.create_connection((place.host, place.port), timeout=PATIENCE)


def answered(server: Served, sent: str | bytes) -> bytes:
    """All that comes until the connection ends."""
    with closing(wire(server)) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(sent.encode() if isinstance(sent, str) else sent)
        return rest(connection)


def rest(connection: socket.socket) -> bytes:
    """What comes until the connection ends, however it ends."""
    told = b""
    try:
        while piece := connection.recv(65536):
            told += piece
    except ConnectionResetError:
        pass
    return told


def next_answer(connection: socket.socket) -> tuple[int, bytes]:
    """Status and body of the one answer that is on its way, in however many pieces it comes."""
    with closing(HTTPResponse(connection)) as answer:
        answer.begin()
        return answer.status, answer.read()


def statuses(answer: bytes) -> list[int]:
    return [int(each[:3]) for each in answer.split(b"HTTP/1.1 ")[1:]]


@pytest.mark.parametrize(
    ("length", "media", "status"),
    [
        (10_001, "application/json", 413),
        (10_001, "Application/JSON; charset=utf-8", 413),
        (100_001, "application/vnd.lepton.chunks", 413),
        (10**18, "application/json", 413),
        (10**40, "application/json", 400),
        (-1, "application/json", 400),
    ],
    ids=range(6),
)
def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_sent(
    server: Served, length: int, media: str, status: int
) -> None:
    before, path = server.manager.position(), "/api/v1/models/credit/chunks"
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {media}\r\n"
    answer = answered(server, f"{head}Content-Length: {length}\r\n\r\n")

    assert statuses(answer) == [status]
    assert b"application/problem+json" in answer
    assert server.manager.position() == before


def test_a_body_that_turns_out_too_large_is_refused(server: Served) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(30):
            yield b" " * 1000

    answer = server.client().patch("/models/credit", content=pieces(), headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["type"]) == (413, "tag:lepton-ai,2026:problem:too-large")


def test_a_body_that_stops_coming_is_waited_for_so_long(home: Path) -> None:
    with served(home, limits=replace(LIMITS, silence=0.5)) as server:
        server.manager.save_version({"w": np.zeros(3)}, name="credit")
        before = server.manager.position()
        answer = answered(server, f'{PATCH}Content-Length: 30\r\n\r\n{{"descr')

        assert statuses(answer) == [408]
        assert b"connection: close" in answer.lower()
        assert server.manager.position() == before


def test_a_head_that_does_not_come_to_an_end_is_cut_off(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lepton_ai.web.door.protocol.HEAD_SECONDS", 0.2)
    for begun in (b"", b"GET /api", b"\r\n\r\n", GET.encode() + b"X-A: "):
        assert answered(server, begun) == b"", "nothing is answered, and the connection ends"
    monkeypatch.setattr("lepton_ai.web.door.protocol.HEAD_SECONDS", 3.0)
    with closing(wire(server)) as connection:
        connection.sendall(f"{GET}\r\n".encode())
        assert b'{"seq":' in next_answer(connection)[1]
        connection.sendall(b"GET")  # as slow as it likes, on a connection that was good before
        assert rest(connection) == b""


def test_a_head_without_end_is_cut_off(server: Served) -> None:
    answer = answered(server, GET.encode() + b"".join(b"X-%d: %s\r\n" % (n, b"x" * 1000) for n in range(3000)))

    assert statuses(answer) in ([400], [])  # whoever still writes may find the connection gone


def test_a_body_of_one_piece_is_no_head(server: Served) -> None:
    body = b'{"description": "' + b"x" * 9_000 + b'"}'
    with closing(wire(server)) as connection:
        for _ in range(30):
            connection.sendall(f"{PATCH}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            assert next_answer(connection)[0] == 200


def test_who_does_not_read_is_cut_off(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    cut, lost = threading.Event(), BoundedProtocol.connection_lost
    monkeypatch.setattr("lepton_ai.web.door.protocol.UNREAD_SECONDS", 0.2)
    ours = list[Any]()

    def connection_lost(protocol: BoundedProtocol, error: Exception | None) -> None:
        lost(protocol, error)
        if protocol.client in ours:
            cut.set()

    monkeypatch.setattr(BoundedProtocol, "connection_lost", connection_lost)
    weights = GET.replace("position", "models/credit/versions/1/weights")
    with closing(socket.socket()) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        place = httpx.URL(server.url)
        connection.connect((place.host, place.port))
        ours.append(connection.getsockname())
        connection.settimeout(PATIENCE)
        connection.sendall(f"{weights}\r\n".encode() * 8)
        assert cut.wait(PATIENCE)
        told = rest(connection)

    assert len(told) < 8 * 2_400_000


class Slow:
    """Has the description of a model changed as slowly as a test wants."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at_work, self.go_on = threading.Semaphore(0), threading.Event()
        describe = ModelManager.describe

        def slowly(manager: ModelManager, *given: Any, **named: Any) -> None:
            self.at_work.release()
            assert self.go_on.wait(PATIENCE)
            describe(manager, *given, **named)

        monkeypatch.setattr(ModelManager, "describe", slowly)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    slow = Slow(monkeypatch)
    yield slow
    slow.go_on.set()


def test_an_answer_that_is_late_is_asked_for_again_under_its_key(home: Path, slow: Slow) -> None:
    with served(home, limits=Limits(seconds=0.5)) as server:
        server.manager.save_version({"w": np.zeros(3)}, name="credit")
        before, client = server.manager.position(), server.client(headers={"Idempotency-Key": "late"})
        body = {"description": "in the end"}
        late = client.patch("/models/credit", json=body)

        assert (late.status_code, late.headers["Retry-After"]) == (503, "2")
        assert "again under its key" in late.json()["detail"]
        slow.go_on.set()
        while (again := client.patch("/models/credit", json=body)).status_code == 503:
            """A machine under load may be late again."""
        assert (again.status_code, again.json()["description"]) == (200, "in the end")
        assert server.manager.position() == before + 1


def test_more_requests_than_there_are_places_are_told_to_come_again(server: Served, slow: Slow) -> None:
    def ask() -> None:
        server.client().patch("/models/credit", json={"description": "one of many"})

    asking = [threading.Thread(target=ask) for _ in range(LIMITS.requests)]
    for each in asking:
        each.start()
    for _ in asking:
        assert slow.at_work.acquire(timeout=PATIENCE)

    refused = server.client().get("/position")
    assert (refused.status_code, refused.json()["type"]) == (503, "tag:lepton-ai,2026:problem:unavailable")
    assert refused.headers["Retry-After"] == "2"
    slow.go_on.set()
    for each in asking:
        each.join()
    assert server.client().get("/position").status_code == 200


def test_one_token_does_not_take_all_places(home: Path, slow: Slow) -> None:
    with served(home, limits=Limits(requests_each=2)) as server:
        server.manager.save_version({"w": np.zeros(3)}, name="credit")
        many, other = server.client(server.token("write")), server.client(server.token("read", owner="bob"))

        def ask() -> None:
            many.patch("/models/credit", json={"description": "one of many"})

        asking = [threading.Thread(target=ask) for _ in range(2)]
        for each in asking:
            each.start()
        for _ in asking:
            assert slow.at_work.acquire(timeout=PATIENCE)

        refused = many.get("/position")
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "2")
        assert other.get("/position").status_code == 200
        slow.go_on.set()
        for each in asking:
            each.join()
        assert many.get("/position").status_code == 200


@pytest.mark.parametrize(
    ("act", "method", "path", "places", "code"),
    [
        ("diff", "GET", "/models/credit/diff?from=1..1", 2, 200),
        ("gate", "POST", "/models/credit/versions/1/gates", 4, 409),  # its figure is of no known rows
    ],
)
def test_what_takes_long_has_a_few_places_and_what_is_cheap_is_answered_meanwhile(
    home: Path, monkeypatch: pytest.MonkeyPatch, act: str, method: str, path: str, places: int, code: int
) -> None:
    begun, go_on, acts = threading.Semaphore(0), threading.Event(), getattr(ModelManager, act)

    def slowly(manager: ModelManager, *given: Any, **named: Any) -> Any:
        begun.release()
        assert go_on.wait(PATIENCE)
        return acts(manager, *given, **named)

    monkeypatch.setattr(ModelManager, act, slowly)
    with served(home) as server:
        server.manager.save_version({"w": np.zeros(3)}, name="credit", metrics={"f1": 0.5})
        body, codes, client = None if method == "GET" else {"require": "f1 > 0"}, list[int](), server.client()

        def ask() -> None:
            codes.append(client.request(method, path, json=body).status_code)

        asking = [threading.Thread(target=ask) for _ in range(50)]
        for each in asking:
            each.start()
        try:
            for _ in range(places):
                assert begun.acquire(timeout=PATIENCE)
            for cheap in ("/position", "/models", "/models/credit/versions/1"):
                assert client.get(cheap).status_code == 200
            assert not begun.acquire(blocking=False), "no more than its places are at work"
        finally:
            go_on.set()
            for each in asking:
                each.join()
        assert codes == [code] * 50


SMUGGLED = f"{GET}Connection: close\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        "Content-Length: 0\r\nContent-Length: 4\r\n\r\n",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "Content-Length: +0\r\n\r\n",
        "Content-Length: 0x0\r\n\r\n",
        "X: a\r\n\tTransfer-Encoding: chunked\r\nContent-Length: 0\x00\r\n\r\n",
        "X: a\nTransfer-Encoding: chunked\r\nX\r\n\r\n",
        "X: a\rTransfer-Encoding: chunked\r\n\r\n",
    ],
    ids=range(11),
)
def test_a_body_of_two_lengths_smuggles_no_request(server: Served, head: str) -> None:
    """Bytes that a proxy may take for a body must not be answered as a request of their own."""
    before = server.manager.position()
    answer = answered(server, PATCH + head + SMUGGLED)

    assert statuses(answer) == [400], answer
    assert server.manager.position() == before


def test_no_header_of_an_answer_breaks_off(server: Served) -> None:
    crooked = "a%0d%0aSet-Cookie:%20a=b"
    client = server.client()
    body = {"description": "a\r\nSet-Cookie: a=b"}
    answers = [
        client.get(f"/models/{crooked}"),
        client.get(f"/models/credit/versions/1/tensors/{crooked}"),
        client.get(f"/models/credit/versions/1/files/{crooked}"),
        client.post("/runs", json={"model": "credit", "run": "a\r\nSet-Cookie: a=b"}),
        client.post("/runs", json={"model": "a\r\nSet-Cookie: a=b"}),
        client.patch("/models/credit", json=body, headers={"Idempotency-Key": "a b"}),
        client.get("/models", params={"most": 1, "cursor": "a\r\nSet-Cookie: a=b"}),
        client.get("/search", params={"where": "metric.f1 > 0 \r\nSet-Cookie: a=b"}),
    ]

    assert [answer.headers.get("set-cookie") for answer in answers] == [None] * len(answers)
    assert max(answer.status_code for answer in answers) < 500
