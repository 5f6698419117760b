"""Charts that are late: no thread waits for them, readers take turns, and a page shows them once they are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, Event
from typing import Any

import httpx
import numpy as np
import pytest

from lepton_ai.web.drawings import WAITING_EACH, Drawings, StillDrawing, drawn
from lepton_ai.web.pages.charts import figure, program

from ...asking import PATIENCE
from ..server import Served, served

READERS = 45
"""More than the server has threads."""


class Gate:
    """What stands before the process that draws: nothing is drawn while it is shut."""

    def __init__(self, drawings: Drawings, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open, self.orders = Event(), list[Mapping[str, Any]]()
        made = drawings.painter.made

        def behind(order: Mapping[str, Any]) -> dict[str, Any]:
            self.orders.append(order)
            assert self.open.wait(PATIENCE)
            return made(order)

        monkeypatch.setattr(drawings.painter, "made", behind)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("late") / "home") as server:
        for number in range(3):
            metrics = {f"m{each}": number / 10 + each for each in range(6)}
            server.manager.save_version({"w": np.full(2, number, np.float32)}, name="credit", metrics=metrics)
        yield server


@pytest.fixture
def gate(server: Served, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate(server.service.drawings, monkeypatch)
    yield gate
    gate.open.set()


@pytest.fixture
def http(server: Served) -> Iterator[httpx.Client]:
    headers, limits = {"Accept-Language": "en"}, httpx.Limits(max_connections=2 * READERS)
    with httpx.Client(base_url=server.url, headers=headers, timeout=PATIENCE, limits=limits) as client:
        yield client


def test_the_program_of_charts_is_waited_for_within_a_bound(
    gate: Gate, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "PATIENCE", 0.01)
    refused = http.get("/charts/vega.js")

    assert (refused.status_code, "look again in a moment" in refused.json()["detail"]) == (503, True)
    assert "retry-after" in refused.headers


def test_pages_are_answered_while_more_readers_than_threads_wait_for_charts(
    server: Served, gate: Gate, http: httpx.Client
) -> None:
    end, sent = server.manager.position(), Barrier(READERS + 1)

    def page(place: str) -> httpx.Response:
        sent.wait()
        return http.get(place)

    places = [f"/m/credit?metric=m1&at={end}", "/m/credit?metric=m1&spec=metric", "/charts/vega.js"]
    with ThreadPoolExecutor(READERS) as readers:
        waiting = [readers.submit(page, places[number % 3]) for number in range(READERS)]
        sent.wait()
        assert [http.get(place).status_code for place in ("/m/credit.json", "/", "/api/v1/models") * 3] == 9 * [200]
        assert not any(each.done() for each in waiting)
        gate.open.set()
        answers = [each.result() for each in waiting]

    assert {each.status_code for each in answers} == {200, 303}
    assert "data-drawn" in answers[0].text
    assert len({each.text for each in answers[::3]}) == 1


def test_a_page_of_the_past_is_not_shown_without_its_chart(
    server: Served, gate: Gate, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"/m/credit?metric=m2&at={server.manager.position()}"
    with monkeypatch.context() as short:
        short.setattr(figure, "PATIENCE", 0.01)
        assert http.get(place).status_code == 503
    gate.open.set()

    assert "data-drawn" in (shown := http.get(place).text)
    assert http.get(place).text == shown


def test_a_reader_has_so_many_charts_waiting_and_another_is_served_before_them(server: Served, gate: Gate) -> None:
    drawings, orders = server.service.drawings, [{"make": "nothing", "number": number} for number in range(99)]
    begun = list[Any]()
    with suppress(StillDrawing):
        for each in orders:
            begun.append(drawings.begun(each, "mallory"))
    own = drawings.begun({"make": "nothing", "number": "ada's"}, "ada")
    with pytest.raises(StillDrawing):
        drawn(own)
    gate.open.set()
    for each in (own, *begun):
        assert each.exception(PATIENCE) is not None

    assert [each["number"] for each in gate.orders].index("ada's") <= 2
    assert WAITING_EACH <= len(begun) <= WAITING_EACH + 1


def test_a_page_shows_a_late_chart_by_itself(
    server: Served, gate: Gate, browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from playwright.sync_api import expect

    monkeypatch.setattr(figure, "SECONDS", 0.0)
    context = browser.new_context(locale="en")
    page = context.new_page()
    page.goto(f"{server.url}/m/credit?metric=m3")
    expect(page.locator("#metric [data-late]")).to_contain_text("still being drawn")
    gate.open.set()

    expect(page.locator("#metric [data-drawn] svg")).to_be_visible()
    assert not page.locator("[data-late]").count()
    context.close()
