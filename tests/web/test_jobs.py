"""Jobs over HTTP: asked for on named data, told where they are, waited for, called off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Timer
from typing import Any

import httpx
import numpy as np
import pytest

from lepton_ai.domain.access.rights import Rights
from lepton_ai.web.door.visitor import Visitor

from ..cli_home import loans
from .server import Served, served

TRAIN: dict[str, Any] = {"kind": "train", "class": "credit-scoring-model", "model": "risk", "data": "loans"}
SHORT = {"hyperparameters": {"epochs": 2}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("jobs")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Served]:
    """A server of a ledger with named rows."""
    loans(folder / "loans.csv")
    with served(folder / "home") as server:
        server.manager.add_data("loans", str(folder / "loans.csv"), "default")
        server.manager.save_version({"weight": np.zeros(3, dtype=np.float32)}, name="risk")
        yield server


@pytest.fixture(scope="module")
def http(server: Served) -> httpx.Client:
    return server.client()


@pytest.fixture
def writing(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks may write, and not everything."""
    may = Visitor("ada", Rights(frozenset(("write",))))
    monkeypatch.setattr("lepton_ai.web.door.access.Access._visitor", lambda *_: _soon(may))


async def _soon(visitor: Visitor) -> Visitor:
    return visitor


def test_work_is_asked_for_and_waited_for(server: Served, http: httpx.Client) -> None:
    asked = http.post("jobs", json=TRAIN | SHORT)
    assert asked.status_code == 202, asked.text
    assert asked.headers["Location"] == f"/api/v1/jobs/{asked.json()['job']}"
    job = asked.json()["job"]
    assert http.get(f"jobs/{job}?wait=0.1").json()["status"] == "queued"

    calling_off = Timer(0.5, lambda: server.manager.jobs.cancel(job, reason="no more"))
    calling_off.start()
    told = http.get(f"jobs/{job}?wait=25").json()

    assert (told["status"], told["reason"]) == ("cancelled", "no more")
    assert told == server.manager.jobs.show(job).to_dict()
    story = http.get(f"jobs/{job[:13]}/events").json()["events"]
    assert [event["type"] for event in story] == [event["type"] for event in server.manager.jobs.events(job)]
    judged = http.post("jobs", json={"kind": "evaluate", "model": "risk", "version": "main", "data": "loans@1"})
    assert (judged.status_code, judged.json()["kind"]) == (202, "evaluate"), judged.text


def test_a_jobs_story_is_followed_until_it_has_ended(server: Served, http: httpx.Client) -> None:
    job = http.post("jobs", json=TRAIN | SHORT).json()["job"]
    seqs = list[int]()
    with http.stream("GET", f"jobs/{job}/events", headers={"Accept": "text/event-stream"}) as stream:
        for line in stream.iter_lines():
            if line.startswith("id: "):
                seqs.append(int(line.removeprefix("id: ")))
                if len(seqs) == 1:
                    server.manager.jobs.cancel(job)

    story = http.get(f"jobs/{job}/events?after={seqs[0]}").json()["events"]
    assert len(seqs) == 2
    assert [int(event["sequence"]) for event in story] == seqs[1:]
    assert story[-1]["type"] == "lepton.job.cancelled.v1"


def test_work_asked_for_fifty_times_under_one_key_is_one_job(server: Served, http: httpx.Client) -> None:
    before = server.manager.position()
    key = {"Idempotency-Key": "fifty"}
    jobs = {http.post("jobs", json=TRAIN | SHORT, headers=key).json()["job"] for _ in range(50)}
    assert len(jobs) == 1
    (job,) = jobs
    ends = {
        http.post(f"jobs/{job}/cancel", json={"reason": "no more"}, headers={"Idempotency-Key": "off"}).json()["status"]
        for _ in range(50)
    }

    assert ends == {"cancelled"}
    assert server.manager.position() - before == 2
    offer = {
        "kind": "verify",
        "model": "net",
        "source": "s3://b/net.safetensors",
        "digest": f"sha256:{'0' * 64}",
    }
    offered = [http.post("jobs", json=offer, headers={"Idempotency-Key": "offer"}) for _ in range(50)]
    assert {each.status_code for each in offered} == {202}, offered[0].text
    assert len({each.json()["job"] for each in offered}) == 1


def test_jobs_are_listed_page_by_page(server: Served, http: httpx.Client) -> None:
    for number in range(3):
        http.post("jobs", json=TRAIN | SHORT, headers={"Idempotency-Key": f"listed-{number}"})
    listed, url = list[str](), "jobs?most=2"
    while url:
        answer = http.get(url)
        listed += [each["job"] for each in answer.json()["jobs"]]
        url = str(answer.url.join(answer.links["next"]["url"])) if answer.links else ""

    assert listed == [each.job for each in server.manager.jobs.recent(1000)]


@pytest.mark.usefixtures("writing")
@pytest.mark.parametrize("data", ["{folder}/loans.csv", "file:///etc/passwd", "s3://bucket/rows.parquet", "nothing"])
def test_files_and_urls_are_taken_from_those_alone_who_may_do_everything(
    server: Served, http: httpx.Client, folder: Path, data: str
) -> None:
    before = server.manager.position()
    answer = http.post("jobs", json=TRAIN | {"data": data.replace("{folder}", str(folder)), "label": "default"})

    assert (answer.status_code, answer.json()["type"]) == (400, "tag:lepton-ai,2026:problem:malformed")
    assert "no data is named" in answer.json()["detail"]
    validated = http.post("jobs", json=TRAIN | {"validation": str(folder / "loans.csv")})
    assert validated.status_code == 403
    offer = {"kind": "verify", "model": "net", "source": "file:///etc/passwd", "digest": f"sha256:{'0' * 64}"}
    assert http.post("jobs", json=offer).status_code == 403
    assert server.manager.position() == before


def test_nobody_has_the_web_fetched_by_a_request(server: Served) -> None:
    """Not even those who may do everything: a server reaches what its callers cannot."""
    url = f"http://169.254.169.254/rows.csv#sha256={'0' * 64}"
    owner = server.client()

    for asked in ({"data": url, "label": "default"}, {"data": "loans", "validation": url}):
        answer = owner.post("jobs", json=TRAIN | asked)
        assert (answer.status_code, "no server fetches" in answer.json()["detail"]) == (400, True)


REFUSED: list[tuple[Any, int]] = [
    ({}, 400),
    ({"kind": "sing"}, 400),
    ({"kind": "suite", "model": "risk", "data": "loans"}, 400),
    ({"kind": "train", "data": "loans"}, 400),
    (TRAIN | {"class": "nothing"}, 409),
    (TRAIN | {"label": "absent"}, 400),
    (TRAIN | {"hyperparameters": [1]}, 400),
    (TRAIN | {"types": {"income": "colour"}}, 400),
    (TRAIN | {"branch": "a b"}, 400),
    (TRAIN | {"retries": -1}, 400),
    (TRAIN | {"memory": 0}, 400),
    (TRAIN | {"named": {"name": "loans"}}, 400),
    (TRAIN | {"source": "/etc/passwd"}, 400),
    ({"kind": "evaluate", "model": "risk", "version": 99, "data": "loans"}, 404),
    ({"kind": "evaluate", "model": "nothing", "version": 1, "data": "loans"}, 404),
    ({"kind": "evaluate", "model": "risk", "version": "main", "data": "loans", "draws": 10**9}, 400),
    ({"kind": "verify", "model": "net", "source": "x", "digest": "sha256:12"}, 400),
]


@pytest.mark.parametrize(("body", "status"), REFUSED, ids=lambda part: str(part)[:70])
def test_what_is_not_right_is_a_problem_and_changes_nothing(
    server: Served, http: httpx.Client, body: Any, status: int
) -> None:
    before = server.manager.position()
    answer = http.post("jobs", json=body)

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert server.manager.position() == before


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        ("GET", "jobs/nothing-there", 404),
        ("GET", "jobs/x", 404),
        ("GET", "jobs?wait=3", 400),
        ("GET", "jobs/nothing?wait=61", 400),
        ("GET", "jobs/nothing?wait=-1", 400),
        ("POST", "jobs/nothing/cancel", 404),
        ("GET", "jobs/nothing/events", 404),
    ],
)
def test_jobs_that_are_not_there(http: httpx.Client, method: str, url: str, status: int) -> None:
    assert http.request(method, url).status_code == status
