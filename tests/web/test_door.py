"""The door: what HTTP itself forbids is a problem, and nobody is let in by default."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from .server import Served, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A ledger of nobody's but this machine's user, served."""
    with served(tmp_path_factory.mktemp("home")) as server:
        yield server


def test_this_machines_user_is_answered_without_a_token(server: Served) -> None:
    answer = server.client().get("/position")

    assert answer.status_code == 200
    assert answer.json() == {"seq": server.manager.position()}


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "localhost.", "[::2]:80", "a@127.0.0.1"]
)
def test_a_host_that_is_none_of_its_names_is_refused(server: Served, host: str) -> None:
    answer = server.client(headers={"Host": host}).get("/position")

    assert answer.status_code == 421
    assert answer.json()["type"] == "tag:lepton-ai,2026:problem:host-refused"
    assert "LEPTON_SERVE_HOSTS" in answer.json()["detail"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:1", "[::1]:8400", "LocalHost"])
def test_the_names_of_loopback_are_its_own_at_any_port(server: Served, host: str) -> None:
    assert server.client(headers={"Host": host}).get("/position").status_code == 200


def test_two_hosts_are_none(server: Served) -> None:
    place = urlsplit(server.url)
    with socket.create_connection((place.hostname, place.port)) as wire:
        wire.sendall(
            b"GET /api/v1/position HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
        )
        answer = b"".join(iter(lambda: wire.recv(65536), b""))

    assert answer.split(b" ", 2)[1] in (b"400", b"421")


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}]
)
def test_pages_of_strangers_are_not_answered(server: Served, headers: dict[str, str]) -> None:
    assert server.client(headers=headers).get("/position").status_code == 403


@pytest.mark.parametrize("sent", ["Bearer wrong", "Basic YTpi", "Bearer", "wrong"])
def test_what_is_no_token_is_refused_though_none_is_needed(server: Served, sent: str) -> None:
    answer = server.client(headers={"Authorization": sent}).get("/position")

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/nothing", 404), ("/position/", 404), ("/../position", 404), ("//position", 404), ("/p%6Fsition", 404)],
)
def test_what_is_not_there_is_a_problem(server: Served, path: str, status: int) -> None:
    place = urlsplit(server.url)
    with socket.create_connection((place.hostname, place.port)) as wire:
        wire.sendall(f"GET /api/v1{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        head = b"".join(iter(lambda: wire.recv(65536), b"")).decode()

    assert head.split(" ", 2)[1] == str(status)
    assert "application/problem+json" in head


def test_head_is_get_without_its_body(server: Served) -> None:
    got, head = server.client().get("/position"), server.client().head("/position")

    assert head.content == b""
    assert (head.status_code, head.headers["content-length"]) == (200, got.headers["content-length"])


def test_a_method_that_is_not_taken_is_told_with_those_that_are(server: Served) -> None:
    answer = server.client().delete("/position")

    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_what_no_address_takes_is_malformed(server: Served) -> None:
    answer = server.client().get("/position", params={"actor": "eve"})

    assert answer.status_code == 400
    assert "owner of the token" in answer.json()["detail"]


def test_what_is_not_told_in_a_form_is_not_acceptable(server: Served) -> None:
    assert server.client(headers={"Accept": "image/png"}).get("/position").status_code == 406


def test_it_is_healthy_and_ready(server: Served) -> None:
    assert httpx.get(f"{server.url}/healthz").json() == {"status": "ok"}
    assert httpx.get(f"{server.url}/readyz").json() == {"status": "ok"}


@pytest.mark.parametrize(
    "sent", [b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", b"nothing\r\n\r\n"]
)
def test_what_is_no_http_is_a_problem(server: Served, sent: bytes) -> None:
    place = urlsplit(server.url)
    with socket.create_connection((place.hostname, place.port)) as wire:
        wire.sendall(sent)
        head = b"".join(iter(lambda: wire.recv(65536), b"")).decode()

    assert head.startswith("HTTP/1.1 400 ")
    assert "problem:malformed" in head
