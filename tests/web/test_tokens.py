"""Tokens over HTTP: made and revoked by administrators, each answering for its owner, scopes and models alone."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import numpy as np
import pytest

from lepton_ai import ModelManager
from lepton_ai.errors import Forbidden, UnknownRevision

from .server import Served, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("tokens") / "home") as server:
        for name in ("credit", "zebra"):
            server.manager.save_version({"w": np.zeros(3)}, name=name)
        yield server


@pytest.fixture
def admin(server: Served) -> httpx.Client:
    return server.client(server.token("admin", owner="root"))


def test_a_token_is_made_told_without_its_secret_and_revoked(server: Served, admin: httpx.Client) -> None:
    made = admin.post("/tokens", json={"owner": "bea", "scopes": ["read"], "models": ["cred*"], "expires": "30d"})
    told = made.json()
    bea = server.client(told["secret"])

    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    assert {name: told[name] for name in ("owner", "scopes", "models", "status", "actor")} == {
        "owner": "bea", "scopes": ["read"], "models": ["cred*"], "status": "good", "actor": "root",
    }  # fmt: skip
    assert bea.get("/position").status_code == 200
    listed = admin.get("/tokens")
    assert told["token"] in [each["token"] for each in listed.json()["tokens"]]
    assert told["secret"] not in listed.text

    revoked = admin.delete(f"/tokens/{told['token']}", params={"reason": "lost"})
    assert (revoked.status_code, revoked.json()["status"]) == (200, "revoked")
    assert int(revoked.headers["lepton-seq"]) == server.manager.position()


def test_sent_again_under_its_key_the_answer_has_no_secret(admin: httpx.Client) -> None:
    asked = {"owner": "bea", "scopes": ["read"], "expires": "30d"}
    one, two, other = (
        admin.post("/tokens", json=asked | {"scopes": scopes}, headers={"Idempotency-Key": "once"})
        for scopes in (["read"], ["read"], ["sql"])
    )

    assert one.json() | {"secret": None} == two.json()
    assert other.status_code == 422


def test_a_model_outside_the_globs_is_as_if_it_were_not_there(server: Served) -> None:
    client = server.client(server.token("read", models=("credit",)))

    assert client.get("/models/credit").status_code == 200
    hidden, absent = (client.get(f"/models/{name}") for name in ("zebra", "okapi"))
    assert (hidden.status_code, absent.status_code) == (404, 404)
    assert hidden.text.replace("zebra", "okapi") == absent.text


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/tokens"), ("POST", "/tokens"), ("DELETE", "/tokens/4f2a4f2a"), ("DELETE", "/actors/ada")],
    ids=lambda value: value.replace("/", "-"),
)
@pytest.mark.parametrize(
    ("scopes", "models"),
    [(("read", "write", "move", "sql"), ("*",)), (("admin",), ("credit",))],
    ids=["scopes", "models"],
)
def test_tokens_are_for_administrators_of_the_whole_ledger(
    server: Served, method: str, path: str, scopes: tuple[str, ...], models: tuple[str, ...]
) -> None:
    client = server.client(server.token(*scopes, models=models))
    before = server.manager.position()

    answer = client.request(method, path, json={"owner": "eve", "scopes": ["admin"]} if method == "POST" else None)

    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
    assert server.manager.position() == before


def test_somebody_is_forgotten_with_their_tokens(server: Served, admin: httpx.Client) -> None:
    server.token("read", owner="cleo")

    answers = [admin.delete("/actors/cleo").json() for _ in range(2)]

    assert answers == [{"forgotten": True}, {"forgotten": False}]
    assert [each.status for each in server.manager.tokens() if each.owner == "[forgotten]"] == ["revoked"]


@pytest.mark.parametrize(
    "body",
    [
        {}, {"owner": "bea"}, {"owner": "bea", "scopes": []}, {"owner": "bea", "scopes": ["own"]},
        {"owner": "", "scopes": ["read"]}, {"owner": "bea", "scopes": "read"},
        {"owner": "bea", "scopes": ["read"], "expires": "soon"}, {"owner": "bea", "scopes": ["read"], "secret": "x"},
    ],
    ids=range(8),
)  # fmt: skip
def test_what_makes_no_token_is_a_problem_and_changes_nothing(
    server: Served, admin: httpx.Client, body: dict[str, object]
) -> None:
    before = server.manager.position()

    answer = admin.post("/tokens", json=body)

    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert server.manager.position() == before


def test_the_sdk_makes_and_revokes_tokens_of_a_server(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEPTON_TOKEN", server.token("admin", owner="root"))
    with ModelManager(server.url) as manager:
        made = manager.create_token("dora", "read", models="credit", expires="30d")
        assert server.manager.holder(made.secret or "") is not None
        assert made.token in [each.token for each in manager.tokens()]
        assert manager.revoke_token(made.token, reason="lost").status == "revoked"
        assert manager.forget_actor("dora")
        with pytest.raises(UnknownRevision, match="there is no token"):
            manager.revoke_token("4f2a4f2a")
    monkeypatch.setenv("LEPTON_TOKEN", server.token("read", owner="eve"))
    with ModelManager(server.url) as manager, pytest.raises(Forbidden):
        manager.tokens()
