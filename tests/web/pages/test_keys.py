"""What the script adds to a page: keys of the history, a slider over all moments, and news for readers of screens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from ..server import Served
from .story import open_to_its_user

FOCUSED = "document.activeElement.closest('tr')?.id"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with open_to_its_user(tmp_path_factory.mktemp("keys")) as server:
        yield server


@pytest.fixture
def page(browser: Any, server: Served) -> Iterator[Any]:
    context = browser.new_context(base_url=server.url, locale="en")
    yield context.new_page()
    context.close()


def seqs(server: Served) -> dict[int, str]:
    """The rows of the versions, by number."""
    return {int(each.version): f"e{each.seq}" for each in server.manager.versions("credit")}


def test_keys_lead_through_a_history_also_onto_other_pages_of_it(page: Any, server: Served) -> None:
    rows = seqs(server)
    page.goto("/m/credit/log?rev=9&most=4")
    page.locator("#history th a").first.focus()

    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("k")
    assert page.evaluate(FOCUSED) == rows[8]
    page.keyboard.press("p")
    assert page.evaluate(FOCUSED) == rows[7]
    page.keyboard.press("p")
    page.locator(f"#{rows[3]} th a:focus").wait_for()
    page.keyboard.press("c")
    page.locator(f"#{rows[4]} th a:focus").wait_for()
    page.keyboard.press("?")
    page.locator("#keys").wait_for()
    page.keyboard.press("Escape")
    assert page.evaluate(FOCUSED) == rows[4]
    page.keyboard.press("Enter")
    page.wait_for_url("**/m/credit/v/4")


def test_no_key_is_taken_from_who_types_or_holds_a_modifier(page: Any) -> None:
    page.goto("/m/credit/log")
    field = page.get_by_label("Branch or revision")
    field.press_sequentially("jkpc?")
    assert field.input_value() == "jkpc?"

    page.locator("#history th a").first.focus()
    before = page.evaluate(FOCUSED)
    page.keyboard.press("Alt+j")
    assert page.evaluate(FOCUSED) == before
    page.locator("h1").click()
    page.keyboard.press("?")
    assert not page.locator("#keys").is_visible()


def test_a_row_keeps_the_focus_while_others_come_and_the_change_is_announced(page: Any, server: Served) -> None:
    page.goto("/m/credit/log?most=3")
    last = page.locator("#history tbody tr").last
    last.locator("th a").focus()
    row = page.evaluate(FOCUSED)

    server.manager.save_version({"layer.weight": np.zeros(3, np.float32)}, name="credit")

    page.locator("#news").get_by_text("change").wait_for(state="attached")  # first, for it is taken away
    page.locator(f"#{seqs(server)[10]}").wait_for()
    assert page.evaluate(FOCUSED) == row


def test_the_slider_tells_the_moment_and_leads_there(page: Any, server: Served) -> None:
    end = server.manager.position()
    page.goto("/m/credit")
    slider = page.get_by_role("slider", name="As of event")
    slider.press("Home")
    page.locator("#moment-at").get_by_text("event 1 · 20").wait_for()
    slider.press("ArrowRight")
    assert page.locator("#at").input_value() == "2"
    slider.press("End")
    assert page.locator("#at").input_value() == ""
    slider.press("ArrowLeft")
    slider.press("Enter")
    page.wait_for_url(f"**/m/credit?at={end - 1}")
    page.locator(f"#moment[max='{end}']").wait_for()
    slider.click()  # in its middle
    page.wait_for_url(lambda url: f"at={end - 1}" not in url)
    assert 1 < int(page.locator("#at").input_value()) < end


def test_without_script_the_field_leads_there_and_no_slider_is_shown(browser: Any, server: Served) -> None:
    page = browser.new_context(java_script_enabled=False, locale="en", base_url=server.url).new_page()
    page.goto("/m/credit/log")
    assert not page.locator("#moment").is_visible()
    assert not page.locator("#keys-open").is_visible()
    page.locator("#at").fill("20")
    page.get_by_role("button", name="Look").click()
    page.wait_for_url("**/log?at=20")
    page.context.close()


def test_the_moment_of_an_event_is_told_and_others_are_refused(server: Served) -> None:
    with httpx.Client(base_url=server.url) as http:
        told = http.get("/moment?seq=5").json()
        assert (told["seq"], told["last"]) == (5, server.manager.position())
        assert told["time"].startswith("20")
        for seq in ("0", "x", "999999999", "99999999999"):
            assert http.get(f"/moment?seq={seq}").status_code == 400
