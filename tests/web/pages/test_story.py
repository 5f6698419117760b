"""The whole story by clicks in a browser: train twice, compare, preview, rehearse, roll back, see it live.

With LEPTON_SCREENSHOTS=FOLDER every page of the story is kept as pictures, wide and narrow, light and dark, in both
languages.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from lepton_ai.demo.german_credit import LABEL, load, split

from ...asking import PATIENCE
from ..server import Served, served

LOOKS: Final = {
    "1280-light-en": (1280, "light", "en"),
    "1280-dark-zh": (1280, "dark", "zh-CN"),
    "320-light-zh": (320, "light", "zh-CN"),
    "320-dark-en": (320, "dark", "en"),
}
ALIAS: Final = "production"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that does its jobs itself, with real applicants named: to train on, and to rehearse on."""
    folder = tmp_path_factory.mktemp("story")
    training, _, production = split(load())
    with served(folder / "home", works=True) as server:
        for name, rows in (("applicants", training), ("newcomers", production)):
            rows.data.assign(**{LABEL: rows.labels}).to_csv(folder / f"{name}.csv", index=False)
            server.manager.add_data(name, str(folder / f"{name}.csv"), LABEL, keep=True)
        yield server


@pytest.fixture
def visited(server: Served, browser: Any) -> Iterator[Callable[[Any, str], None]]:
    """Notes a page of the story; afterwards all of them are kept as pictures, where a folder is named for them."""
    places: dict[str, str] = {}
    yield lambda page, name: places.update({f"{len(places):02}-{name}": page.url})
    if not (folder := os.environ.get("LEPTON_SCREENSHOTS")):
        return
    for look, (width, scheme, language) in LOOKS.items():
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, locale=language, base_url=server.url
        )
        page = context.new_page()
        for name, place in places.items():
            page.goto(place)
            page.screenshot(path=Path(folder) / f"{name}-{look}.png", full_page=True)
        context.close()


def trained(page: Any, message: str, **hyperparameters: str) -> int:
    """Ask for a training on the page of the jobs, and see it through: the number of the version that came of it."""
    page.get_by_role("link", name="Jobs", exact=True).first.click()
    page.get_by_role("link", name="New job").click()
    page.get_by_label("Model", exact=True).fill("credit")
    page.get_by_label("Data").select_option("applicants")
    page.get_by_label("Message").fill(message)
    for name, value in hyperparameters.items():
        page.get_by_label(name, exact=True).fill(value)
    page.get_by_role("button", name="Train").click()
    page.wait_for_url(re.compile(r"/jobs/[0-9a-f-]{36}$"))
    return ended(page)


def ended(page: Any) -> int:
    """The version of the job that is looked at, once the page says that it has ended."""
    page.locator("#state").get_by_text("finished").wait_for()
    return int(page.locator("#state .version").inner_text())


def test_the_story_by_clicks(server: Served, browser: Any, visited: Callable[[Any, str], None]) -> None:
    context = browser.new_context(base_url=server.url, locale="en")
    page, errors = context.new_page(), list[str]()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.goto("/")
    visited(page, "nothing yet")
    page.goto("/jobs/new")
    visited(page, "new job")

    first = trained(page, "a first model", epochs="2")
    visited(page, "job finished")
    assert page.locator("figure.curve svg path").count() >= 1
    second = trained(page, "wider, and longer", epochs="3", hidden="[64]")
    visited(page, "second job")
    assert (first, second) == (1, 2)

    # compare the two, and look at what differs
    page.get_by_role("link", name="Models", exact=True).first.click()
    visited(page, "models")
    page.get_by_role("link", name="credit", exact=True).first.click()
    visited(page, "model")
    page.get_by_role("button", name="Compare").click()
    assert sorted(page.locator("thead th .version").all_inner_texts()) == ["1", "2"]
    visited(page, "compare")
    page.get_by_role("link", name="What differs between them, tensors too").click()
    page.get_by_text("hidden").first.wait_for()
    visited(page, "differences")
    page.get_by_role("link", name="All tensors").click()
    visited(page, "tensors")

    # the first is live, then the second; each is judged on rows that it never saw
    page.goto("/m/credit/v/1")
    page.get_by_role("link", name="Give it a name").click()
    page.get_by_label("Name", exact=True).fill(ALIAS)
    page.get_by_label("Reason").fill("the first that there is")
    page.get_by_role("button", name="Put it there").click()
    visited(page, "names")
    page.get_by_role("link", name="Models", exact=True).first.click()
    page.get_by_role("link", name="credit", exact=True).first.click()
    page.locator("#versions").get_by_role("link", name="2", exact=True).click()
    page.get_by_label("Judge it on").select_option("newcomers")
    page.get_by_role("button", name="Evaluate").click()
    assert ended(page) == 2
    visited(page, "evaluation")
    page.locator("#state .version").click()
    page.get_by_text("newcomers").first.wait_for()
    visited(page, "version")
    assert page.get_by_role("link", name="Report").count() == 1
    page.get_by_role("link", name=f"Move {ALIAS} here").click()
    page.get_by_label("Reason").fill("better on paper")
    visited(page, "move")
    page.get_by_role("button", name="Move").click()
    page.locator(".done").wait_for()

    # another tab looks at what is live
    other = context.new_page()
    other.goto("/")
    other.locator("#models").get_by_role("link", name="2", exact=True).first.wait_for()

    # preview, rehearse on named rows, confirm
    page.locator("#stands").get_by_role("link", name="Roll back").click()
    visited(page, "rollback")
    page.get_by_label("Rehearse on").select_option("newcomers")
    page.get_by_role("button", name="Show what would change").click()
    page.get_by_role("heading", name="3. Confirm").wait_for()
    visited(page, "rehearsed")
    page.get_by_label("Why").fill("complaints from newcomers")
    page.get_by_role("button", name=f"Roll {ALIAS} back to version 1").click()
    page.locator(".done").wait_for()
    visited(page, "rolled back")
    assert "complaints from newcomers" in page.locator("#all-moves").inner_text()

    other.locator("#models").get_by_text("complaints from newcomers").wait_for()
    assert int(server.manager.aliases(model="credit")[ALIAS]) == 1
    for place, name in (
        ("/events", "events"), ("/m/credit/log", "log"), ("/jobs", "jobs"), ("/runs", "runs"), ("/status", "status"),
        ("/tokens", "tokens"), ("/search", "search"), ("/sql", "sql"), ("/nothing", "refused"),
        ("/m/credit/v/2/report?name=newcomers", "report"), ("/jobs/new?kind=verify", "new import"),
        ("/jobs/new?kind=evaluate", "new evaluation"), (f"/events/{server.manager.position()}", "event"),
    ):  # fmt: skip
        if os.environ.get("LEPTON_SCREENSHOTS"):
            page.goto(place)
            visited(page, name)
    context.close()
    assert [each for each in errors if "a status of 4" not in each] == []


def test_the_story_without_javascript(server: Served, browser: Any) -> None:
    context = browser.new_context(base_url=server.url, locale="en", java_script_enabled=False)
    page = context.new_page()
    page.goto("/jobs")
    page.get_by_role("link", name="New job").click()
    page.get_by_label("Model", exact=True).fill("plain")
    page.get_by_label("Data").select_option("applicants")
    page.get_by_label("epochs", exact=True).fill("none")
    page.get_by_role("button", name="Train").click()
    assert "epochs" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("Model", exact=True).input_value() == "plain"
    page.get_by_label("epochs", exact=True).fill("3")
    page.get_by_role("button", name="Train").click()

    job = page.url.rpartition("/")[2]
    assert server.manager.jobs.wait(job, timeout=PATIENCE).status == "finished"
    page.reload()
    page.locator("#state .version").click()
    page.get_by_role("link", name="Give it a name").click()
    page.get_by_label("Name", exact=True).fill(ALIAS)
    page.get_by_role("button", name="Put it there").click()
    assert int(server.manager.aliases(model="plain")[ALIAS]) == 1
    context.close()
