"""Charts on pages: drawn beside the server, with their tables, explored under the policy of the pages."""

from __future__ import annotations

import gzip
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any
from urllib.parse import urlencode

import httpx
import numpy as np
import pytest

from ...asking import PATIENCE
from ..server import Served, served
from .legible import axe, violations
from .story import HOSTILE, RUN, told

NAMES = ("a.b[0]\\'\"", "<b>word</b>", "${alert(1)}\u202e")
"""Columns that a reader of specifications might take for paths, markup or expressions."""
QUOTED = ['"' + name.replace('"', '""') + '"' for name in NAMES]
WORDS = HOSTILE.replace("'", "''")
AWKWARD = (
    f"SELECT range * 1.5 AS {QUOTED[0]}, '{WORDS}' || range AS {QUOTED[1]}, range % 3 AS {QUOTED[2]} FROM range(9)"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("charts") / "home") as server:
        told(server.manager)
        generator = np.random.default_rng(1)
        truth = (generator.random(200) < 0.5).astype(int)
        chance = np.clip(0.4 * truth + 0.6 * generator.random(200), 0, 1)
        groups = np.where(generator.random(200) < 0.5, "f", HOSTILE)
        server.manager.evaluate_predictions(
            "credit@4", (chance >= 0.5).astype(int), truth, probabilities=chance, task="binary", draws=30,
            data={"sex": groups, "x": chance}, sensitive=["sex"], slices=["sex"], costs={"false_negative": 5},
        )  # fmt: skip
        yield server


@pytest.fixture(scope="module")
def http(server: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers={"Accept-Language": "en"}, timeout=PATIENCE) as client:
        yield client


def sql(query: str, **params: str) -> str:
    return "/sql?" + urlencode({"query": query, **params})


def drawn(http: httpx.Client, place: str) -> str:
    """A page with all its charts drawn; the first one loads the libraries, for which a page does not wait."""
    while "still being drawn" in (page := http.get(place)).text:
        assert page.status_code == 200
    return page.text


PLACES = (
    "/m/credit", "/m/credit/v/4/report", sql("SELECT range AS n, sin(range) AS s FROM range(50)", plot="line"),
    sql(AWKWARD, plot="bar", x=NAMES[1], y=NAMES[0], color=NAMES[2]), f"/runs/{RUN}",
)  # fmt: skip


@contextmanager
def guarded(browser: Any, **options: Any) -> Iterator[Any]:
    """A page that notes what violates the policy as `violated`; when it is left, it has complained of nothing."""
    context = browser.new_context(locale="en", **options)
    context.add_init_script(
        "addEventListener('securitypolicyviolation', e => (window.violated ??= []).push(e.violatedDirective))"
    )
    said: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    yield page
    context.close()
    assert said == []


@pytest.fixture
def light(browser: Any) -> Iterator[Any]:
    with guarded(browser, viewport={"width": 1280, "height": 900}, color_scheme="light") as page:
        yield page


@pytest.fixture
def dark_phone(browser: Any) -> Iterator[Any]:
    with guarded(browser, viewport={"width": 320, "height": 900}, color_scheme="dark") as page:
        page.context.add_init_script(axe())
        yield page


def test_charts_are_explored_without_a_violation_of_the_policy(server: Served, http: httpx.Client, light: Any) -> None:
    from playwright.sync_api import expect

    page = light
    for place in PLACES:
        drawn(http, place)
        page.goto(server.url + place)
        assert page.evaluate("window.vegaEmbed === undefined")
        buttons = page.locator("button.explore")
        assert buttons.count() > 0
        for each in buttons.all():
            each.click()
        expect(page.locator("figure:has(.explored svg path)")).to_have_count(buttons.count())
        assert not page.locator("figure [data-drawn]:visible").count()
        buttons.first.click()
        assert page.locator("figure [data-drawn]").first.is_visible()
        assert page.evaluate("window.violated ?? []") == []


def test_charts_are_legible_to_everybody_and_fit_on_a_phone(
    server: Served, http: httpx.Client, dark_phone: Any
) -> None:
    page, found = dark_phone, dict[str, Any]()
    for place in PLACES:
        drawn(http, place)
        page.goto(server.url + place)
        for is_explored in (False, True):
            if is_explored:
                page.locator("button.explore").first.click()
                page.locator(".explored svg path").first.wait_for(state="attached")
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, place
            found |= {f"{place} {is_explored} {each['id']}": each["nodes"] for each in violations(page)}
        assert page.evaluate("window.violated ?? []") == []

    assert found == {}


def shown(http: httpx.Client, place: str) -> str:
    """What a page says, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", drawn(http, place))).split())


def test_names_and_values_that_would_be_obeyed_are_shown(http: httpx.Client) -> None:
    place = sql(AWKWARD, plot="bar", x=NAMES[1], y=NAMES[0], color=NAMES[2])
    page = drawn(http, place)

    assert "<script>alert" not in page
    assert "<b>word" not in page
    assert "\u202e" not in re.sub(r"<textarea.*?</textarea>|<[^>]*>", "", page, flags=re.S)
    svg = re.search(r"<svg [^>]*aria-hidden.*?</svg>", page[page.index('id="plot"') :], re.S)
    assert svg is not None
    assert NAMES[0] in unescape(svg[0])
    assert " style=" not in page
    spec = http.get(place + "&spec=plot")
    assert spec.headers["content-type"] == "application/json"
    assert {key for row in spec.json()["data"]["values"] for key in row} == {"x", "y", "color"}


def test_a_chart_has_its_values_as_a_table_and_in_words(http: httpx.Client) -> None:
    page = drawn(http, "/m/credit?metric=f1")

    assert 'aria-label="Chart: f1 by version. The table below it has its values."' in page
    figure = page[page.index('id="metric"') :].partition("</figure>")[0]
    assert re.findall(r'<td class="right">([^<]*)</td>', figure)[:4] == ["6", "0.8", "5", "0.78"]
    report = drawn(http, "/m/credit/v/4/report")
    assert report.count("<figure") == report.count("data-drawn") == report.count("<details") == 7


def test_versions_measured_on_different_rows_are_not_joined(server: Served, http: httpx.Client) -> None:
    for number, count in enumerate((4, 4, 6), 1):
        server.manager.save_version({"w": np.full(1, number, np.float32)}, name="rows")
        server.manager.evaluate_predictions(f"rows@{number}", [0, 1] * (count // 2), [0, 1] * (count // 2), draws=0)
    page = http.get("/m/rows")
    (encoding,) = (each["encoding"] for each in http.get("/m/rows?spec=metric").json()["layer"])

    assert "It was measured on 2 sets of rows" in page.text
    assert encoding["color"]["title"] == "Measured on"
    assert encoding["detail"]["field"] == "part"


def test_the_process_that_draws_is_killed_and_the_next_chart_is_drawn(server: Served, http: httpx.Client) -> None:
    drawn(http, "/m/credit")
    process = server.service.drawings.painter.process
    assert process is not None
    os.kill(process, signal.SIGKILL)

    page = drawn(http, sql("SELECT range AS n, cos(range) AS c FROM range(20)", plot="points"))

    assert "data-drawn" in page
    assert server.service.drawings.painter.process not in (None, process)


def test_what_was_drawn_is_not_drawn_again(server: Served, http: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    before = drawn(http, "/m/credit/v/4/report")
    monkeypatch.setattr(server.service.drawings.painter, "made", None)

    assert http.get("/m/credit/v/4/report").text == before


@pytest.mark.parametrize(
    ("query", "params", "sentence"),
    [
        ("SELECT 'a' AS a", {}, "no column of numbers"),
        ("SELECT 1 AS a", {"plot": "pie"}, "'pie' is no kind of plot"),
        ("SELECT 1 AS a", {"x": "b"}, "no column 'b' for x"),
        ("SELECT 1 AS a, [1] AS b", {"x": "b"}, "column 'b' is of type list"),
        ("SELECT 1 AS a, DATE '2020-01-01' AS b", {"x": "a", "y": "b"}, "'b' has no numbers"),
        ("SELECT 1 AS a, 2 AS a", {"x": "a"}, "no column of numbers"),
        ("SELECT 1 AS a, 2 AS a, 3 AS b", {"x": "a"}, "two columns 'a'"),
        ("SELECT 1 AS a, NULL::INT AS b", {"x": "a", "y": "b"}, "leave out null"),
        ("SELECT range AS a FROM range(9)", {"x": "a", "y": "a", "color": "a"}, "9 values, and 8 colours"),
    ],
)
def test_what_cannot_be_plotted_is_said_in_a_sentence(
    http: httpx.Client, query: str, params: dict[str, str], sentence: str
) -> None:
    asked = {"plot": "bar", **params}

    assert sentence in shown(http, sql(query, **asked))
    problem = http.get("/sql.json", params={"query": query.replace("2 AS a", "2 AS c"), "spec": "plot", **asked})
    assert problem.status_code in (400, 422) or "2 AS a" in query


def test_a_plot_says_how_many_rows_it_is_of(http: httpx.Client) -> None:
    query = "SELECT range AS n, CASE WHEN range % 1000 = 0 THEN 'nan'::DOUBLE ELSE range END AS v FROM range(40000)"
    words = shown(http, sql(query, plot="line", x="n", y="v"))

    assert "1,960 of 40,000 rows are drawn. 40 rows without a finite value are left out." in words
    times = "SELECT TIMESTAMPTZ '2026-01-01 00:00:00+00' + INTERVAL 1 DAY * range AS t, range AS v FROM range(3)"
    assert "2026-01-02 00:00:00 1" in shown(http, sql(times, plot="line"))


def test_a_page_without_what_draws_charts_has_their_tables(http: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "altair", None)
    monkeypatch.setattr("lepton_ai.results.pages.drawing.find_spec", lambda name: None)

    page = http.get("/m/credit")

    assert "its extra plot is not installed" in page.text
    assert "<details open>" in page.text
    assert "data-drawn" not in page.text
    assert http.get("/m/credit?spec=metric").status_code == 503


def test_the_program_of_charts_is_kept_for_ever_under_its_own_digest(http: httpx.Client) -> None:
    led = http.get("/charts/vega.js")
    program = http.get(led.headers["location"])

    assert (led.status_code, program.status_code) == (303, 200)
    assert "immutable" in program.headers["cache-control"]
    assert "vegaEmbed" in program.text
    assert len(gzip.compress(program.content)) < 320_000
    assert http.get("/charts/0000/vega.js").status_code == 404
    assert http.get("/m/credit?spec=nothing").status_code == 400
