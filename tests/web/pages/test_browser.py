"""The pages as a browser shows them: legible to everybody, at every width, without a word from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from lepton_ai.web.pages.site import POLICY

from ..server import Served
from .story import JOB, RUN, open_to_its_user

PAGES: Final = (
    "/", "/m/credit", "/m/credit/log", "/m/credit/names", "/m/credit/aliases/production", "/m/credit/rollback",
    "/m/credit/rollback?alias=production&plan=1&to=6", "/m/credit/log?at=20", "/m/nobody", "/login",
    "/m/credit/v/4", "/m/credit/v/4/tensors", "/m/credit/diff/1..4", "/m/credit/compare?v=1&v=2&v=4",
    "/jobs", f"/jobs/{JOB}", "/runs", f"/runs/{RUN}",
    "/events", "/events/5", "/events?at=20", "/status", "/search?where=f1", "/sql?query=FROM+versions", "/tokens",
    "/m/credit?metric=f1", "/sql?query=FROM+range(9)&plot=bar", "/proof", "/proof?event=5",
)  # fmt: skip
RULES: Final = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with open_to_its_user(tmp_path_factory.mktemp("browser")) as server:
        yield server


@pytest.mark.parametrize(
    ("width", "look", "language"),
    [
        (1280, {"color_scheme": "light"}, "en"),
        (320, {"color_scheme": "dark"}, "zh-CN"),
        (320, {"forced_colors": "active"}, "en"),
    ],
    ids=["wide and light", "narrow and dark, in Chinese", "narrow with forced colours"],
)
def test_pages_are_legible_to_everybody_and_fit(
    server: Served, browser: Any, width: int, look: dict[str, str], language: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    axe = Axe()
    context = browser.new_context(viewport={"width": width, "height": 900}, locale=language, **look)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    found: dict[str, Any] = {}
    for path in PAGES:
        page.goto(server.url + path)
        found |= {
            f"{path}: {each['id']}": each["nodes"] for each in axe.run(page, options=RULES).response["violations"]
        }
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    context.close()

    assert found == {}
    assert not [each for each in said if "a status of 4" not in each]


def test_a_rollback_by_keyboard_alone_and_without_javascript(server: Served, browser: Any) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en")
    page = context.new_page()
    page.goto(f"{server.url}/m/credit/rollback?alias=production&plan=1&to=6")
    page.locator("textarea[name=reason]").focus()
    page.keyboard.type("by keyboard")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/aliases/production?done=*")

    assert page.locator(".done").inner_text().startswith("Done:")
    assert int(server.manager.aliases(model="credit")["production"]) == 6
    move = next(iter(server.manager.moves("production", "alias", model="credit")))
    assert move.message == "by keyboard"
    context.close()


def test_the_policy_lets_nothing_in_from_elsewhere(server: Served, browser: Any) -> None:
    page = browser.new_context().new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    answer = page.goto(f"{server.url}/m/credit")

    assert answer.headers["content-security-policy"] == POLICY
    assert len(asked) <= 6
    assert all(each.startswith((server.url, "data:")) for each in asked)
    page.context.close()
