"""Pages of versions: what they recorded, their tensors, what differs between them, and versions side by side."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlencode

import httpx
import numpy as np
import pytest

from lepton_ai import ModelManager

from ...asking import PATIENCE
from ..server import Served, served

MARKUP = "<script>alert(1)</script>"
ROWS: dict[str, Any] = {"validation": ({"a": [1.0, 2.0, 3.0]}, [0, 1, 1]), "task": "binary"}
PAGES = (
    "/m/nlp%2Fsum/v/2",
    "/m/nlp%2Fsum/v/2/report",
    "/m/nlp%2Fsum/v/2/tensors",
    "/m/nlp%2Fsum/diff/1..2",
    "/m/nlp%2Fsum/compare?v=1&v=2",
)


class Site(NamedTuple):
    """A served ledger, and browsers of its pages: of who may all, who may write `nlp/*`, and who may read it."""

    server: Served
    all: httpx.Client
    writer: httpx.Client
    reader: httpx.Client


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("pages") / "home"
    with ModelManager(home, actor="ada") as manager:
        fill(manager)
    with served(home) as server:
        secrets = (
            server.token("admin"),
            server.token("write", models=("nlp/*",)),
            server.token("read", models=("nlp/*",)),
        )
        headers = [{"Authorization": f"Bearer {each}", "Accept-Language": "en"} for each in secrets]
        browsers = [httpx.Client(base_url=server.url, headers=each, timeout=PATIENCE) for each in headers]
        yield Site(server, *browsers)
        for each in browsers:
            each.close()


def fill(manager: ModelManager) -> None:
    """Two models: `nlp/sum` of three versions, whose texts are full of markup, and `secret`, which not all may read."""
    first = {"w": np.arange(6, dtype=np.float32).reshape(2, 3), "kept": np.ones(3), "gone": np.zeros(4, np.float32)}
    second = {"w": first["w"] + np.float32(1e-3), "kept": np.ones(3), "new": np.zeros((), np.float64)}
    manager.save_version({"s": np.zeros(2)}, name="secret", message="nobody's business")
    manager.save_version(first, name="nlp/sum", hyperparameters={"lr": 0.1, "same": 7}, metrics={"f1": 0.5}, **ROWS)
    manager.save_version(
        second,
        name="nlp/sum",
        message=f"line one\n{MARKUP}",
        parents=["nlp/sum@1", ("secret@1", "teacher")],
        tags=["v1"],
        hyperparameters={"lr": 0.2, "same": 7},
        metrics={"f1": 0.75, MARKUP: 0.5},
        annotations={"ticket": MARKUP},
        files={"sub/ä b.html": MARKUP.encode()},
        **ROWS,
    )
    manager.save_version(second | {"w": first["w"]}, name="nlp/sum", metrics={"f1": 0.25}, **ROWS)
    wide = {f"layer{number:03}": np.full(2, number, np.float32) for number in range(230)}
    manager.save_version(wide, name="wide.json", tags=["v1.json"])
    manager.describe("nlp/sum@2", f"What it is.\n{MARKUP}")
    manager.alias("production", "nlp/sum@2")
    manager.evaluate_predictions("nlp/sum@2", [1, 0, 1, 0], [1, 0, 1, 1], task="binary", name=MARKUP[:7], draws=0)


def test_a_version_shows_all_that_it_recorded(site: Site) -> None:
    shown = site.all.get("/m/nlp%2Fsum/v/2").text

    version = site.server.manager.show("nlp/sum@2")
    assert version.version.digest in shown
    assert "line one\n&lt;script&gt;" in shown
    assert "What it is.\n&lt;script&gt;" in shown
    for words in ('href="/m/secret/v/1"', "teacher", ">lr<", "0.2", ">ticket<", "production", "v1", "3 rows"):
        assert words in shown
    assert f'href="/events/{version.seq}"' in shown
    assert 'href="/m/nlp%2Fsum/diff/1..2"' in shown
    assert "as a delta from version 1" in shown


def test_a_file_is_sent_to_be_kept_and_never_shown(site: Site) -> None:
    place = re.search(r'href="(/api/v1/[^"]*/files/[^"]*)"', site.all.get("/m/nlp%2Fsum/v/2").text)

    assert place is not None
    sent = site.all.get(place[1])
    assert sent.content == MARKUP.encode()
    assert sent.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize("page", PAGES)
def test_what_data_says_is_shown_and_never_obeyed(site: Site, page: str) -> None:
    answer = site.all.get(page)

    assert answer.status_code == 200
    assert "alert(1)</script>" not in answer.text
    assert "<script>" not in answer.text
    assert "style-src 'self';" in answer.headers["content-security-policy"]
    assert " style=" not in answer.text
    assert "<style" not in answer.text


@pytest.mark.parametrize("page", PAGES)
def test_each_page_is_json_too(site: Site, page: str) -> None:
    path, _, query = page.partition("?")
    told = site.all.get(f"{path}.json?{query}")

    assert told.headers["content-type"] == "application/json"
    assert isinstance(told.json(), dict)


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ("/m/nlp%2Fsum/v/production", "/m/nlp%2Fsum/v/2"),
        ("/m/nlp%2Fsum/v/main~2.json?lang=en", "/m/nlp%2Fsum/v/1.json?lang=en"),
        ("/m/nlp%2Fsum/v/002/tensors?by=change", "/m/nlp%2Fsum/v/2/tensors?by=change"),
        ("/m/nlp%2Fsum/diff/main~2..production?all=1", "/m/nlp%2Fsum/diff/1..2?all=1"),
        ("/m/nlp%2Fsum/diff/v1..secret@main", "/m/nlp%2Fsum/diff/2..secret@1"),
        ("/m/nlp%2Fsum/compare?v=production&v=1&cols=f1", "/m/nlp%2Fsum/compare?v=2&v=1&cols=f1"),
    ],
)
def test_names_are_sent_on_to_the_numbers_they_stand_on(site: Site, asked: str, place: str) -> None:
    answer = site.all.get(asked)

    assert (answer.status_code, answer.headers["location"]) == (303, place)
    assert site.all.get(place).status_code == 200


def test_each_tensor_says_how_far_it_changed(site: Site) -> None:
    shown = site.all.get("/m/nlp%2Fsum/v/2/tensors").text
    told = site.all.get("/m/nlp%2Fsum/v/2/tensors.json").json()

    changes = {each["name"]: each["change"] and each["change"]["status"] for each in told["tensors"]}
    assert changes == {"kept": None, "new": "added", "w": "changed", "gone": "removed"}
    assert told["with"]["version"] == 1
    bars = {row.split("<")[0]: re.findall(r'rect width="([\d.]+)"', row) for row in shown.split('<tr><th scope="row">')}
    assert (bars["kept"], bars["w"]) == (["0.0"], ["100.0"])


def test_tensors_stand_beside_any_other_version(site: Site) -> None:
    by_change = site.all.get("/m/nlp%2Fsum/v/3/tensors.json?with=2&by=change").json()["tensors"]
    other_model = site.all.get("/m/nlp%2Fsum/v/3/tensors.json?with=secret@1").json()["tensors"]

    assert next(each["name"] for each in by_change) == "w"
    assert {each["change"]["status"] for each in other_model} == {"added", "removed"}


def test_many_tensors_are_shown_page_by_page(site: Site) -> None:
    first, last = (site.all.get(f"/m/wide%2Ejson/v/1/tensors{query}").text for query in ("", "?page=2"))

    assert (first.count('<th scope="row">'), last.count('<th scope="row">')) == (200, 30)
    assert 'rel="next" href="/m/wide%2Ejson/v/1/tensors?page=2"' in first
    assert 'rel="prev"' in last


def test_names_that_end_as_a_form_of_an_address_does_are_names(site: Site) -> None:
    assert "Version 1 of wide.json" in site.all.get("/m/wide%2Ejson/v/1").text
    assert site.all.get("/m/wide%2Ejson/v/1.json").json()["version"]["model"] == "wide.json"
    assert site.all.get("/m/wide%2Ejson/v/v1%2Ejson").headers["location"] == "/m/wide%2Ejson/v/1"


def test_a_diff_shows_what_differs_and_on_demand_what_does_not(site: Site) -> None:
    brief, whole = (site.all.get(f"/m/nlp%2Fsum/diff/1..2{query}").text for query in ("", "?all=1"))

    assert 'scope="row">lr</th>' in brief
    assert ">same<" not in brief
    assert "<dd>same</dd>" in whole
    assert 'href="/m/nlp%2Fsum/diff/2..1"' in brief
    assert 'href="/m/nlp%2Fsum/compare?v=1&amp;v=2"' in brief
    assert "Nothing differs." in site.all.get("/m/nlp%2Fsum/diff/2..2").text


def test_a_comparison_stars_the_best_of_the_same_rows(site: Site) -> None:
    shown = site.all.get("/m/nlp%2Fsum/compare?v=1&v=2&v=3").text

    best = re.findall(r'<td class="right green bold">([\d.]+) ', shown)
    assert best == ["0.75"]
    assert "Best first by f1." in shown
    assert 'scope="row">lr</th>' in shown
    assert 'scope="row">same</th>' not in site.all.get("/m/nlp%2Fsum/compare?v=1&v=2").text
    assert 'scope="row">same</th>' in site.all.get("/m/nlp%2Fsum/compare?v=1&v=2&all=1").text


def test_a_comparison_shows_the_columns_asked_for_and_names_the_unknown(site: Site) -> None:
    shown = site.all.get("/m/nlp%2Fsum/compare?v=1&v=2&cols=same,none-such").text

    assert re.findall(r'<tr><th scope="row">([^<]*)</th>', shown) == ["Branch", "same"]
    assert "None of these versions has none-such." in shown


def test_versions_are_added_and_taken_out_by_links_and_a_form(site: Site) -> None:
    shown = site.all.get("/m/nlp%2Fsum/compare?v=1&v=2&cols=f1").text

    assert '<input type="hidden" name="v" value="1"><input type="hidden" name="v" value="2">' in shown.replace("\n", "")
    assert 'href="/m/nlp%2Fsum/compare?v=1&amp;cols=f1"' in shown
    added = site.all.get("/m/nlp%2Fsum/compare?v=1&v=main~1+3&cols=f1")
    assert added.headers["location"] == "/m/nlp%2Fsum/compare?v=1&v=2&v=3&cols=f1"


def test_a_report_stands_in_the_frame_of_the_pages(site: Site) -> None:
    place = re.search(r'href="([^"]*/report[^"]*)"', site.all.get("/m/nlp%2Fsum/v/2").text)

    assert place is not None
    shown = site.all.get(place[1].replace("&amp;", "&")).text
    assert 'class="report"' in shown
    assert "accuracy" in shown
    assert 'href="/m/nlp%2Fsum/v/2/tensors"' in shown


def test_the_past_reads_the_same_whatever_came_since(site: Site) -> None:
    manager = site.server.manager
    seq = manager.position()
    places = [f"{page}{'&' if '?' in page else '?'}at={seq}" for page in PAGES]
    before = [site.all.get(place).content for place in places]
    for number in range(40):
        manager.annotate("nlp/sum@2", {"later": number})
    manager.alias("production", "nlp/sum@1")
    manager.alias("production", "nlp/sum@2")

    assert [site.all.get(place).content for place in places] == before
    assert all(f"at={seq}" in each.decode() for each in before)


def test_a_reader_of_another_language_is_not_served_the_first_ones_words(site: Site) -> None:
    english, chinese = (
        site.all.get("/m/nlp%2Fsum/v/2", headers={"Accept-Language": each}).text for each in ("en", "zh-CN")
    )

    assert "Hyperparameters" in english
    assert "Hyperparameters" not in chinese
    assert "超参数" in chinese


# ── what is refused ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/m/nlp%2Fsum/v/99", 404),
        ("/m/nlp%2Fsum/v/99999999999999999999", 404),
        ("/m/nlp%2Fsum/v/0", 404),
        ("/m/nlp%2Fsum/v/main~99", 404),
        ("/m/nlp%2Fsum/v/a%00b", 400),
        ("/m/nlp%2Fsum/v/%FF", 400),
        ("/m/none/v/1", 404),
        ("/m/none.json/v/1", 404),
        ("/m/..%2F..%2Fetc/v/1", 400),
        ("/m/%2E%2E/v/1", 400),
        ("/m/%2F/v/1", 400),
        ("/m/nlp/sum/v/1", 404),
        ("/m/nlp%2Fsum/v/1/report", 409),
        ("/m/nlp%2Fsum/v/2/report?name=none", 409),
        ("/m/nlp%2Fsum/v/1/tensors?with=99", 404),
        ("/m/nlp%2Fsum/v/1/tensors?with=a+b", 400),
        ("/m/nlp%2Fsum/v/1/tensors?page=0", 400),
        ("/m/nlp%2Fsum/v/1/tensors?page=-1", 400),
        ("/m/nlp%2Fsum/v/1?at=x", 400),
        ("/m/nlp%2Fsum/v/2?at=1", 404),
        ("/m/nlp%2Fsum/diff/1", 400),
        ("/m/nlp%2Fsum/diff/1..", 400),
        ("/m/nlp%2Fsum/diff/..2", 400),
        ("/m/nlp%2Fsum/diff/1..2..3", 400),
        ("/m/nlp%2Fsum/diff/1..99", 404),
        ("/m/nlp%2Fsum/compare?v=99", 404),
        ("/m/nlp%2Fsum/compare?v=secret@1", 400),
        ("/m/nlp%2Fsum/compare?v=1&v=2&metric=none", 409),
        ("/m/nlp%2Fsum/compare?" + urlencode([("v", n) for n in range(1, 201)]), 400),
        ("/m/none/compare", 404),
    ],
)
def test_what_cannot_be_shown_is_said_in_one_sentence(site: Site, path: str, status: int) -> None:
    before = site.server.manager.position()
    answer = site.all.get(path)

    assert answer.status_code == status
    assert answer.text.count('class="refusal"') == 1
    assert site.server.manager.position() == before


@pytest.mark.parametrize("query", ["", "?v=1", "?v=", "?v=1&v=1", "?v=1&cols=,,", f"?v=1&cols={MARKUP}"])
def test_too_little_to_compare_is_no_error(site: Site, query: str) -> None:
    answer = site.all.get(f"/m/nlp%2Fsum/compare{query}")

    assert answer.status_code == 200
    assert "<script>" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/m/{}/v/1",
        "/m/{}/v/1.json",
        "/m/{}/v/1/tensors",
        "/m/{}/v/1/report",
        "/m/{}/diff/1..1",
        "/m/{}/compare",
        "/m/{}/compare?v=1",
        "/m/nlp%2Fsum/v/1/tensors?with={}@1",
        "/m/nlp%2Fsum/diff/1..{}@1",
        "/m/nlp%2Fsum/diff/{}@1..1",
    ],
)
def test_a_model_that_may_not_be_read_is_as_if_it_were_not_there(site: Site, path: str) -> None:
    hidden, absent = (site.reader.get(path.format(name)) for name in ("secret", "absent"))

    assert hidden.status_code == absent.status_code == 404
    assert hidden.text.replace("secret", "absent") == absent.text


def test_a_parent_that_may_not_be_read_is_not_named(site: Site) -> None:
    assert "teacher" in site.all.get("/m/nlp%2Fsum/v/2").text
    assert "secret" not in site.reader.get("/m/nlp%2Fsum/v/2").text


# ── what is done ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_notes_are_put_on_and_taken_off_by_forms(site: Site) -> None:
    for name, value, kept in (("risk", "low", "low"), ("n", "3", 3), ("done", "true", True), ("q", "null", "null")):
        done = site.writer.post("/m/nlp%2Fsum/v/3", data={"name": name, "value": value})
        assert (done.status_code, done.headers["location"]) == (303, "/m/nlp%2Fsum/v/3")
        assert site.server.manager.show("nlp/sum@3").annotations[name] == kept
        site.writer.post("/m/nlp%2Fsum/v/3", data={"name": name, "value": ""})
    assert site.server.manager.show("nlp/sum@3").annotations == {}


def test_a_version_is_described_by_a_form(site: Site) -> None:
    site.writer.post("/m/nlp%2Fsum/v/3", data={"description": "one\r\ntwo "})

    assert site.server.manager.show("nlp/sum@3").description == "one\ntwo"


@pytest.mark.parametrize(
    "said",
    [{"name": "", "value": "typed"}, {"name": "n" * 400, "value": "typed"}, {"name": "n", "value": "typed" * 90_000}],
)
def test_a_refused_note_comes_back_as_it_was_typed(site: Site, said: dict[str, str]) -> None:
    before = site.server.manager.position()
    answer = site.writer.post("/m/nlp%2Fsum/v/3", data=said)

    assert answer.status_code in (400, 409, 413)
    assert answer.text.count('class="refusal"') == 1
    assert f'value="{said["value"]}"' in answer.text
    assert site.server.manager.position() == before


def test_who_may_only_read_sees_no_forms_and_writes_nothing(site: Site) -> None:
    before = site.server.manager.position()
    page = site.reader.get("/m/nlp%2Fsum/v/2").text
    answer = site.reader.post("/m/nlp%2Fsum/v/2", data={"name": "a", "value": "b"})

    assert '<form class="row" method="post"' not in page
    assert "<textarea" not in page
    assert answer.status_code == 403
    assert site.server.manager.position() == before


def test_the_past_has_no_forms(site: Site) -> None:
    assert "<textarea" in site.all.get("/m/nlp%2Fsum/v/2").text
    assert "<textarea" not in site.all.get(f"/m/nlp%2Fsum/v/2?at={site.server.manager.position()}").text


def test_a_page_of_another_site_notes_nothing(site: Site) -> None:
    before = site.server.manager.position()
    secret = site.writer.headers["authorization"].partition(" ")[2]
    headers = {"Cookie": f"lepton={secret}", "Sec-Fetch-Site": "cross-site"}
    answer = httpx.post(f"{site.server.url}/m/nlp%2Fsum/v/2", data={"name": "a", "value": "b"}, headers=headers)

    assert answer.status_code == 403
    assert site.server.manager.position() == before
