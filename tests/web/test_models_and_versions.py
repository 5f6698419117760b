"""Models and versions over HTTP: the same as the SDK and `--json` tell, page by page; writes act once a key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
import pytest

from lepton_ai.results.wire import unpacked

from .server import Served, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of a net of twelve versions, and of one with a slash in its name."""
    with served(tmp_path_factory.mktemp("versions")) as server:
        for number in range(1, 13):
            weights = {"weight": np.full(4, number, dtype=np.float32)}
            told = {"message": f"step {number}", "metrics": {"f1": number / 100}}
            server.manager.save_version(weights, name="net", branch="main", **told)
        server.manager.tag("best", "net@9")
        server.manager.alias("production", "net@11")
        server.manager.save_version({"weight": np.zeros(2, dtype=np.float32)}, name="team/other")
        yield server


@pytest.fixture(scope="module")
def http(server: Served) -> httpx.Client:
    return server.client()


def pages(http: httpx.Client, url: str, name: str) -> Iterator[list[dict[str, Any]]]:
    """All pages of a list, by its links."""
    while url:
        answer = http.get(url)
        assert answer.status_code == 200, answer.text
        yield answer.json()[name]
        assert ("next" in answer.links) == (answer.json()["next"] is not None)
        url = str(answer.url.join(answer.links["next"]["url"])) if answer.links else ""


def test_models_are_told_as_the_command_line_tells_them(server: Served, http: httpx.Client) -> None:
    names = [each["model"] for page in pages(http, "models?most=1", "models") for each in page]

    assert names == ["net", "team/other"]
    assert http.get("models/net").json() == server.manager.about("net").to_dict()
    assert http.get("models/team%2Fother").json()["model"] == "team/other"
    assert http.get("models/team/other").status_code == 404
    form = {"Accept": "application/vnd.lepton.answer+json"}
    assert unpacked(http.get("models", headers=form).json()) == ["net", "team/other"]
    assert unpacked(http.get("models/net", headers=form).json()) == server.manager.about("net")


def test_a_version_is_told_as_the_command_line_tells_it(server: Served, http: httpx.Client) -> None:
    record = server.manager.show("net@best")

    for address in ("models/net/versions/best", "models/net/versions/9", "models/-/versions/net@9"):
        answer = http.get(address)
        assert (answer.status_code, answer.json()) == (200, record.to_dict() | {"version": record.version.to_dict()})
    form = {"Accept": "application/vnd.lepton.answer+json"}
    assert unpacked(http.get("models/net/versions/main~3", headers=form).json()) == record
    assert http.get("models/net/versions/main@%7B1%7D").json()["version"]["version"] == 11


def test_versions_and_history_are_read_page_by_page_while_more_are_saved(server: Served, http: httpx.Client) -> None:
    numbers = list[int]()
    for page in pages(http, "models/net/versions?most=5", "versions"):
        numbers += [each["version"] for each in page]
        server.manager.annotate("net@1", {"seen": len(numbers)})
    seqs = [each["seq"] for page in pages(http, "models/net/log?most=5", "entries") for each in page]

    assert numbers == list(range(12, 0, -1))
    assert seqs == [each.seq for each in server.manager.log(model="net")]
    assert [each["version"] for each in http.get("models/net/versions?before=3").json()["versions"]] == [2, 1]
    assert [each["seq"] for each in http.get(f"models/net/log?before={seqs[3]}&most=2").json()["entries"]] == seqs[4:6]
    some = pages(http, "models/net/log?rev=3..main&most=4", "entries")
    assert [each["version"] for page in some for each in page if each["kind"] == "committed"] == list(range(12, 3, -1))


def test_versions_are_searched_within_a_model(http: httpx.Client) -> None:
    found = list(
        pages(http, "models/net/versions?where=metric.f1 %3E 0.055 and version.branch = 'main'&most=4", "versions")
    )

    assert [[each["version"] for each in page] for page in found] == [[12, 11, 10, 9], [8, 7, 6]]
    assert found[0][1]["aliases"] == ["production"]
    assert found[0][3]["tags"] == ["best"]
    table = http.get("models/net/versions?most=3", headers={"Accept": "application/vnd.apache.arrow.stream"})
    rows = pa.ipc.open_stream(table.content).read_all()
    assert rows.column("version").to_pylist() == [12, 11, 10]
    assert http.get("models/net/versions?most=1", headers={"Accept": "text/csv"}).text.startswith(
        "version,model,digest"
    )


FACTS: list[tuple[str, str, Any]] = [
    ("PATCH", "models/net", {"description": "what it is for"}),
    ("PATCH", "models/net", {"better": {"fid": "lower"}}),
    ("PUT", "models/net/versions/5/description", {"description": "the fifth"}),
    ("PATCH", "models/net/versions/best/annotations", {"ticket": "RISK-12", "reviewed": True, "rate": 0.5}),
    ("POST", "models/net/versions/4/metrics", {"metrics": {"loss": "NaN", "fid": 3.5}, "better": {"fid": "lower"}}),
    ("POST", "models/net/versions/13/clearance", {"reason": "the alarm was false"}),
    ("PATCH", "models/team%2Fother", {"archived": True, "reason": "no more"}),
    ("PATCH", "models/team%2Fother", {"archived": False}),
]


@pytest.mark.parametrize(
    ("method", "address", "body"), FACTS, ids=lambda part: next(iter(part)) if isinstance(part, dict) else None
)
def test_a_write_sent_fifty_times_under_one_key_acts_once(
    server: Served, http: httpx.Client, method: str, address: str, body: Any
) -> None:
    if "clearance" in address:
        server.manager.branch("back", "net@3")
        server.manager.save_version({"weight": np.ones(4, dtype=np.float32)}, name="net", branch="back")
        server.manager.rollback(3, model="net", branch="back")
    before = server.manager.position()
    key = {"Idempotency-Key": f"{method} {address} {sorted(body)}"}
    answers = [http.request(method, address, json=body, headers=key) for _ in range(50)]

    assert {answer.status_code for answer in answers} == {200}, answers[0].text
    seqs = {answer.headers["Lepton-Seq"] for answer in answers}
    assert seqs == {str(server.manager.position())}
    assert server.manager.position() - before <= 2
    if "description" in body:
        assert http.request(method, address, json={"description": "another"}, headers=key).status_code == 422


def test_facts_that_were_told_are_there(server: Served, http: httpx.Client) -> None:
    http.patch("models/net", json={"description": "for loans"})
    http.patch("models/-/versions/net@7/annotations", json={"ticket": "A-1"})
    http.patch("models/net/versions/7/annotations", json={"ticket": None, "owner": "risk"})
    described = http.put("models/-/versions/net/description", json={"description": "the newest"}).json()

    assert http.get("models/net").json()["description"] == "for loans"
    assert http.get("models/net/versions/7").json()["annotations"] == {"owner": "risk"}
    assert described["description"] == "the newest"
    assert server.manager.show("net").description == "the newest"


def test_a_card_is_told_as_markdown_or_json(server: Served, http: httpx.Client) -> None:
    card = http.get("models/net/versions/9/card?language=en")

    assert card.headers["content-type"].startswith("text/markdown")
    assert card.text == server.manager.card("net@9", language="en").markdown
    told = http.get("models/net/versions/9/card", headers={"Accept": "application/json"}).json()
    assert told == server.manager.card("net@9").to_dict()


REFUSED: list[tuple[str, str, Any, int]] = [
    ("GET", "models/nothing", None, 404),
    ("GET", "models/-", None, 409),
    ("GET", "models/net/versions/99", None, 404),
    ("GET", "models/net/versions/..%2F..%2Fetc", None, 400),
    ("GET", "models/net/versions/%00", None, 400),
    ("GET", "models/net/versions/main~99", None, 404),
    ("GET", "models/net/versions?most=0", None, 400),
    ("GET", "models/net/versions?most=1001", None, 400),
    ("GET", "models/net/versions?where=f1 %3E", None, 400),
    ("GET", "models/net/versions?branch=nightly", None, 404),
    ("GET", "models/net/versions?cursor=AAAA", None, 400),
    ("GET", "models/net/versions?before=0", None, 400),
    ("GET", "models/net/versions?after=3", None, 400),
    ("GET", "models/net/log?rev=a..b..c", None, 400),
    ("GET", "models/net/log?rev=team%2Fother@1", None, 400),
    ("PATCH", "models/net", {}, 400),
    ("PATCH", "models/net", {"description": "a", "archived": True}, 400),
    ("PATCH", "models/net", {"description": "a", "reason": "b"}, 400),
    ("PATCH", "models/net", {"better": {"fid": "less"}}, 400),
    ("PATCH", "models/net", {"name": "other"}, 400),
    ("PATCH", "models/net/versions/1/annotations", {"a": [1]}, 400),
    ("PATCH", "models/net/versions/1/annotations", [1], 400),
    ("POST", "models/net/versions/1/metrics", {"metrics": {"f1": "high"}}, 400),
    ("POST", "models/net/versions/1/metrics", {"metrics": {"": 1.0}}, 400),
    ("POST", "models/net/versions/1/metrics", {"metrics": {"f1": 1.0}, "data": "/etc/passwd"}, 400),
    ("POST", "models/net/versions/1/clearance", {}, 400),
    ("PUT", "models/net/versions/1/description", {"description": 3}, 400),
    ("POST", "models", {"name": "new"}, 405),
]


@pytest.mark.parametrize(("method", "address", "body", "status"), REFUSED, ids=str)
def test_what_is_not_right_is_a_problem_and_changes_nothing(
    server: Served, http: httpx.Client, method: str, address: str, body: Any, status: int
) -> None:
    before = server.manager.position()
    answer = http.request(method, address, json=body) if body is not None else http.request(method, address)

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    assert server.manager.position() == before
