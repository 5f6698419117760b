"""What is done on the pages: names moved and taken back, rollbacks planned and confirmed, bound to what was shown."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lepton_ai import ModelManager

from ..server import Served, served
from .story import open_to_its_user, told


@pytest.fixture(scope="module")
def told_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("story") / "home"
    with ModelManager(home) as manager:
        told(manager)
    return home


@pytest.fixture
def server(told_once: Path, tmp_path: Path) -> Iterator[Served]:
    shutil.copytree(told_once, tmp_path / "home")
    with served(tmp_path / "home") as server:
        yield server


@pytest.fixture(scope="module")
def unmoved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server on whose ledger nothing is ever done."""
    with open_to_its_user(tmp_path_factory.mktemp("unmoved")) as server:
        yield server


@pytest.fixture
def http(server: Served) -> Iterator[httpx.Client]:
    headers = {"Accept": "text/html", "Accept-Language": "en"}
    with httpx.Client(base_url=server.url, headers=headers, follow_redirects=True) as client:
        yield client


def form(page: str, action: str, place: int = 0) -> dict[str, str]:
    """What a form of a page says by itself."""
    forms = re.findall(rf'<form[^>]*method="post"[^>]*action="{re.escape(action)}"[^>]*>(.*?)</form>', page, re.DOTALL)
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', forms[place]))


def test_a_move_is_taken_back_by_a_plan_that_asks_why(server: Served, http: httpx.Client) -> None:
    told = http.get("/m/credit/aliases/production").text
    (place,) = re.findall(r'href="([^"]+)">Put back on 6<', told)
    plan = http.get(html.unescape(place)).text
    assert "2. What would change" in plan
    said = form(plan, "/m/credit/rollback")
    assert (said["to"], said["alias"]) == ("6", "production")
    done = http.post("/m/credit/rollback", data={**said, "reason": "it was right"})

    assert "Done:" in done.text
    assert int(server.manager.aliases(model="credit")["production"]) == 6
    assert next(iter(server.manager.moves("production", "alias", model="credit"))).message == "it was right"


def test_what_was_rolled_back_from_is_not_proposed_and_named_with_a_warning(server: Served, http: httpx.Client) -> None:
    bare = "/m/credit/rollback?alias=production&plan=1"
    warning = "Version 6 was rolled back from on"
    assert "Every version on which production stood before was rolled back from" in http.get(bare).text
    named = http.get(f"{bare}&to=6").text
    assert warning in named
    assert "complaints" in named
    assert warning in http.get("/m/credit/aliases/production?to=6").text

    server.manager.alias("production", "credit@5", reason="another")
    assert form(http.get(bare).text, "/m/credit/rollback")["to"] == "4"
    server.manager.rollback("credit@4", alias="production", reason="no better")
    server.manager.clear("credit@6", reason="the alarm was false")
    assert form(http.get(bare).text, "/m/credit/rollback")["to"] == "6"
    assert warning not in http.get(f"{bare}&to=6").text


def test_a_plan_shows_the_figures_that_decide_and_folds_the_rest(server: Served, http: httpx.Client) -> None:
    manager = server.manager
    tensors, rows = manager.load_tensors("credit@1"), {"digest": f"blake3:{'e' * 64}", "rows": 9}
    for step in (1, 2):
        figures = {f"figure-{number}": 1.0 + step * number for number in range(12)}
        manager.save_version(
            {name: step * each for name, each in tensors.items()}, name="many", metrics=figures, validation=rows
        )
        manager.alias("live", f"many@{step}")
    plan = http.get("/m/many/rollback?alias=live&plan=1").text

    shown, _, folded = plan.partition("more metrics</summary>")
    assert shown.count("figure-") == 5
    assert folded.count("figure-") == 6


def test_a_form_that_is_sent_twice_acts_once(server: Served, http: httpx.Client) -> None:
    path = "/m/credit/aliases/production"
    back = {**form(http.get(path).text, path), "to": "6", "reason": "again"}
    http.post(path, data=back)
    end = server.manager.position()

    assert http.post(path, data=back).status_code == 200
    assert server.manager.position() == end


def test_a_name_that_was_moved_meanwhile_is_left_where_it_is(server: Served, http: httpx.Client) -> None:
    path = "/m/credit/aliases/production"
    shown = form(http.get(path).text, path, -1)
    server.manager.alias("production", "credit@2")
    refused = http.post(path, data={**shown, "to": "1", "reason": "late"})

    assert refused.status_code == 409
    assert 'role="alert"' in refused.text
    assert int(server.manager.aliases(model="credit")["production"]) == 2


def test_a_rollback_is_planned_and_then_confirmed(server: Served, http: httpx.Client) -> None:
    page = http.get("/m/credit/rollback?alias=production&plan=1&to=6")
    assert "2. What would change" in page.text
    done = http.post("/m/credit/rollback", data={**form(page.text, "/m/credit/rollback"), "reason": "it was right"})

    assert done.url.path == "/m/credit/aliases/production"
    assert "rolled back from version 4 to version 6" in done.text
    assert int(server.manager.aliases(model="credit")["production"]) == 6


def test_a_branch_goes_back_too(server: Served, http: httpx.Client) -> None:
    page = http.get("/m/credit/rollback?branch=experiment&to=7")
    done = http.post("/m/credit/rollback", data=form(page.text, "/m/credit/rollback"))

    assert done.status_code == 200
    assert int(server.manager.branches("credit")["experiment"]) == 7


def test_a_rollback_of_what_was_moved_meanwhile_does_nothing(server: Served, http: httpx.Client) -> None:
    page = http.get("/m/credit/rollback?alias=production&plan=1&to=6")
    server.manager.alias("production", "credit@1")
    refused = http.post("/m/credit/rollback", data=form(page.text, "/m/credit/rollback"))

    assert refused.status_code == 409
    assert int(server.manager.aliases(model="credit")["production"]) == 1


def test_a_target_that_is_none_is_told_beside_what_was_typed(http: httpx.Client) -> None:
    page = http.get("/m/credit/rollback?alias=production&to=99")

    assert page.status_code == 200
    assert 'value="99"' in page.text
    assert 'role="alert"' in page.text


def test_a_new_name_is_put_on_a_version(server: Served, http: httpx.Client) -> None:
    shown = form(http.get("/m/credit/names").text, "/m/credit/names")
    for kind in ("alias", "tag", "branch"):
        done = http.post("/m/credit/names", data={**shown, "key": "", "kind": kind, "name": f"new-{kind}", "to": "2"})
        assert done.status_code == 200, done.text
    assert int(server.manager.aliases(model="credit")["new-alias"]) == 2
    assert int(server.manager.tags("credit")["new-tag"]) == 2
    assert int(server.manager.branches("credit")["new-branch"]) == 2


@pytest.mark.parametrize(
    ("path", "said", "status"),
    [
        ("/m/credit/aliases/production", {"to": "1"}, 400),
        ("/m/credit/aliases/production", {"to": "", "expected": "1"}, 400),
        ("/m/credit/aliases/production", {"to": "99", "expected": "1"}, 404),
        ("/m/credit/aliases/production", {"to": "1", "expected": "x"}, 400),
        ("/m/credit/aliases/production", {"to": "1", "expected": "9" * 40}, 400),
        ("/m/nobody/aliases/production", {"to": "1", "expected": "0"}, 404),
        ("/m/credit/names", {"kind": "alias", "name": "", "to": "1"}, 400),
        ("/m/credit/names", {"kind": "king", "name": "x", "to": "1"}, 400),
        ("/m/credit/names", {"kind": "tag", "name": "a b", "to": "1"}, 400),
        ("/m/credit/names", {"kind": "tag", "name": "v1.0", "to": "1"}, 409),
        ("/m/credit/names", {"kind": "alias", "name": "production", "to": "1"}, 409),
        ("/m/credit/rollback", {"expected": "1"}, 400),
        ("/m/credit/rollback", {"alias": "production", "branch": "main", "to": "1", "expected": "1"}, 400),
        ("/m/credit/rollback", {"branch": "main", "to": "99", "expected": "1"}, 404),
        ("/m/credit/rollback", {"branch": "main", "to": "1"}, 400),
    ],
)
def test_bad_input_changes_nothing(unmoved: Served, path: str, said: dict[str, str], status: int) -> None:
    end = unmoved.manager.position()
    answer = httpx.post(unmoved.url + path, data=said)

    assert answer.status_code == status, answer.text
    assert 'role="alert"' in answer.text
    assert unmoved.manager.position() == end
