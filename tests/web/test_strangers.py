"""Who is kept out, and what becomes of those who were let in: addresses, users, proxies, issuers, revoked tokens."""

from __future__ import annotations

import datetime
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from lepton_ai import ModelManager, settings
from lepton_ai.errors import Refused, Unavailable
from lepton_ai.web import rates
from lepton_ai.web.door import oidc, peer
from lepton_ai.web.door.lane import Lane
from lepton_ai.web.door.oidc import Issued
from lepton_ai.web.options import Issuer, Limits, ServeOptions
from lepton_ai.web.served import ServedLedger
from lepton_ai.web.serving import check_may_start
from lepton_ai.wiring import Home

from ..asking import PATIENCE
from .issuer import AUDIENCE, issuing
from .server import Served, served

HOSTS = ("127.0.0.1", "localhost", "ledger.example")


def made(home: Path) -> str:
    """A ledger with a model: the secret of a token that may all."""
    with ModelManager(home) as manager:
        manager.save_version({"w": np.zeros(3)}, name="credit")
        return str(manager.create_token("root", ["admin"]).secret)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A ledger without tokens, on loopback."""
    with served(tmp_path_factory.mktemp("open") / "home") as server:
        server.manager.save_version({"w": np.zeros(3)}, name="credit")
        yield server


# ── without tokens ───────────────────────────────────────────────────────────────────────────────────────────────────


ASKING = """
import http.client, os, socket, sys
"localhost".encode("idna")  # what is imported late is not to be read by another user
os.setgroups([]), os.setgid(65534), os.setuid(65534)
wire = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
body = b'{"description": "written by a stranger"}'
wire.sendall(b"PATCH /api/v1/models/credit HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n"
             b"Content-Type: application/json\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body)
if sys.argv[2] == "reads":
    answer = http.client.HTTPResponse(wire)
    answer.begin()
    print(answer.status)
wire.close()
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user")
@pytest.mark.parametrize("how", ["reads", "leaves"])
def test_another_user_of_the_machine_is_refused(server: Served, how: str) -> None:
    before, port = server.manager.position(), httpx.URL(server.url).port
    command = [sys.executable, "-I", "-c", ASKING, str(port), how]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout == ("403\n" if how == "reads" else "")
    assert server.client().get("/models/credit").json()["description"] == ""
    assert server.manager.position() == before


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="the system does not tell whose sockets are")
def test_a_socket_that_was_closed_is_nobodys() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = socket.create_connection(listening.getsockname())
        (taken, address), here = listening.accept(), listening.getsockname()
        assert peer.uid_of(address, here) == os.getuid()
        client.shutdown(socket.SHUT_WR)
        assert peer.uid_of(address, here) == os.getuid(), "who has said all may wait for the answer"
        client.close()
        assert peer.uid_of(address, here) == peer.NOBODY
        taken.close()
        assert peer.uid_of(("127.0.0.1", 1), here) == peer.NOBODY


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "X-Forwarded-Host"])
def test_nobody_comes_through_a_proxy_without_a_token(server: Served, header: str) -> None:
    answer = server.client(headers={header: "203.0.113.9"}).get("/position")

    assert (answer.status_code, answer.json()["type"]) == (403, "tag:lepton-ai,2026:problem:forbidden")
    assert "--proxy" in answer.json()["detail"]


def test_a_stream_without_a_token_ends_once_there_are_tokens(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lepton_ai.web.following.streams.CHECKED", 0.2)
    monkeypatch.setattr("lepton_ai.web.served.FRESH", 4.0)
    with served(home) as server:
        server.manager.save_version({"w": np.zeros(3)}, name="credit")
        with server.client().stream("GET", "/events", headers={"Accept": "text/event-stream"}) as stream:
            lines = stream.iter_lines()
            assert next(lines).startswith("retry")
            server.token("read")
            assert any("lepton.token.created" in line for line in list(lines)), "all until it ended"
        assert server.client().get("/position").status_code == 401


# ── with tokens ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_stream_of_a_revoked_token_ends_though_there_is_always_more(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lepton_ai.web.following.streams.CHECKED", 0.2)
    with served(home) as server:
        server.manager.save_version({"w": np.zeros(3)}, name="credit")
        token = server.manager.create_token("bea", ["read"])
        told = 0
        accept = {"Accept": "text/event-stream"}
        with server.client(token.secret).stream("GET", "/events", headers=accept) as stream:
            for line in stream.iter_lines():
                if not line.startswith("id: "):
                    continue
                told += 1
                server.manager.annotate("credit@1", {"n": told})  # each event that is told brings the next
                if told == 3:
                    server.manager.revoke_token(token.token)
                assert told < 2_000, "the token is good no more"
        assert told >= 3


def test_failed_logins_are_counted_by_address_and_shut_out_nobody_who_holds_a_good_token(home: Path) -> None:
    good = made(home)
    with served(home) as server:
        stranger, friend = server.client("lepton_" + "x" * 43), server.client(good)
        answers = [stranger.get("/position", headers={"X-Forwarded-For": f"198.51.100.{n}"}) for n in range(20)]
        refused = [answer for answer in answers if answer.status_code == 429]

        assert [answer.status_code for answer in answers[:10]] == [401] * 10
        assert refused
        assert 1 <= int(refused[0].headers["Retry-After"]) <= 60
        assert refused[0].json()["type"] == "tag:lepton-ai,2026:problem:too-many-requests"
        assert friend.get("/position").status_code == 200
        assert httpx.get(f"{server.url}/api/v1/position").status_code == 401, "who sends none is asked for one"
        entered = httpx.post(f"{server.url}/login", data={"token": good}, headers={"Origin": server.url})
        assert entered.status_code == 303


def test_tokens_of_an_address_that_guesses_are_looked_up_a_few_at_a_time(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = made(home)
    with served(home) as server:
        service, late = server.service, server.token("read")
        looked, go_on, visitor = threading.Semaphore(0), threading.Event(), service.visitor

        def slowly(secret: str) -> Any:
            if secret.startswith("lepton_x"):
                looked.release()
                assert go_on.wait(PATIENCE)
            return visitor(secret)

        assert server.client(good).get("/position").status_code == 200
        monkeypatch.setitem(vars(service), "doubted", Lane(2, 3))
        for _ in range(100):
            service.failures.note("127.0.0.1")
        monkeypatch.setattr(service, "visitor", slowly)
        codes, stranger = list[int](), server.client("lepton_x")

        def guess() -> None:
            codes.append(stranger.get("/position").status_code)

        guesses = [threading.Thread(target=guess) for _ in range(20)]
        for each in guesses:
            each.start()
        try:
            assert looked.acquire(timeout=30)
            assert looked.acquire(timeout=30)
            assert server.client(good).get("/position").status_code == 200, "the lane is full, and it was good before"
        finally:
            go_on.set()
            for each in guesses:
                each.join()
        assert set(codes) <= {429, 503}
        assert server.client(late).get("/position").status_code == 200, "one that was never seen is looked up"


def test_what_a_proxy_says_is_believed_of_those_that_are_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "_MINUTE", 6000.0)
    good = made(home)
    with served(home, hosts=HOSTS, proxies=("127.0.0.1",)) as server:
        stranger = server.client("lepton_" + "x" * 43)

        def asked(address: str) -> int:
            # what the client itself says stands before what the proxy adds
            return stranger.get("/position", headers={"X-Forwarded-For": f"10.9.9.9, {address}"}).status_code

        assert [asked("203.0.113.9") for _ in range(11)] == [401] * 10 + [429]
        assert asked("203.0.113.10") == 401
        assert server.client(good).get("/position").status_code == 200


def test_tls_is_by_files(home: Path, tmp_path: Path) -> None:
    good = made(home)
    certificate, key = self_signed(tmp_path)
    with served(home, hosts=HOSTS, certificate=certificate, key=key) as server:
        context = ssl.create_default_context(cafile=str(certificate))
        client = server.client(good, verify=context)

        assert server.url.startswith("https://")
        assert client.get("/position").json()["seq"] == server.manager.position()
        client.close()  # else the server waits for it when it ends
        with pytest.raises(httpx.ConnectError):
            server.client(good, verify=True).get("/position")
        with pytest.raises(httpx.TransportError):
            httpx.get(server.url.replace("https", "http"))


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate of this machine's own, and its key."""
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    begin, end = now - datetime.timedelta(days=1), now + datetime.timedelta(days=1)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), begin, end)
    certificate = made.add_extension(names, critical=False).sign(key, hashes.SHA256())
    pem, private = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return pem, private


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"host": "0.0.0.0"}, "LEPTON_SERVE_HOSTS"),
        ({"host": "::"}, "LEPTON_SERVE_HOSTS"),
        ({"host": "127.0.0.1", "proxies": ("10.0.0.1",)}, "LEPTON_SERVE_HOSTS"),
        ({"host": "0.0.0.0", "hosts": ("ledger.example",)}, "token create"),
        ({"host": "127.0.0.1", "hosts": ("ledger.example",)}, "token create"),
        ({"host": "127.0.0.1", "hosts": ("localhost",), "proxies": ("10.0.0.1",)}, "token create"),
    ],
    ids=range(6),
)
def test_a_server_that_strangers_reach_does_not_start_without_names_and_tokens(
    home: Path, options: dict[str, Any], said: str
) -> None:
    with ModelManager(home) as manager:
        manager.save_version({"w": np.zeros(3)}, name="credit")
        token = manager.create_token("ada", ["read"]).token
        manager.revoke_token(token)
        with pytest.raises(Refused, match=said):
            check_may_start(ServedLedger(manager, Home(settings.load(home)), ServeOptions(**options)))


# ── an issuer's tokens ───────────────────────────────────────────────────────────────────────────────────────────────


def test_an_issuers_tokens_open_what_their_claims_say(home: Path) -> None:
    made(home)
    with issuing() as issuer, served(home, issuer=Issuer(issuer.url, AUDIENCE), limits=Limits(failures=100)) as server:
        server.manager.save_version({"w": np.ones(3)}, name="zebra")

        def who(**claims: Any) -> httpx.Client:
            return server.client(issuer.token(**claims))

        write = "lepton:write"
        assert who().get("/models/credit").status_code == 200
        assert who().patch("/models/credit", json={"description": "for loans"}).status_code == 403
        some = who(sub="eve", scope=write, lepton_models=["cred*"])
        assert [each["model"] for each in some.get("/models").json()["models"]] == ["credit"]
        assert some.get("/models/zebra").status_code == 404
        wrote = some.patch("/models/credit", json={"description": "for loans"})
        assert wrote.status_code == 200
        assert told_by(server, int(wrote.headers["Lepton-Seq"])) == "eve"
        assert who(scope="lepton:admin", lepton_models=["cred*"]).get("/tokens").status_code == 403
        for claims in ({"exp": 1}, {"aud": "another"}, {"iss": "https://evil.example"}, {"scope": "openid"}):
            refused = who(**claims).get("/position")
            assert (refused.status_code, refused.json()["type"]) == (401, "tag:lepton-ai,2026:problem:unauthenticated")

        before = server.client(issuer.token())
        issuer.rotate()
        assert before.get("/position").status_code == 200, "keys are kept"


def told_by(server: Served, seq: int) -> str:
    actors = server.service.home.workspace.actors.all()
    (event,) = (each for each in server.manager.events(after=seq - 1) if int(each["sequence"]) == seq)
    return actors[event["authid"]].name


def test_somebody_forgotten_who_comes_again_by_an_issuer_is_somebody_new(home: Path) -> None:
    good = made(home)
    with issuing() as issuer, served(home, issuer=Issuer(issuer.url, AUDIENCE)) as server:
        eve, admin = server.client(issuer.token(sub="eve", scope="lepton:write")), server.client(good)
        first = eve.patch("/models/credit", json={"description": "words of eve"})
        before = authid(server, int(first.headers["Lepton-Seq"]))
        assert admin.delete("/actors/eve").json() == {"forgotten": True}
        assert admin.get("/models/credit").json()["description"] == "[forgotten]"

        again = eve.patch("/models/credit", json={"description": "words of another eve"})

        assert authid(server, int(again.headers["Lepton-Seq"])) != before
        assert "words of eve" not in admin.get("/events", params={"most": 1000}).text


def authid(server: Served, seq: int) -> str:
    return str(next(iter(server.manager.events(after=seq - 1)))["authid"])


def test_an_issuer_that_does_not_answer_holds_up_nobody_whose_keys_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    with issuing() as issuer:
        issued = Issued(Issuer(issuer.url, AUDIENCE))
        assert issued.visitor(issuer.token()) is not None
        hangs, asked = threading.Event(), threading.Event()
        fetched = issued._fetch
        monkeypatch.setattr(oidc, "_PAUSE", 0.0)
        monkeypatch.setattr(issued, "_fetch", lambda: (asked.set(), hangs.wait(PATIENCE), fetched())[-1])
        stranger = threading.Thread(target=issued.visitor, args=(f"{issuer.token()[:-4]}AAAA",))
        stranger.start()
        try:
            assert asked.wait(PATIENCE)
            assert issued.visitor(issuer.token()) is not None
            assert issued.visitor(f"{issuer.token()[:-4]}AAAA") is None
        finally:
            hangs.set()
            stranger.join()


def test_an_issuer_that_is_away_is_not_asked_again_by_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oidc, "_AWAY", 600.0)
    with issuing() as issuer:
        issuer.is_away, issued = True, Issued(Issuer(issuer.url, AUDIENCE))
        for _ in range(5):
            with pytest.raises(Unavailable, match="cannot be had"):
                issued.visitor(issuer.token())
        assert issuer.documents == 1
