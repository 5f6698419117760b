"""The pages that ask the ledger: the audit trail, one event, search, SQL, status, tokens."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import urlencode

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from lepton_ai.projections.queries.child import QueryLimits
from lepton_ai.web.options import Limits
from lepton_ai.web.pages.asking.events import STORED

from ..server import Served, served

SCRIPT = "<script>alert(1)</script>"
LIMITS = Limits(queries_minute=600, query=QueryLimits(seconds=5.0, cpu_seconds=10, memory=1 << 28, rows=50_000))


@dataclass
class Site:
    """A served ledger with browsers of several people: who may all, who may read one model, who may ask SQL alone."""

    server: Served
    admin: httpx.Client
    reader: httpx.Client
    asker: httpx.Client

    def seqs(self, query: str, client: httpx.Client | None = None) -> list[int]:
        """The numbers of the events that a page of the trail has."""
        answer = (client or self.admin).get(f"/events.json?{query}")
        assert answer.status_code == 200, answer.text
        return [int(each["sequence"]) for each in answer.json()["events"]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("pages") / "home", limits=LIMITS) as server:
        ada = server.manager.acting("ada")
        for number, f1 in enumerate((0.7, 0.8, 0.9)):
            ada.save_version(
                {"w": np.full(3, number, "float32")}, name="credit", message=f"number {number}", metrics={"f1": f1}
            )
        ada.alias("production", "credit@2", reason=f"better {SCRIPT}")
        ada.alias("production", "credit@3", reason="better still")
        ada.rollback("credit@2", alias="production", reason="complaints")
        ada.annotate("credit@1", {"a<b": SCRIPT})
        bea = server.manager.acting("bea")
        bea.save_version(
            {"w": np.ones(3, "float32")}, name="zebra", parents=["credit@1"], message="striped", metrics={"f1": 0.5}
        )
        bea.save_version({"w": np.ones(4, "float32")}, name="credit", parents=["zebra@1"], message="of another")
        with bea.run(model="zebra") as run:
            run.log({"loss": 0.5}, step=1)
        with ada.run(model="credit") as run:
            run.log({"loss": 0.4}, step=1)
        secrets = server.token("admin"), server.token("read", owner="eve", models=("credit",)), server.token("sql")
        clients = [httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {each}"}) for each in secrets]
        yield Site(server, *clients)
        for client in clients:
            client.close()


def shown(answer: httpx.Response) -> str:
    """What a page says, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


def test_the_trail_says_in_words_who_did_what_and_why_the_newest_first(site: Site) -> None:
    page = site.admin.get("/events", params={"model": "credit"})
    words = shown(page)

    assert page.status_code == 200
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    told = ["rolled production back from version 3 to version 2", "complaints", "put production on version 2"]
    places = [words.index(each) for each in (told[0], told[1], "moved production from version 2 to version 3", told[2])]
    assert places == sorted(places)
    assert "ada saved version 3 on main credit 3 number 2" in words
    assert f"better {SCRIPT}" in words
    assert SCRIPT not in page.text
    assert "none is older" in words


def everything(site: Site) -> list[dict[str, Any]]:
    return list(site.server.manager.events())


FILTERS = {
    "model=zebra": lambda e: e["subject"] == "model/zebra" or e["data"].get("model") == "zebra" or e["run"] == "zebra",
    "type=alias": lambda e: e["type"].startswith("lepton.alias."),
    "type=alias.moved": lambda e: e["type"] == "lepton.alias.moved.v1",
    "type=lepton.version.committed.v2": lambda e: e["type"] == "lepton.version.committed.v2",
    "actor=bea": lambda e: e["who"] == "bea",
    "actor=nobody": lambda _: False,
    "stream=model/credit": lambda e: e["subject"] == "model/credit",
    "from=4&to=9": lambda e: 4 <= int(e["sequence"]) <= 9,
    "to=2020-01-01": lambda _: False,
    "from=2020-01-01": lambda _: True,
    "model=credit&type=version&actor=ada": lambda e: (
        e["subject"] == "model/credit" and e["type"].startswith("lepton.version.") and e["who"] == "ada"
    ),
}


@pytest.mark.parametrize("query", FILTERS)
def test_a_filter_of_the_trail_leaves_out_what_it_says_and_nothing_else(site: Site, query: str) -> None:
    actors = site.server.service.home.workspace.actors.all()
    past = everything(site)
    models = {each["subject"]: each["data"]["model"] for each in past if each["type"] == "lepton.run.started.v1"}
    for each in past:
        each |= {"who": actors[each["authid"]].name, "run": models.get(each["subject"])}

    expected = [int(each["sequence"]) for each in past if FILTERS[query](each)]

    assert site.seqs(f"{query}&all=1&most=1000") == expected[::-1]


def test_an_end_of_a_span_may_be_a_time(site: Site) -> None:
    moment = everything(site)[5]["recordedtime"]

    seqs = site.seqs(urlencode({"from": moment, "all": 1, "most": 1000}))
    before = site.seqs(urlencode({"to": moment, "all": 1, "most": 1000}))

    assert 6 in seqs
    assert 6 in before
    assert {*seqs, *before} == {int(each["sequence"]) for each in everything(site)}


def test_pages_of_the_trail_lose_nothing_while_events_are_added(site: Site) -> None:
    end, seen, place = site.server.manager.position(), list[int](), "/events?all=1&most=7"
    while place:
        page = site.admin.get(place)
        seen += [int(each) for each in re.findall(r'class="seq" href="/events/(\d+)"', page.text)]
        following = re.search(r'rel="next" href="([^"]+)"', page.text)
        place = unescape(following[1]) if following else ""
        site.server.manager.describe("credit", f"described {len(seen)} times")

    assert seen == list(range(end, 0, -1))


def test_what_saves_write_beside_is_left_out_and_the_page_says_so(site: Site) -> None:
    page = site.admin.get("/events.json?most=1000").json()
    stored = {each["type"] for each in everything(site)} & set(STORED)

    assert page["left_out"] == list(STORED)
    assert stored
    assert not stored & {each["type"] for each in page["events"]}
    assert "Left out is what saves write beside" in shown(site.admin.get("/events"))
    assert len(site.seqs("all=1&most=1000")) == site.server.manager.position()


def test_an_event_is_shown_whole_with_its_leaf_its_key_and_its_bytes(site: Site) -> None:
    seq = site.seqs("type=alias.rolled_back")[0]
    (row,) = site.server.service.home.store.read(seq - 1, 1)

    page = site.admin.get(f"/events/{seq}")
    told = site.admin.get(f"/events/{seq}.json").json()

    words = shown(page)
    assert f"sha256:{row.leaf.hex()}" in words
    assert told["leaf"] == f"sha256:{row.leaf.hex()}"
    assert told["commandid"] in words
    assert "ada rolled production back from version 3 to version 2" in words
    assert 'href="/m/credit/v/2"' in page.text
    assert 'href="/events?stream=model%2Fcredit"' in page.text
    stored = re.search(r"<pre[^>]*>(.*)</pre>", page.text, re.S)
    assert stored is not None
    assert unescape(stored[1]).encode() == row.envelope


def test_every_type_of_event_has_a_sentence_in_both_languages() -> None:
    from lepton_ai.events.catalogue import CATALOGUE
    from lepton_ai.web.pages.asking.chinese import ASKING
    from lepton_ai.web.pages.asking.sentences import SENTENCES, stem

    by_field = {"gate.judged"}
    assert {stem(each) for each in CATALOGUE} - by_field <= set(SENTENCES)
    assert set(SENTENCES.values()) <= set(ASKING)
    for english in SENTENCES.values():
        assert sorted(re.findall(r"{\w+}", english)) == sorted(re.findall(r"{\w+}", ASKING[english])), english


def test_the_pages_speak_the_language_of_each_reader(site: Site) -> None:
    for _ in range(2):
        chinese = site.admin.get("/tokens", headers={"Accept-Language": "zh-CN"})
        english = site.admin.get("/tokens", headers={"Accept-Language": "en"})
        assert "创建令牌" in chinese.text
        assert "Make a token" in english.text
        assert "Make a token" not in chinese.text


def test_a_search_shows_versions_with_names_and_figures(site: Site) -> None:
    page = site.admin.get("/search", params={"where": "f1 >= 0.8"})

    assert page.status_code == 200
    rows = re.findall(r'href="/m/(\w+)/v/(\d+)"', page.text)
    assert list(dict.fromkeys(rows)) == [("credit", "2"), ("credit", "3")]
    assert "production" in page.text
    assert "0.8" in shown(page)
    assert "These are all" in shown(page)


def test_an_expression_that_is_none_is_explained_beside_what_was_typed(site: Site) -> None:
    page = site.admin.get("/search", params={"where": 'f1 > "'})

    assert page.status_code == 400
    assert 'value="f1 &gt; &#34;"' in page.text
    assert "at character" in shown(page)
    problem = site.admin.get("/search.json", params={"where": "f1 >"})
    assert (problem.status_code, problem.headers["content-type"]) == (400, "application/problem+json")


def test_pages_of_a_search_have_each_version_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lepton_ai.web.pages.asking.search.SHOWN", 2)
    seen, place = list[str](), "/search.json?where=f1+%3E+0"
    while place:
        told = site.admin.get(place).json()
        seen += [f"{each['model']}@{each['version']}" for each in told["versions"]]
        place = (
            f"/search.json?{urlencode({'where': 'f1 > 0', 'after': told['next'], 'end': told['end']})}"
            if told["next"]
            else ""
        )

    assert seen == ["credit@1", "credit@2", "credit@3", "zebra@1"]


def test_the_console_shows_some_rows_and_says_how_many_there_are(site: Site) -> None:
    many = site.admin.get("/sql", params={"query": "SELECT range AS n, repeat('x', 900) AS t FROM range(1234)"})
    few = site.asker.get("/sql", params={"query": "SELECT NULL AS nothing, '<b>' AS marked, [1, 2] AS list"})

    assert many.text.count("<tr>") == 201
    assert "The first 200 of 1,234 rows are shown; a file has all of them." in shown(many)
    assert "… 400 more characters, in a file" in shown(many)
    assert "One row." in shown(few)
    assert "null <b> [1, 2]" in shown(few)
    assert "<b>" not in few.text
    assert "production_history" in few.text


def test_all_rows_come_as_files_by_a_link(site: Site) -> None:
    query = "SELECT range AS n FROM range(1234)"
    page = site.admin.get("/sql", params={"query": query})
    links = [unescape(each) for each in re.findall(r'href="(/sql\.[^"]+)" download', page.text)]

    files = {link.partition("?")[0]: site.admin.get(link) for link in links}

    text, parquet, arrow = (files[f"/sql.{form}"] for form in ("csv", "parquet", "arrow"))
    assert text.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert len(list(csv.reader(io.StringIO(text.text)))) == 1235
    assert pa.parquet.read_table(io.BytesIO(parquet.content)).num_rows == 1234
    assert parquet.headers["content-type"] == "application/vnd.apache.parquet"
    assert pa.ipc.open_stream(arrow.content).read_all().num_rows == 1234
    assert arrow.headers["content-disposition"] == 'attachment; filename="lepton.arrow"'


HOSTILE = {
    "a change": "DELETE FROM store.events",
    "a file": "SELECT * FROM read_csv('/etc/passwd')",
    "two statements": "SELECT 1; SELECT 2",
    "too many rows": "FROM range(50001)",
    "no SQL": "SELEKT <b>1",
    "too long": "SELECT 1 --" + "x" * 5_000,
    "too much memory": "SELECT length(repeat('x', 3000000000))",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_sql_beyond_its_bounds_is_refused_beside_what_was_typed(site: Site, what: str) -> None:
    end, query = site.server.manager.position(), HOSTILE[what]

    page = site.admin.get("/sql", params={"query": query})
    file = site.admin.get("/sql.csv", params={"query": query})

    assert (page.status_code, file.status_code) in ((400, 400), (409, 409))
    typed = re.search(r"<textarea[^>]*>\n(.*)</textarea>", page.text, re.S)
    assert typed is not None
    assert unescape(typed[1]) == query
    assert 'role="alert"' in page.text
    assert "<b>" not in page.text
    assert "root:" not in page.text
    assert site.server.manager.position() == end


def test_a_token_asks_no_more_on_pages_than_it_may(site: Site) -> None:
    queries = site.server.service.queries
    rate, queries._rate = queries._rate, type(queries._rate)(2)
    try:
        answers = [site.asker.get(f"/sql{form}?query=SELECT+1") for form in ("", ".csv", "", ".json")]
    finally:
        queries._rate = rate

    assert [each.status_code for each in answers] == [200, 200, 429, 429]
    assert int(answers[2].headers["retry-after"]) >= 1
    assert "this token may ask 600 queries a minute" in shown(answers[2])
    assert "SELECT 1</textarea>" in answers[2].text


def test_the_status_says_what_the_ledger_says_and_no_place_to_who_may_not_know(site: Site) -> None:
    known = site.server.manager.status()

    assert str(known.root) in site.admin.get("/status").text
    assert known.home["folder"] in site.admin.get("/status").text
    assert known.home["folder"] not in site.reader.get("/status").text
    assert site.admin.get("/status.json").json()["events"] == known.events


def test_a_secret_is_shown_once_and_in_no_address(site: Site) -> None:
    form = site.admin.get("/tokens").text
    key = re.search(r'name="key" value="([^"]+)"', form)
    assert key is not None
    said = {"owner": "dora", "scope-read": "on", "models": "credit, net*", "expires": "30d", "key": key[1]}

    made = site.admin.post("/tokens", data=said)
    again = site.admin.post("/tokens", data=said)

    secret = re.search(r"lepton_[\w-]{43}", made.text)
    assert secret is not None
    assert (made.status_code, made.headers["cache-control"], made.headers.get("location")) == (201, "no-store", None)
    assert "cannot be shown again" in shown(again)
    holder = site.server.manager.holder(secret[0])
    assert holder is not None
    assert (holder.owner, holder.rights.models) == ("dora", ("credit", "net*"))
    for page in ("/tokens", "/tokens.json", "/events?all=1&most=1000", "/events.json?type=token"):
        assert secret[0] not in site.admin.get(page).text
    assert secret[0] not in again.text

    gone = site.admin.post(f"/tokens/{holder.token}/revoke", data={"reason": "lost"})
    assert (gone.status_code, gone.headers["location"]) == (303, "/tokens")
    assert [each.status for each in site.server.manager.tokens() if each.owner == "dora"] == ["revoked"]


def test_a_form_that_makes_no_token_keeps_what_was_typed(site: Site) -> None:
    end = site.server.manager.position()

    page = site.admin.post("/tokens", data={"owner": "dora<b>", "scope-sql": "on", "expires": "soon", "models": "a b"})

    assert page.status_code == 400
    assert 'value="dora&lt;b&gt;"' in page.text
    assert 'name="scope-sql" checked' in page.text
    assert 'name="scope-read" checked' not in page.text
    assert 'value="soon"' in page.text
    assert "is no time for a token to end" in shown(page)
    assert site.server.manager.position() == end


def test_nothing_is_shown_of_models_that_may_not_be_read(site: Site) -> None:
    hidden = [
        int(each["sequence"])
        for each in everything(site)
        if "zebra" in str(each["subject"]) or each["data"].get("model") == "zebra"
    ]
    mixed = next(int(e["sequence"]) for e in everything(site) if e["data"].get("message") == "of another")

    pages = {
        path: site.reader.get(path)
        for path in ("/events?most=1000&all=1", "/events.json?most=1000&all=1", "/search?where=f1+%3E+0", "/status")
    }
    pages |= {f"/events/{mixed}{form}": site.reader.get(f"/events/{mixed}{form}") for form in ("", ".json")}

    for path, page in pages.items():
        assert page.status_code == 200, path
        assert "zebra" not in page.text, path
        assert "striped" not in page.text, path
    assert "so they are not shown" in shown(pages[f"/events/{mixed}"])
    missing = shown(site.reader.get("/events/99999"))
    for seq in hidden:
        assert site.reader.get(f"/events/{seq}").status_code == 404
        assert shown(site.reader.get(f"/events/{seq}")) == missing.replace("99999", str(seq))
    absent, unread = (site.reader.get("/events", params={"model": each}) for each in ("okapi", "zebra"))
    assert (absent.status_code, unread.status_code) == (404, 404)
    assert shown(unread).replace("zebra", "okapi") == shown(absent)
    assert not any(each["subject"].startswith("token/") for each in pages_of(site.reader))


def pages_of(client: httpx.Client) -> list[dict[str, Any]]:
    return client.get("/events.json?most=1000&all=1").json()["events"]


@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("reader", "/sql?query=SELECT+1"), ("reader", "/sql.csv?query=SELECT+1"), ("reader", "/tokens"),
        ("asker", "/tokens"), ("asker", "/events"), ("asker", "/search?where=f1+%3E+0"),
    ],
    ids=lambda value: value.partition("?")[0].replace("/", ""),
)  # fmt: skip
def test_a_page_is_for_those_who_may(site: Site, who: str, path: str) -> None:
    assert getattr(site, who).get(path).status_code == 403
    head = getattr(site, who).get("/status" if who == "reader" else "/sql").text
    assert 'href="/tokens"' not in head
    assert ('href="/sql"' in head) is (who == "asker")


def test_a_moment_of_the_past_is_told_the_same_whatever_came_since(site: Site) -> None:
    paths = [
        f"{path}at={site.server.manager.position() - 5}"
        for path in (
            "/events.json?",
            "/search.json?where=f1+%3E+0&",
            "/sql.csv?query=FROM+versions&",
            "/events/3.json?",
        )
    ]
    before = [site.admin.get(path).content for path in paths]

    site.server.manager.alias("staging", "credit@1")

    assert [site.admin.get(path).content for path in paths] == before
    assert "as it was behind event 3" in shown(site.admin.get("/events?at=3"))
    assert site.admin.get("/events/9?at=3").status_code == 404


BAD = {
    "/events/0": 400,
    "/events/x": 400,
    "/events/1e3": 400,
    "/events/%F0%9D%9F%99": 400,
    "/events/-1": 400,
    "/events/999999999999999999999": 400,
    "/events/12345678": 404,
    "/events/1%2F2": 400,
    "/events/%FF": 400,
    "/events?before=x": 400,
    "/events?most=0": 400,
    "/events?most=1&most=2": 400,
    "/events?model=okapi": 404,
    "/events?stream=model/okapi": 404,
    "/events?type=alias.eaten": 400,
    "/events?from=yesterday": 400,
    "/events?to=9999-99-99": 400,
    "/events?at=yesterday": 400,
    "/events?at=99999": 400,
    "/events?at=1&at=2": 400,
    "/search?where=": 200,
    "/search?where=f1": 400,
    "/search?where=okapi+%3E+1": 400,
    "/search?where=f1+%3E+0&after=okapi%401": 404,
    "/search?where=f1+%3E+0&after=credit%4099": 404,
    "/search?where=f1+%3E+0&end=x": 400,
    "/search?where=f1+%3E+0&where=f1+%3C+0": 400,
    "/search?where=" + "x" * 5_000: 400,
    "/sql?query=SELECT+1&query=SELECT+2": 400,
    "/sql?query=SELECT+1&at=no": 400,
    "/sql.csv": 400,
    "/sql.xml?query=SELECT+1": 404,
    "/tokens?at=no": 400,
    "/status?at=no": 200,
}


@pytest.mark.parametrize("path", BAD, ids=lambda path: path[:40].replace("/", "_").replace("?", "_"))
def test_bad_input_is_told_in_a_sentence_on_a_page(site: Site, path: str) -> None:
    page = site.admin.get(path)

    assert page.status_code == BAD[path], shown(page)
    assert "text/html" in page.headers["content-type"]
    assert "Traceback" not in page.text
    if BAD[path] != 200:
        assert 'role="alert"' in page.text


def test_neither_foreign_hosts_nor_pages_of_other_sites_do_anything(site: Site) -> None:
    end = site.server.manager.position()
    secret = site.admin.headers["Authorization"].removeprefix("Bearer ")
    said = {"owner": "mallory", "scope-admin": "on"}
    with httpx.Client(base_url=site.server.url, cookies={"lepton": secret}) as browser:
        refused = [
            browser.post("/tokens", data=said, headers={"Sec-Fetch-Site": "cross-site"}),
            browser.post("/tokens", data=said, headers={"Origin": "https://evil.example"}),
            browser.post("/tokens", data=said),
            browser.post("/tokens/4f2a4f2a/revoke", headers={"Sec-Fetch-Site": "same-site"}),
        ]
        foreign = browser.get("/events", headers={"Host": "evil.example"})
        stranger = httpx.get(f"{site.server.url}/events", headers={"Accept": "text/html"})
        own = browser.post("/tokens", data={"owner": ""}, headers={"Sec-Fetch-Site": "same-origin"})

    assert [each.status_code for each in refused] == [403] * 4
    assert foreign.status_code == 421
    assert (stranger.status_code, stranger.headers["location"]) == (303, "/login?next=%2Fevents")
    assert own.status_code == 400
    assert site.server.manager.position() == end


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/events"), ("DELETE", "/tokens"), ("PUT", "/sql")], ids=["post", "delete", "put"]
)
def test_a_method_that_a_page_does_not_take_is_refused(site: Site, method: str, path: str) -> None:
    assert site.admin.request(method, path).status_code == 405


def test_a_token_that_is_not_there_is_not_revoked(site: Site) -> None:
    assert site.admin.post("/tokens/4f2a4f2a/revoke", data={"reason": "x"}).status_code == 404
