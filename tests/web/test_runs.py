"""Runs over HTTP: a script begins, logs, is heard of, ends and is gone on with; others are kept off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
import pytest

from lepton_ai import ModelManager
from lepton_ai.results.wire import unpacked

from .server import Served, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of a ledger with a run of the SDK's own that kept a checkpoint."""
    with served(tmp_path_factory.mktemp("runs")) as server:
        with server.manager.run("net", name="local") as run:
            run.log({"loss": 0.5}, step=1)
            run.checkpoint({"weight": np.zeros(3, dtype=np.float32)}, step=1)
        yield server


@pytest.fixture(scope="module")
def http(server: Served) -> httpx.Client:
    return server.client()


def begun(http: httpx.Client, run: str, writer: str = "one", **told: Any) -> httpx.Response:
    body = {"model": "net", "run": run, "writer": writer, **told}
    answer = http.post("runs", json=body, headers={"Idempotency-Key": f"begin-{run}"})
    assert answer.status_code == 201, answer.text
    return answer


def fifty(http: httpx.Client, url: str, body: Any, key: str) -> list[httpx.Response]:
    return [http.post(url, json=body, headers={"Idempotency-Key": key}) for _ in range(50)]


def test_a_script_tells_of_its_run_from_beginning_to_end(server: Served, http: httpx.Client) -> None:
    answer = begun(http, "story", hyperparameters={"lr": 0.1}, name="nightly", tags=["gpu"])
    assert answer.headers["Location"].endswith("/api/v1/runs/story")

    points = [{"name": "loss", "value": "NaN" if n == 2 else n, "step": n} for n in range(3)]
    assert http.post("runs/story/metrics", json={"points": points, "writer": "one"}).json() == {"points": 3}
    assert http.post("runs/story/beat", json={"writer": "one"}).json() == {"open": True}
    assert http.get("runs/story").json()["status"] == "running"
    ended = http.post("runs/story/finish", json={"points": 3, "writer": "one"})

    assert ended.json()["status"] == "finished"
    assert http.post("runs/story/beat", json={"writer": "one"}).json() == {"open": False}
    assert http.get("runs/story/progress").json() == {"points": 3, "step": 2}
    record = server.manager.show_run("story")
    assert (record.hyperparameters, record.name, record.tags, record.points) == ({"lr": 0.1}, "nightly", ("gpu",), 3)
    form = {"Accept": "application/vnd.lepton.answer+json"}
    assert unpacked(http.get("runs/story", headers=form).json()) == record


@pytest.fixture(scope="module")
def table(http: httpx.Client) -> str:
    """A run with three points."""
    begun(http, "table")
    columns: dict[str, Any] = {
        "names": ["loss", "f1", "loss"],
        "steps": [1, None, 2],
        "values": [0.5, 0.25, "Infinity"],
    }
    columns["times"] = [f"2026-11-24T09:30:0{n}Z" for n in range(3)]
    assert http.post("runs/table/metrics", json={"blocks": [columns]}).json() == {"points": 3}
    return "table"


@pytest.mark.usefixtures("table")
def test_metrics_are_a_table_in_four_forms(http: httpx.Client) -> None:
    rows = http.get("runs/table/metrics").json()["rows"]
    assert [(row["name"], row["step"], row["value"]) for row in rows] == [
        ("loss", 1, 0.5), ("f1", None, 0.25), ("loss", 2, "Infinity"),
    ]  # fmt: skip
    arrow = http.get("runs/table/metrics?name=loss", headers={"Accept": "application/vnd.apache.arrow.stream"})
    assert pa.ipc.open_stream(arrow.content).read_all().column("step").to_pylist() == [1, 2]
    assert http.get("runs/table/metrics", headers={"Accept": "text/csv"}).text.splitlines()[0] == "name,step,value,time"
    assert http.get("runs/table/metrics", headers={"Accept": "application/vnd.apache.parquet"}).content[:4] == b"PAR1"
    assert http.get("runs/table/metrics", headers={"Accept": "image/png"}).status_code == 406


@pytest.mark.usefixtures("table")
def test_the_sdk_at_the_other_end_reads_the_same_runs(server: Served) -> None:
    with ModelManager(server.url) as there:
        here = server.manager
        assert there.run_metrics("table", "loss").equals(here.run_metrics("table", "loss"))
        assert there.run_progress("table") == here.run_progress("table")
        assert there.runs(most=2) == here.runs(most=2)
        assert there.runs(before="table") == here.runs(before="table")


def test_every_write_of_a_run_sent_fifty_times_under_one_key_acts_once(server: Served, http: httpx.Client) -> None:
    before = server.manager.position()
    body = {"model": "net", "writer": "one"}
    ids = {each.json()["run"] for each in fifty(http, "runs", body, "fifty-begin")}
    assert len(ids) == 1
    (run,) = ids
    for url, told in (
        (f"runs/{run}/metrics", {"points": [{"name": "loss", "value": 1.0, "step": 1}], "writer": "one"}),
        (f"runs/{run}/resume", {"writer": "two"}),
        (f"runs/{run}/finish", {"points": 1, "writer": "two"}),
    ):
        answers = fifty(http, url, told, f"fifty-{url}")
        assert {each.status_code for each in answers} == {200}, answers[-1].text
        assert {each.headers["Lepton-Seq"] for each in answers} == {str(server.manager.position())}

    assert server.manager.position() - before == 4
    assert server.manager.run_metrics(run).num_rows == 1
    reused = http.post("runs", json={**body, "model": "other"}, headers={"Idempotency-Key": "fifty-begin"})
    assert reused.status_code == 422


def test_who_was_taken_over_from_is_kept_off_and_a_repeated_resume_takes_nothing_back(http: httpx.Client) -> None:
    begun(http, "taken", writer="one")
    assert http.post("runs/taken/resume", json={"writer": "two"}, headers={"Idempotency-Key": "r2"}).status_code == 200
    late = http.post("runs/taken/metrics", json={"points": [{"name": "a", "value": 1}], "writer": "one"})

    assert late.status_code == 409
    assert late.json()["lepton"]["error"] == "RunTaken"
    assert http.post("runs/taken/beat", json={"writer": "one"}).json() == {"open": False}
    http.post("runs/taken/resume", json={"writer": "three"}, headers={"Idempotency-Key": "r3"})
    again = http.post("runs/taken/resume", json={"writer": "two"}, headers={"Idempotency-Key": "r2"})
    assert again.json()["lepton"]["error"] == "RunTaken"
    assert http.post("runs/taken/beat", json={"writer": "three"}).json() == {"open": True}


def test_runs_are_listed_page_by_page_and_their_checkpoints_told(server: Served, http: httpx.Client) -> None:
    for number in range(4):
        begun(http, f"page-{number}")
    listed, url = list[str](), "runs?most=2"
    while url:
        answer = http.get(url)
        listed += [each["run"] for each in answer.json()["runs"]]
        url = str(answer.url.join(answer.links["next"]["url"])) if answer.links else ""

    assert listed == [each.run for each in server.manager.runs()]
    assert listed[:4] == ["page-3", "page-2", "page-1", "page-0"]
    assert {each["status"] for each in http.get("runs?status=running").json()["runs"]} == {"running"}
    local = listed[-1]
    kept = http.get(f"runs/{local}/checkpoints").json()["checkpoints"]
    assert [(each["step"], each["run"]) for each in kept] == [(1, local)]


REFUSED: list[tuple[str, Any, int]] = [
    ("runs", {}, 400),
    ("runs", {"model": ""}, 400),
    ("runs", {"model": "net", "run": "../../etc"}, 400),
    ("runs", {"model": "net", "tags": [1]}, 400),
    ("runs", {"model": "net", "actor": "eve"}, 400),
    ("runs", {"model": "net", "time": "yesterday"}, 400),
    ("runs", {"model": "net", "hyperparameters": [1]}, 400),
    ("runs/nothing/metrics", {"points": [{"name": "a", "value": 1}]}, 404),
    ("runs/nothing/finish", {}, 404),
    ("runs/nothing/resume", {"writer": "one"}, 404),
    ("runs/..%2Fx/beat", {"writer": "one"}, 400),
    ("runs/open/metrics", {}, 400),
    ("runs/open/metrics", {"points": [], "blocks": []}, 400),
    ("runs/open/metrics", {"points": [{"name": "a", "value": "much"}]}, 400),
    ("runs/open/metrics", {"points": [{"name": "", "value": 1}]}, 400),
    ("runs/open/metrics", {"points": [{"name": "a", "value": 1, "step": 1.5}]}, 400),
    ("runs/open/metrics", {"points": [{"name": "a", "value": 1}] * 10_001}, 400),
    ("runs/open/metrics", {"blocks": [{"names": ["a"], "steps": [], "values": [1], "times": []}]}, 400),
    ("runs/open/finish", {"points": -1}, 400),
    ("runs/open/resume", {}, 400),
    ("runs/open/beat", {"writer": ""}, 400),
]


@pytest.mark.parametrize(("url", "body", "status"), REFUSED, ids=lambda part: str(part)[:60])
def test_what_is_not_right_is_a_problem_and_changes_nothing(
    server: Served, http: httpx.Client, url: str, body: Any, status: int
) -> None:
    begun(http, "open")
    before = server.manager.position()
    answer = http.post(url, json=body)

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert server.manager.position() == before
