"""Who judges over HTTP: rows are their sender's alone, what is recorded is the token's owner's, and rights hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import numpy as np
import pytest

from .server import Served, served

CSV = b"a,b,y\n1,3,0\n2,4,1\n"
MODEL = "/models/net/versions/1"


@dataclass
class Team:
    """A server of several callers, each with a token of their own."""

    server: Served

    def client(self, owner: str, scope: str = "write", *models: str) -> httpx.Client:
        return self.server.client(self.server.token(scope, owner=owner, models=models or ("*",)))

    def actors(self, after: int) -> set[tuple[str, str]]:
        """Who recorded what since."""
        known = self.server.service.home.workspace.actors.all()
        events = self.server.manager.events(after=after)
        return {(each["type"], known[each["authid"]].name) for each in events}


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    folder = tmp_path_factory.mktemp("team")
    (folder / "secret-place.csv").write_bytes(CSV)
    with served(folder / "home") as server:
        server.manager.save_version({"w": np.zeros(3)}, name="net")
        server.manager.add_data("local", folder / "secret-place.csv", "y", types={"a": "number"})
        yield Team(server)


def send(client: httpx.Client) -> str:
    answer = client.post("/rows", content=CSV, headers={"Content-Type": "text/csv"})
    assert answer.status_code == 201, answer.text
    return answer.json()["rows"]


PREDICTED = {"predictions": "a", "labels": "y", "task": "regression", "draws": 0}


def test_rows_of_another_are_as_if_they_were_not_there(team: Team) -> None:
    ada, bob = team.client("ada"), team.client("bob")
    rows, at = send(ada), team.server.manager.position()
    asked = [
        ("GET", f"/rows/{rows}", None),
        ("DELETE", f"/rows/{rows}", None),
        ("PUT", "/data/stolen", {"rows": rows, "labels": "y"}),
        ("POST", f"{MODEL}/evaluations", {"rows": rows, "labels": "y"}),
        ("POST", f"{MODEL}/evaluations/predictions", {"rows": rows, **PREDICTED}),
        ("POST", f"{MODEL}/robustness", {"rows": rows, "labels": "y"}),
        ("POST", "/models/net/compare", {"rows": rows, "labels": "y", "revs": ["1"]}),
    ]
    unknown = bob.get(f"/rows/{'0' * 32}").json()
    for method, path, body in asked:
        answer = bob.request(method, path, json=body) if body else bob.request(method, path)
        assert answer.status_code == 404, path
        assert answer.json()["detail"] == unknown["detail"]
    assert team.server.manager.position() == at
    assert ada.get(f"/rows/{rows}").status_code == 200
    assert team.client("ada", "read").get(f"/rows/{rows}").status_code == 200


def test_what_is_recorded_is_the_owners_of_the_token(team: Team) -> None:
    ada, since = team.client("ada"), team.server.manager.position()
    body = {"rows": send(ada), "probabilities": None, **PREDICTED, "name": "trial"}
    assert ada.post(f"{MODEL}/evaluations/predictions", json=body).status_code == 201
    gate = ada.post(f"{MODEL}/gates", json={"require": "mae < 100", "name": "trial"})
    assert (gate.status_code, gate.json()["passed"]) == (200, True), gate.text
    put = ada.put("/data/quarter", json={"rows": send(ada), "labels": "y", "keep": True})
    assert put.status_code == 200, put.text
    suite = ada.put("/suites/weekly", json={"data": "quarter", "model": "net", "require": "mae < 100"})
    assert suite.status_code == 200, suite.text
    assert ada.delete("/suites/weekly", params={"reason": "a trial"}).status_code == 200

    kinds = ("evaluation.recorded", "gate.judged", "data.named", "suite.defined", "suite.retired")
    assert {(f"lepton.{kind}.v1", "ada") for kind in kinds} <= team.actors(since)
    assert {actor for _, actor in team.actors(since)} == {"ada"}


def test_who_may_only_read_judges_without_a_record(team: Team) -> None:
    reader, at = team.client("eve", "read"), team.server.manager.position()
    rows = send(reader)
    for method, path, body in (
        ("POST", f"{MODEL}/evaluations", {"rows": rows, "labels": "y"}),
        ("POST", f"{MODEL}/evaluations/predictions", {"rows": rows, **PREDICTED}),
        ("POST", f"{MODEL}/gates", {"require": "mae < 100"}),
        ("POST", f"{MODEL}/calibrations", {"rows": rows, "labels": "y"}),
        ("POST", f"{MODEL}/thresholds", {"rows": rows, "labels": "y", "costs": {"false_negative": 5}}),
        ("PUT", "/data/quarter", {"rows": rows, "labels": "y"}),
        ("PUT", "/suites/weekly", {"data": "local"}),
        ("POST", "/suites/weekly/runs", {"version": "net@1"}),
        ("DELETE", "/suites/weekly", None),
    ):
        answer = reader.request(method, path, json=body) if body else reader.request(method, path)
        assert answer.status_code == 403, (path, answer.text)
    assert reader.post("/models/net/compare", json={"revs": ["1"]}).status_code == 200
    assert team.server.manager.position() == at


def test_a_model_of_others_is_as_if_it_were_not_there(team: Team) -> None:
    stranger, at = team.client("eve", "write", "risk*"), team.server.manager.position()
    body = {"rows": send(stranger), **PREDICTED}

    assert stranger.post(f"{MODEL}/evaluations/predictions", json=body).status_code == 404
    assert stranger.post(f"{MODEL}/gates", json={"require": "mae < 100"}).status_code == 404
    assert stranger.get(f"{MODEL}/report").status_code == 404
    assert stranger.post("/models/net/compare", json={"revs": ["1"]}).status_code == 404
    assert team.server.manager.position() == at


def test_where_named_rows_lie_is_told_to_keepers_alone(team: Team) -> None:
    for scope, told in (("write", False), ("admin", True)):
        client = team.client("ada", scope)
        for path in ("/data/local", "/data"):
            assert ("secret-place" in client.get(path).text) is told
    assert team.client("ada", "read").get("/data/local/drift", params={"after": "local"}).status_code == 200
