"""Pages of searches: how one went, its trials in order, and a stop that is recorded once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import httpx
import pytest

from ...asking import PATIENCE
from ..server import Served
from .story import HOSTILE, open_to_its_user, study_of_trials


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with open_to_its_user(tmp_path_factory.mktemp("studies") / "home") as server:
        yield server


@pytest.fixture(scope="module")
def http(server: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        yield client


def test_studies_are_listed_with_their_best_and_how_their_trials_stand(http: httpx.Client) -> None:
    page, told = http.get("/studies").text, http.get("/studies.json").json()["studies"]

    assert "1 running, 11 complete, 1 pruned, 1 failed" in page
    assert [(each["study"], each["counts"]["complete"]) for each in told] == [("two sided", 8), ("credit", 11)]
    assert 'href="/studies/two%20sided"' in page
    assert "two sided" not in http.get("/studies?model=other.json").text
    assert 'href="/studies?model=credit"' in http.get("/m/credit").text
    assert "studies?model" not in http.get("/m/other%2Ejson").text


def test_a_study_shows_its_best_its_charts_and_all_its_trials(server: Served, http: httpx.Client) -> None:
    page, told = http.get("/studies/credit").text, http.get("/studies/credit.json").json()

    best = server.manager.show_study("credit").best
    assert best is not None
    assert told["best"] == best.trial
    assert f"<strong>{best.values[0] if best.values else 0:.5g}</strong>" in page
    for chart in ("history", "parallel", "importance"):
        assert f'<figure class="chart" id="{chart}"' in page
        assert http.get(f"/studies/credit?spec={chart}").json()["layer"]
    assert HOSTILE not in page
    assert 'href="/m/credit/v/6"' in page
    assert sum(told["importances"].values()) == pytest.approx(1)
    assert [each["trial"] for each in told["trials"]] == [*range(13, -1, -1)]
    ordered = http.get("/studies/credit.json?order=best").json()["trials"]
    values = [each["values"][0] for each in ordered if each["status"] == "complete"]
    assert values == sorted(values, reverse=True)
    assert {each["status"] for each in ordered[11:]} == {"pruned", "failed", "running"}
    assert http.get("/studies/credit?order=worst").status_code == 400
    assert http.get("/studies/credit?metric=auc").status_code == 400
    assert http.get("/studies/none").status_code == 404


def test_several_metrics_have_a_front(server: Served, http: httpx.Client) -> None:
    page = http.get("/studies/two%20sided?metric=size").text

    (front,) = re.findall(r'id="best".*?</section>', page, re.DOTALL)
    shown = [int(number) for number in re.findall(r'role="rowheader">(\d+)<', front)]
    assert shown == [each.trial for each in server.manager.show_study("two sided").front]
    assert 'id="front"' in page
    assert "size by trial" in page


def test_trials_are_shown_page_by_page(http: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lepton_ai.web.pages.studies.page.LISTED", 5)
    seen: list[int] = []
    place: str | None = "/studies/credit"
    while place:
        page = http.get(place).text
        (trials,) = re.findall(r'id="trials".*?</section>', page, re.DOTALL)
        seen += [int(number) for number in re.findall(r'role="rowheader">(\d+)<', trials)]
        more = re.findall(r'rel="next" href="([^"]+)"', page)
        place = unescape(more[0]) if more else None

    assert seen == [*range(13, -1, -1)]


def test_a_search_is_stopped_by_a_form_once_and_by_who_may_write(server: Served, http: httpx.Client) -> None:
    study_of_trials(server.manager, "late", ["f1"], 2)
    page = http.get("/studies/late").text
    assert "Importances are told from 4 complete trials on." in page
    (form,) = re.findall(r'<form[^>]*id="stop".*?</form>', page, re.DOTALL)
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    before = server.manager.position()

    answers = [http.post("/studies/late/stop", data=fields) for _ in range(2)]

    assert {(each.status_code, each.headers["location"]) for each in answers} == {(303, "/studies/late")}
    assert server.manager.position() == before + 1
    page = http.get("/studies/late").text
    assert ("Stop this search" in page, "No new trial begins." in page) == (False, True)
    assert "Stop this search" not in http.get(f"/studies/late?at={before}").text


def test_nobody_is_shown_the_searches_of_models_that_they_may_not_read(server: Served) -> None:
    try:
        secret = server.token("read", owner="eve", models=("other*",))
        with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {secret}"}) as eve:
            assert eve.get("/studies/credit").status_code == 404
            assert eve.post("/studies/credit/stop", data={}).status_code == 404
            assert eve.get("/studies.json").json() == {"studies": []}
            assert "began trial" not in eve.get("/events?stream=study/credit").text
        secret = server.token("read", owner="ron", models=("credit",))
        with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {secret}"}) as ron:
            assert "Stop this search" not in ron.get("/studies/credit").text
            assert ron.post("/studies/credit/stop", data={}).status_code == 403
            assert "began trial" in ron.get("/events?stream=study/credit").text
    finally:
        for token in server.manager.tokens():
            server.manager.revoke_token(token.token)
