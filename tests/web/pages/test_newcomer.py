"""A newcomer's questions, answered from the first page on by clicks alone, and by how many."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from lepton_ai import verify_proof

from ..server import Served
from .story import HOSTILE, open_to_its_user


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with open_to_its_user(tmp_path_factory.mktemp("newcomer")) as server:
        yield server


@dataclass
class Newcomer:
    """Somebody who begins at the first page: what is clicked is counted."""

    page: Any
    clicks: int = 0

    def click(self, role: str, name: str, within: str = "main") -> None:
        """Click the first such thing of a part of the page."""
        self.page.locator(within).get_by_role(role, name=name, exact=True).first.click()
        self.clicks += 1


@pytest.fixture
def newcomer(server: Served, browser: Any) -> Iterator[Newcomer]:
    context = browser.new_context(base_url=server.url, locale="en")
    page = context.new_page()
    page.goto("/")
    yield Newcomer(page)
    context.close()


def test_who_put_what_live_when_and_why(server: Served, newcomer: Newcomer) -> None:
    newcomer.click("link", "production")

    last = newcomer.page.locator("#all-moves tbody tr").nth(1).inner_text()
    assert server.service.user in last
    assert HOSTILE in last
    assert "UTC" in last
    assert newcomer.clicks == 1


def test_what_was_live_at_a_time(server: Served, newcomer: Newcomer) -> None:
    moves = list(server.manager.moves("production", "alias", model="credit"))
    newcomer.page.get_by_role("textbox", name="As of").fill(str(moves[1].seq))
    newcomer.click("button", "Look", "header")

    row = newcomer.page.locator("#models tr[data-key=credit]").inner_text()
    assert re.search(r"production\s+6", row)
    assert newcomer.clicks == 1


def test_what_changed_between_two_versions(newcomer: Newcomer) -> None:
    newcomer.click("link", "credit")
    newcomer.click("button", "Compare")
    newcomer.click("link", "What differs between them, tensors too")

    assert "What differs between" in newcomer.page.locator("h1").inner_text()
    assert newcomer.page.locator("main table tbody tr").count() > 0
    assert newcomer.clicks == 3


def test_the_last_one_is_put_back_safely(server: Served, newcomer: Newcomer) -> None:
    server.manager.alias("production", "credit@5", reason="the newest")
    newcomer.click("link", "production")
    newcomer.click("link", "Roll back")
    newcomer.page.get_by_role("heading", name="2. What would change").wait_for()
    newcomer.page.get_by_label("Why", exact=True).fill("complaints")
    before = int(server.manager.aliases(model="credit")["production"])
    newcomer.page.get_by_role("button", name=re.compile("Roll production back to version")).click()
    newcomer.page.locator(".done").wait_for()

    assert int(server.manager.aliases(model="credit")["production"]) != before
    assert newcomer.clicks + 1 == 3


def test_a_move_is_proved_to_an_auditor(newcomer: Newcomer) -> None:
    newcomer.click("link", "production")
    newcomer.page.locator("#all-moves a.seq").first.click()
    newcomer.click("link", "its proof")
    with newcomer.page.expect_download() as download:
        newcomer.page.get_by_role("link", name="Download the proof").click()

    proved = verify_proof(str(download.value.path()))
    assert proved.event is not None
    assert proved.event["type"].startswith("lepton.alias.")
    assert newcomer.clicks + 2 == 4
