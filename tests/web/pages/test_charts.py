"""Charts on pages: drawn beside the server, with their tables, explored under the policy of the pages."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import numpy as np
import pytest

from ..server import PATIENCE, Served, served
from .story import HOSTILE, RUN, told

NAMES = ("a.b[0]\\'\"", "<b>word</b>", "${alert(1)}\u202e")
"""Columns that a reader of specifications might take for paths, markup or expressions."""
QUOTED = ['"' + name.replace('"', '""') + '"' for name in NAMES]
WORDS = HOSTILE.replace("'", "''")
AWKWARD = f"SELECT range * 1.5 AS {QUOTED[0]}, '{WORDS}' || range AS {QUOTED[1]}, range % 3 AS {QUOTED[2]} FROM range(9)"


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
            data={"sex": groups, "x": chance}, sensitive=["sex"], slices=["sex"], costs={"false_positive": 1, "false_negative": 5},
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


@pytest.mark.parametrize("look", ["light", "dark"])
def test_charts_are_explored_without_a_violation_of_the_policy(server: Served, http: httpx.Client, browser: Any, look: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en", color_scheme=look)
    context.add_init_script("addEventListener('securitypolicyviolation', e => (window.broken ??= []).push(e.violatedDirective))")
    said: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    for number, place in enumerate(PLACES):
        drawn(http, place)
        page.goto(server.url + place)
        assert page.evaluate("window.vegaEmbed === undefined")
        buttons = page.locator("button.explore")
        assert buttons.count() > 0
        shot = os.environ.get("SHOTS")
        if shot: page.screenshot(path=f"{shot}/{look}-{number}.png", full_page=True)
        for each in buttons.all():
            each.click()
        page.wait_for_function("[...document.querySelectorAll('figure')].every(each => each.querySelector('.explored svg path'))")
        if shot: page.screenshot(path=f"{shot}/{look}-{number}x.png", full_page=True)
        assert not page.locator("figure [data-drawn]:visible").count()
        buttons.first.click()
        assert page.locator("figure [data-drawn]").first.is_visible()
        assert page.evaluate("window.broken ?? []") == []
    context.close()

    assert said == []
