"""Pages kept up to date: one stream of events a browser, in all of its tabs, and nothing of the reader's is lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import httpx
import numpy as np
import pytest

from ...asking import PATIENCE, until
from ...cli_home import loans
from ..server import Served, served
from .attempts import asked, begun, measured

WEIGHTS: Final = {"weight": np.zeros(3, dtype=np.float32)}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("live")
    loans(folder / "loans.csv")
    with served(folder / "home") as server:
        server.manager.add_data("loans", str(folder / "loans.csv"), "default")
        server.manager.save_version(WEIGHTS, name="credit")
        yield server


@pytest.fixture
def context(browser: Any, server: Served) -> Iterator[Any]:
    context = browser.new_context(base_url=server.url, locale="en")
    yield context
    context.close()


def streams(context: Any) -> list[str]:
    """The addresses of event streams that a browser asks for from now on."""
    asked = list[str]()
    context.on("request", lambda request: asked.append(request.url) if request.resource_type == "eventsource" else None)
    return asked


def test_two_tabs_hold_one_stream_and_both_show_what_happens_elsewhere(context: Any, server: Served) -> None:
    job = asked(server.manager, "shared")
    opened, first, second = streams(context), context.new_page(), context.new_page()
    first.goto("/jobs")
    second.goto(f"/jobs/{job}")
    reason = second.get_by_label("Why, for the record")
    reason.fill("half a sen")

    begun(server.manager, job)
    measured(server.manager, job, [1.0, 0.5, 0.25])

    row = first.locator("tr", has_text=job[-12:])
    row.get_by_text("running").wait_for()
    second.locator("#state").get_by_text("running").wait_for()
    second.get_by_text("3 of 3 points").wait_for()
    second.locator("summary", has_text="Table").click()
    assert len(opened) == 1

    measured(server.manager, job, [0.2, 0.1])
    second.get_by_text("5 of 5 points").wait_for()
    assert second.locator("details").get_attribute("open") is not None
    assert reason.input_value() == "half a sen"
    assert second.evaluate("document.activeElement.tagName") == "SUMMARY"

    first.close()
    server.manager.jobs.cancel(job)
    second.locator("#state").get_by_text("cancelled").wait_for()
    assert len(opened) == 2


def test_a_tab_that_is_opened_late_or_looks_at_the_past_is_right(context: Any, server: Served) -> None:
    opened, page, past = streams(context), context.new_page(), context.new_page()
    past.goto(f"/m/credit?at={server.manager.position()}")
    page.goto("/m/credit")
    shown = past.locator("main").inner_html()

    server.manager.alias("production", "credit@1", reason="it is ready")

    page.locator("#now").get_by_text("production").wait_for()
    page.locator("#moves").get_by_text("it is ready").wait_for()
    assert past.locator("main").inner_html() == shown
    assert len(opened) == 1


def test_without_web_locks_a_page_says_that_it_does_not_update_itself(context: Any, server: Served) -> None:
    opened, page, errors = streams(context), context.new_page(), list[str]()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.add_init_script("Object.defineProperty(Navigator.prototype, 'locks', {value: undefined})")
    page.goto("/m/credit")

    page.get_by_text("This page does not update by itself").wait_for()
    assert (opened, errors) == ([], [])


def test_the_stream_of_pages_names_what_grows_and_goes_on_for_who_holds_the_cookie(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lepton_ai.web.following.streams.CHECKED", 0.05)
    token = server.manager.create_token("ada", scopes=("read",), models=("credit",))
    try:
        end = server.manager.position()
        until(lambda: httpx.get(f"{server.url}/position").status_code == 401)  # the server knows that there is a token
        with httpx.Client(base_url=server.url, cookies={"lepton": token.secret}, timeout=PATIENCE) as client:
            assert client.get("/live?after=x").status_code == 400
            with client.stream(
                "GET", "/live", params={"after": end}, headers={"Sec-Fetch-Site": "same-origin"}
            ) as live:
                said = (line for line in live.iter_lines() if line.startswith(("id: ", "data: ")))
                for number in range(8):
                    server.manager.save_version({"weight": np.full(3, number, np.float32)}, name="hidden")
                    server.manager.annotate("credit@1", {"number": number})
                    seq, stream = next(said), next(said)
                    assert (seq, stream) == (f"id: {server.manager.position()}", "data: model/credit")
    finally:
        server.manager.revoke_token(token.token)
