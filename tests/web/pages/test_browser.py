"""The pages as a browser shows them: legible to everybody, at every width, without a word from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pytest

from lepton_ai.web.pages.site import POLICY

from ...cli_home import loans
from ..server import Served
from .legible import CONTRAST, RULES, THINNED, axe, violations
from .story import HOSTILE, JOB, RUN, open_to_its_user

PAGES: Final = (
    "/", "/m/credit", "/m/credit/log", "/m/credit/names", "/m/credit/rollback",
    "/m/credit/rollback?alias=production&plan=1&to=6", "/m/credit/log?at=20", "/m/nobody", "/login",
    "/m/credit/v/4", "/m/credit/v/4/tensors", "/m/credit/diff/1..4", "/m/credit/compare?v=1&v=2&v=4",
    "/jobs/new", "/jobs/new?kind=evaluate", "/jobs/new?kind=verify", "/jobs", f"/jobs/{JOB}", "/runs", f"/runs/{RUN}",
    "/events", "/events/5", "/events?at=20", "/search?where=f1+%3E+0.7", "/sql?query=FROM+versions",
    "/tokens", "/status", "/search?where=f1+%3E", "/sql?query=FROM+nowhere", "/events?from=yesterday",
    "/m/credit/rollback?to=99", "/m/credit/aliases/production?to=3", "/m/credit/compare?v=1",
    "/m/credit?metric=f1", "/sql?query=FROM+range(9)&plot=bar", "/proof", "/proof?event=5",
    "/runs/pictures?step=1", "/chains", "/chains/nightly",
    "/studies", "/studies/credit", "/studies/two%20sided?metric=size&order=best", "/library", "/library/table-model",
)  # fmt: skip
"""Each has something on it that no other has; of those that say in one sentence what is not there, one is enough."""
LIGHT: Final = {"color_scheme": "light", "forced_colors": "none"}
DARK: Final = {"color_scheme": "dark", "forced_colors": "none"}
FORCED: Final = {"color_scheme": "dark", "forced_colors": "active"}
OPEN: Final = "() => document.querySelectorAll('details').forEach((each) => (each.open = true))"
REFUSED: Final[dict[str, tuple[dict[str, str], str]]] = {
    "/jobs/new": ({"f-model": "credit", "f-hyperparameters-epochs": "none"}, "form.ask-work button.primary"),
    "/tokens": ({}, "form[action='/tokens'] button.primary"),
    "/m/credit/v/4": ({}, "form[action='/m/credit/v/4'].row button"),
}
"""Forms that come back with what was wrong: what is typed, and what is clicked."""


CHAIN: Final[dict[str, Any]] = {
    "name": "nightly",
    "steps": {
        "learn": {"kind": "train", "class": "credit-scoring-model", "data": "loans", "model": "credit"},
        "judge": {"kind": "evaluate", "version": "step:learn", "data": "loans"},
        "hold": {"kind": "gate", "version": "credit@4", "require": "f1 > 2"},
        "mark": {"kind": "tag", "version": "credit@4", "tag": "seen-by-chain"},
        "promote": {"kind": "alias", "version": "step:learn", "alias": "challenger", "after": ["hold"]},
    },
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("browser")
    loans(folder / "loans.csv")
    with open_to_its_user(folder / "home") as server:
        server.manager.add_data("loans", str(folder / "loans.csv"), "default")
        server.manager.jobs.train("credit-scoring-model", "loans", name="credit", after=JOB)
        server.manager.chain(CHAIN, wait=False)
        server.manager.open_runs.start("credit", run="pictures")
        with server.manager.resume("pictures") as run:
            for step in (1, 2):
                run.log_file(f"{HOSTILE[:24]}.png", np.full((9, 16, 3), 99 * step, np.uint8), step=step)
                run.log_text("notes.md", f"{HOSTILE} {'long words ' * 400}", step=step)
            run.log_file(f"a/name/that/is/{'long' * 30}.wav", b"RIFF")
        yield server


@pytest.mark.parametrize(
    ("width", "language", "looks"),
    [(1280, "en", (LIGHT, FORCED)), (320, "zh-CN", (DARK,))],
    ids=["wide", "narrow, dark, in Chinese"],
)
def test_pages_are_legible_to_everybody_and_fit(
    server: Served, browser: Any, width: int, language: str, looks: tuple[dict[str, str], ...]
) -> None:
    """All rules in the first look, what colours may change in the others."""
    context = browser.new_context(viewport={"width": width, "height": 900}, locale=language, base_url=server.url)
    context.add_init_script(axe())
    page = context.new_page()
    said, thinned = list[str](), set[str]()  # a script of a page that misses rows taken away here is right
    page.on("framenavigated", lambda _: thinned.clear())
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: None if thinned else said.append(str(error)))
    found: dict[str, Any] = {}
    for path in PAGES:
        page.goto(path)
        found |= {f"{path}: {rule}": nodes for rule, nodes in wrong(page, width, looks, thinned).items()}
    for path, (typed, button) in REFUSED.items():
        page.goto(path)
        page.evaluate("document.querySelectorAll('form').forEach((each) => (each.noValidate = true))")
        for field, words in typed.items():
            page.fill(f"#{field}", words)
        page.click(button)
        page.locator("[role=alert]").wait_for()
        found |= {f"{path}, refused: {rule}": nodes for rule, nodes in wrong(page, width, looks, thinned).items()}
    context.close()

    assert found == {}
    assert not [each for each in said if "a status of 4" not in each]


def wrong(page: Any, width: int, looks: tuple[dict[str, str], ...], thinned: set[str]) -> dict[str, Any]:
    """What a page violates in each look, with all that can be opened on it open, and where it does not fit."""
    page.evaluate(OPEN)
    found: dict[str, Any] = {}
    for look in looks:
        page.emulate_media(**look)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found[f"wider than {width} in {look}"] = []
    thinned.add(page.url)
    page.evaluate(THINNED)
    for look in reversed(looks):
        page.emulate_media(**look)
        rules = RULES if look is looks[0] else CONTRAST
        found |= {f"{each['id']} in {look}": each["nodes"] for each in violations(page, rules)}
    return found


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
    looked = ("/evidence.js", "/head.json?since=0")  # the look at the head, which may come by now
    assert len([each for each in asked if not each.endswith(looked)]) <= 6
    assert all(each.startswith((server.url, "data:")) for each in asked)
    page.context.close()
