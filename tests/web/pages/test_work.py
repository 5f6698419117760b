"""Pages of work: jobs and runs with their stories and curves; a job is called off as it was shown, or not at all."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import httpx
import numpy as np
import pytest

from ...asking import PATIENCE
from ..server import Served
from .attempts import asked, begun, measured, with_loans


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with with_loans(tmp_path_factory.mktemp("work")) as server:
        yield server


@pytest.fixture(scope="module")
def http(server: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        yield client


@pytest.fixture(scope="module")
def run(server: Served) -> str:
    """A run of 3,000 steps with a spike of one point, that kept a checkpoint and saved a version."""
    weights = {"weight": np.zeros(3, dtype=np.float32)}
    with server.manager.run("net", hyperparameters={"lr": 0.1}, name="<nightly>") as run:
        for step in range(3_000):
            run.log({"loss": 99.0 if step == 1_234 else math.exp(-step / 900)}, step=step)
        run.log({"loss": math.nan, "broken": math.inf}, step=3_000)
        run.checkpoint(weights, step=2_999)
        run.save(weights)
        return run.id


def fields(page: str) -> dict[str, str]:
    """What a browser would send of the form that calls the job off."""
    (form,) = re.findall(r'<form[^>]*id="cancel".*?</form>', page, re.DOTALL)
    return {name: unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form)}


def test_jobs_are_listed_by_their_state_with_who_asked_and_page_by_page(
    server: Served, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued, off = asked(server.manager, "listed", message="<b>new rows</b>"), asked(server.manager, "listed")
    server.manager.jobs.cancel(off, reason="wrong rows")

    every, some = http.get("/jobs?model=listed").text, http.get("/jobs?model=listed&state=cancelled").text
    assert (queued in every, off in every, queued in some, off in some) == (True, True, False, True)
    assert "&lt;b&gt;new rows&lt;/b&gt;" in every
    assert "wrong rows" in some
    told = http.get("/jobs.json?model=listed").json()
    assert [each["job"] for each in told["jobs"]] == [off, queued]
    assert {each["actor"] for each in told["jobs"]} == {server.service.user}
    monkeypatch.setattr("lepton_ai.web.pages.work.LISTED", 1)
    first = http.get("/jobs?model=listed").text
    (more,) = re.findall(r'rel="next" href="([^"]+)"', first)
    assert (off in first, queued in http.get(unescape(more)).text) == (True, True)
    assert http.get("/jobs?state=bored").status_code == 400


def test_a_job_shows_what_was_asked_its_story_and_its_curve(server: Served, http: httpx.Client) -> None:
    job = asked(server.manager, "shown", hyperparameters={"epochs": 7}, message="try it")
    begun(server.manager, job)
    measured(server.manager, job, (1 / (step + 1) for step in range(40)))

    page = http.get(f"/jobs/{job}").text
    for words in ("hyperparameters.epochs", "try it", "attempt 1 began", "40 of 40 points", 'd="M0 0l', f"{job}.1"):
        assert words in page
    told = http.get(f"/jobs/{job}.json").json()
    assert (told["status"], told["asked"]["hyperparameters"], told["run"]) == ("running", {"epochs": 7}, f"{job}.1")
    assert [each["words"] for each in told["story"]] == [
        "asked for", "attempt 1 given to a worker", f"run {job}.1 began", "attempt 1 began",
    ]  # fmt: skip
    chinese = http.get(f"/jobs/{job}", headers={"Accept-Language": "zh-CN"}).text
    assert "第 1 次尝试开始" in chinese
    assert "attempt 1 began" in http.get(f"/jobs/{job}").text


def test_a_job_is_called_off_by_a_form_once(server: Served, http: httpx.Client) -> None:
    job = asked(server.manager, "off")
    form = fields(http.get(f"/jobs/{job}").text) | {"reason": "nobody needs it"}

    answers = [http.post(f"/jobs/{job}/cancel", data=form) for _ in range(2)]

    assert {(each.status_code, each.headers["location"]) for each in answers} == {(303, f"/jobs/{job}")}
    page = http.get(f"/jobs/{job}").text
    assert "nobody needs it" in page
    assert "Cancel this job" not in page
    assert len(list(server.manager.jobs.events(job))) == 2


def test_a_job_that_stands_otherwise_than_was_shown_is_not_called_off(server: Served, http: httpx.Client) -> None:
    job = asked(server.manager, "moved")
    shown = fields(http.get(f"/jobs/{job}").text)
    begun(server.manager, job)
    end = server.manager.position()

    stale = http.post(f"/jobs/{job}/cancel", data=shown)
    late = http.post(f"/jobs/{job}/cancel", data=shown | {"status": "running"})
    unsaid = http.post(f"/jobs/{job}/cancel", data={})

    assert (stale.status_code, late.status_code, unsaid.status_code) == (409, 409, 400)
    assert "running" in stale.text
    assert (server.manager.position(), server.manager.jobs.show(job).status) == (end, "running")
    api = server.client().post(f"jobs/{job}/cancel", json={"epoch": 0})
    assert (api.status_code, api.json()["type"].rpartition(":")[2]) == (409, "stale")
    assert server.client().post(f"jobs/{job}/cancel", json={"epoch": 1}).json()["status"] == "cancelled"


def test_a_curve_has_every_extreme_and_says_how_many_points_it_stands_for(http: httpx.Client, run: str) -> None:
    page, told = http.get(f"/runs/{run}").text, http.get(f"/runs/{run}.json").json()

    loss = next(each for each in told["metrics"] if each["name"] == "loss")
    assert (loss["points"], loss["finite"], loss["stepped"]) == (3_001, 3_000, True)
    assert len(loss["drawn"]) <= 1_000
    assert [1_234, 99.0] in loss["drawn"]
    assert loss["drawn"] == sorted(loss["drawn"])
    assert "1,000 of 3,001 points" in page
    assert "1 are no finite numbers" in page
    assert "None of its 1 points is a finite number." in page
    assert len(page) < 60_000


def test_a_run_shows_its_parameters_checkpoints_and_version(server: Served, http: httpx.Client, run: str) -> None:
    page = http.get(f"/runs/{run}").text

    assert "&lt;nightly&gt;" in page
    assert "<dt>lr</dt><dd>0.1</dd>" in page
    assert server.manager.show_run(run).checkpoints[0].tensors in page
    assert 'href="/m/net/v/1"' in page
    one = http.get(f"/runs/{run}?metric=loss").text
    assert ("<strong>loss</strong>" in one, "<strong>broken</strong>" in one) == (True, False)
    assert http.get(f"/runs/{run}?metric=gain").status_code == 400
    assert run in http.get("/runs?model=net&state=finished").text
    assert run not in http.get("/runs?model=net&state=lost").text


def test_a_page_of_the_past_is_the_same_whatever_came_since(server: Served, http: httpx.Client, run: str) -> None:
    job = asked(server.manager, "past")
    then = server.manager.position()
    pages = [f"{path}.json?at={then}" for path in ("/jobs", f"/jobs/{job}", "/runs", f"/runs/{run}")]
    before = [http.get(page).content for page in pages]
    begun(server.manager, job)
    measured(server.manager, job, [1.0, 0.5])

    assert [http.get(page).content for page in pages] == before
    past = http.get(f"/jobs/{job}?at={then}").text
    assert ("Cancel this job" in past, "data-seq" in past) == (False, False)
    assert http.get(f"/jobs/{job}?at={then - 1}").status_code == 404


def test_nobody_is_shown_the_work_of_models_that_they_may_not_read(server: Served, run: str) -> None:
    job = asked(server.manager, "hidden")
    secret = server.token("read", owner="eve", models=("other*",))
    try:
        with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {secret}"}) as eve:
            assert [eve.get(path).status_code for path in (f"/jobs/{job}", f"/runs/{run}", f"/runs/{run}.json")] == [
                404
            ] * 3
            assert eve.get("/jobs.json").json() == {"jobs": [], "next": None}
            assert eve.get("/runs.json").json() == {"runs": [], "next": None}
            assert eve.post(f"/jobs/{job}/cancel", data={"status": "queued", "epoch": "0"}).status_code == 404
        reader = server.token("read", owner="ron")
        with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {reader}"}) as ron:
            form = fields(ron.get(f"/jobs/{job}").text)
            assert ron.post(f"/jobs/{job}/cancel", data=form).status_code == 403
    finally:
        for token in server.manager.tokens():
            server.manager.revoke_token(token.token)
    assert server.manager.jobs.show(job).status == "queued"


def test_a_chain_shows_its_steps_and_what_became_of_each(server: Served, http: httpx.Client, run: str) -> None:
    model = f"net@{server.manager.show('net@main').version}"
    learn = {"kind": "train", "class": "credit-scoring-model", "data": "loans", "label": "default", "model": "needed"}
    steps: dict[str, Any] = {
        "learn": learn,
        "mark": {"kind": "tag", "version": model, "tag": "of-a-chain"},
        "hold": {"kind": "gate", "version": model, "require": "f1 > 2"},
        "promote": {"kind": "alias", "version": "step:hold", "alias": "held"},
    }
    server.manager.chain({"name": "paged", "steps": steps}, wait=False)

    page, told = http.get("/chains/paged").text, http.get("/chains/paged.json").json()

    states = {step["step"]: step["status"] for step in told["steps"]}
    assert states == {"learn": "queued", "mark": "finished", "hold": "failed", "promote": "failed"}
    (job,) = (step["job"] for step in told["steps"] if step["job"])
    assert (page.count("<rect"), page.count("<path")) == (4, 1 + page.count("brand"))
    assert f'href="/jobs/{job}"' in page
    assert 'href="/chains/paged"' in http.get(f"/jobs/{job}").text
    assert 'href="/chains/paged"' in http.get("/chains").text
    assert http.get("/chains/nowhere").status_code == 404
    server.manager.jobs.cancel(job, reason="seen")
    assert "cancelled" in http.get("/chains/paged").text


def test_a_job_shows_what_waits_for_what_from_either_end(server: Served, http: httpx.Client) -> None:
    first = asked(server.manager, "needed", message="learn")
    alone = http.get(f"/jobs/{first}").text
    second = server.manager.jobs.evaluate(f"job:{first}", "loans", message="judge").job
    third, other = (asked(server.manager, "needed", after=after) for after in ((first, second), ()))

    pages = {job: http.get(f"/jobs/{job}").text for job in (first, second, third, other)}

    assert ["What waits for what" in page for page in (alone, pages[other])] == [False, False]
    for job in (first, second, third):
        (drawing,) = re.findall(r'id="needed".*?</section>', pages[job], re.DOTALL)
        links = re.findall(r'href="[^"]*/jobs/([\w-]+)"', drawing)
        assert links == [each for each in (first, second, third) if each != job]
        assert (drawing.count("<rect"), drawing.count("<path")) == (3, 3)
        assert http.get(f"/jobs/{job}.json").json()["chain"] == [
            {"job": first, "after": []}, {"job": second, "after": [first]}, {"job": third, "after": [first, second]},
        ]  # fmt: skip
    assert second in http.get("/jobs?model=needed&state=waiting").text
    server.manager.jobs.cancel(first, reason="wrong rows")
