"""The frame of the pages: who comes in, in which language, as of when, and what is shown is never obeyed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from lepton_ai.web.pages.html import templates
from lepton_ai.web.pages.site import POLICY

from ..server import Served
from .story import HOSTILE, JOB, RUN, for_holders, open_to_its_user

PAGES = (
    "/", "/m/credit", "/m/credit/log", "/m/credit/names", "/m/credit/aliases/production", "/m/credit/rollback",
    "/m/credit/rollback?alias=production&to=6", "/m/credit/rollback?branch=main&to=2", "/m/credit/log?rev=experiment",
    "/jobs", f"/jobs/{JOB}", "/runs", f"/runs/{RUN}",
    "/events", "/events/5", "/search?where=f1+%3E+0.7", "/sql?query=FROM+versions", "/library", "/library/table-model",
)  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with open_to_its_user(tmp_path_factory.mktemp("pages")) as server:
        yield server


@pytest.fixture
def http(server: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers={"Accept": "text/html", "Accept-Language": "en"}) as client:
        yield client


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_html_under_its_policy_and_json_beside_it(http: httpx.Client, path: str) -> None:
    shown = http.get(path)
    place, _, query = path.partition("?")
    beside = http.get(f"{'/models' if place == '/' else place}.json?{query}")

    assert shown.status_code == 200, shown.text
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    assert shown.headers["content-security-policy"] == POLICY
    assert "style=" not in shown.text
    assert not re.search(r"<script(?! src=)", shown.text)
    assert isinstance(beside.json(), dict)
    assert HOSTILE not in shown.text


def test_what_data_says_is_shown_and_not_obeyed(http: httpx.Client) -> None:
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in http.get("/m/credit").text
    assert json.loads(http.get("/m/credit.json").text)["description"] == HOSTILE


@pytest.mark.parametrize("path", PAGES)
def test_a_page_of_a_moment_has_the_same_bytes_after_more_events(server: Served, http: httpx.Client, path: str) -> None:
    at = f"{'&' if '?' in path else '?'}at={server.manager.position()}"
    places = [path] if "?" in path or path == "/" else [path, f"{path}.json"]
    before = [_without_ages(http.get(place + at).text) for place in places]
    server.manager.alias("staging", f"credit@{1 + server.manager.position() % 5}")
    server.manager.annotate("credit@1", {"seen": server.manager.position()})
    after = [_without_ages(http.get(place + at).text) for place in places]

    assert all(before)
    assert before == after


def test_a_moment_that_is_none_is_told(http: httpx.Client) -> None:
    for at in ("99999999", "yesterday", "-1"):
        refused = http.get(f"/?at={at}")
        assert refused.status_code == 400
        assert 'role="alert"' in refused.text


def test_it_speaks_the_language_that_is_chosen_or_that_the_browser_likes(server: Served) -> None:
    with httpx.Client(base_url=server.url, headers={"Accept-Language": "de, zh-CN;q=0.8, en;q=0.5"}) as http:
        assert '<html lang="zh-Hans">' in http.get("/").text
        chosen = http.get("/language?to=en&next=/m/credit")
        assert (chosen.status_code, chosen.headers["location"]) == (303, "/m/credit")
        assert "<h1>Models</h1>" in http.get("/").text
        assert http.get("/language?to=en&next=//evil.example").headers["location"] == "/"


def test_every_sentence_of_the_templates_is_said_in_chinese() -> None:
    from lepton_ai.results.chinese import CHINESE
    from lepton_ai.web.pages.chinese import PAGES as SAID

    said = re.compile(r"""(?:"([^"]+)"|'([^']+)') \| t\b""")
    loader = templates().loader
    assert loader is not None
    sources = [loader.get_source(templates(), name)[0] for name in loader.list_templates()]
    english = {one or other for source in sources for one, other in said.findall(source)}

    assert len(english) > 50
    assert sorted(english - SAID.keys() - CHINESE.keys()) == []


def test_a_name_that_ends_as_json_has_pages_of_its_own(http: httpx.Client) -> None:
    assert '/m/other%2Ejson"' in http.get("/").text
    assert "<h1>other.json" in http.get("/m/other%2Ejson").text
    assert http.get("/m/other%2Ejson.json").json()["model"] == "other.json"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/m/nobody", 404), ("/m/nobody/log", 404), ("/m/credit/aliases/..%2F..", 404), ("/nothing", 404),
        ("/m/credit/log?before=x", 400), ("/m/credit/log?most=0", 400), ("/m/credit/log?most=201", 400),
        ("/m/credit/log?rev=nowhere", 404), ("/m/%ff", 400), ("/m/credit%2Flog", 404), ("/%2e%2e/etc", 404),
        ("/static/0000/lepton.css", 404), ("/m/credit/rollback?alias=nobody&to=1", 200),
    ],
)  # fmt: skip
def test_what_is_not_there_is_told_on_a_page(http: httpx.Client, path: str, status: int) -> None:
    answer = http.get(path)

    assert answer.status_code == status, answer.text
    assert 'role="alert"' in answer.text or path.startswith("/static")
    assert "Traceback" not in answer.text


def test_a_first_view_is_small(http: httpx.Client) -> None:
    page = http.get("/")
    assets = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
    answers = [http.get(each) for each in assets]

    assert len(assets) == 3
    assert all("immutable" in each.headers["cache-control"] for each in answers)
    assert len(page.content) + sum(len(each.content) for each in answers) < 60_000


def test_a_page_of_another_server_name_is_refused(server: Served) -> None:
    assert httpx.get(server.url, headers={"Host": "evil.example"}).status_code == 421


def _without_ages(page: str) -> str:
    return re.sub(r'<span class="ago">[^<]*</span>|value="[0-9a-f-]{36}(-\d+)?"', "", page)


# ── who may ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with for_holders(tmp_path_factory.mktemp("closed")) as server:
        yield server


def test_a_token_is_changed_for_a_cookie_that_no_script_reads(closed: Served) -> None:
    secret = closed.token("read")
    with httpx.Client(base_url=closed.url, headers={"Accept": "text/html", "Accept-Language": "en"}) as http:
        asked = http.get("/m/credit?at=10")
        assert (asked.status_code, asked.headers["location"]) == (303, "/login?next=%2Fm%2Fcredit%3Fat%3D10")
        assert http.get("/login").status_code == 200
        assert http.get("/m/credit.json", headers={"Accept": "application/json"}).status_code == 401
        refused = http.post("/login", data={"token": "wrong"}, headers={"Origin": closed.url})
        assert refused.status_code == 403
        assert 'aria-invalid="true"' in refused.text
        entered = http.post("/login", data={"token": secret, "next": "/m/credit"}, headers={"Origin": closed.url})
        assert (entered.status_code, entered.headers["location"]) == (303, "/m/credit")
        assert "HttpOnly" in entered.headers["set-cookie"]
        assert "SameSite=strict" in entered.headers["set-cookie"]
        assert "You are ada" in http.get("/m/credit").text
        assert secret not in http.get("/m/credit").text
        http.post("/logout", headers={"Origin": closed.url})
        assert http.get("/m/credit").status_code == 303


def test_what_may_not_be_read_is_as_if_it_were_not_there(closed: Served) -> None:
    with _entered(closed, closed.token("read", models=("other*",))) as http:
        assert "credit" not in http.get("/").text
        for path in ("/m/credit", "/m/credit/log", "/m/credit/names", "/m/credit/aliases/production"):
            assert http.get(path).status_code == 404


def test_who_may_only_read_moves_nothing(closed: Served) -> None:
    with _entered(closed, closed.token("read")) as http:
        last = closed.manager.aliases(model="credit").last_moves["production"]
        moved = http.post("/m/credit/aliases/production", data={"to": "1", "expected": last})

    assert moved.status_code == 403
    assert closed.manager.aliases(model="credit").last_moves["production"] == last


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {},
        {"Origin": "null"}, {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
    ],
)  # fmt: skip
def test_a_page_of_another_site_does_nothing_by_a_cookie(closed: Served, headers: dict[str, str]) -> None:
    with _entered(closed, closed.token("move")) as http:
        del http.headers["Origin"]
        last = closed.manager.aliases(model="credit").last_moves["production"]
        moved = http.post("/m/credit/aliases/production", data={"to": "1", "expected": last}, headers=headers)

    assert moved.status_code == 403
    assert closed.manager.aliases(model="credit").last_moves["production"] == last


@contextmanager
def _entered(server: Served, secret: str) -> Iterator[httpx.Client]:
    headers = {"Accept": "text/html", "Accept-Language": "en", "Origin": server.url}
    with httpx.Client(base_url=server.url, headers=headers) as http:
        http.post("/login", data={"token": secret})
        yield http
