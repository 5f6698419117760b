"""Bad input for every page and act: nothing changes, the reason is told, and what was typed is still in the form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import httpx
import pytest

from lepton_ai.domain.commands import CreateTag
from lepton_ai.ledger import Request

from ...asking import commit
from ..server import Served, served
from .story import HOSTILE, JOB, RUN, open_to_its_user

HTML: Final = {"Accept": "text/html", "Accept-Language": "en"}
BAD: Final = ("nul\0nul", "bidi\u202edib", "../../etc/passwd", "x" * 3000, HOSTILE, "名字 -1", "%00%ff")
NO_NAMES: Final = ("a\0", "", "a\u202eb", "a" * 3000)
CHOSEN: Final = frozenset({"kind", "alias", "branch", "data", "scope-read", "expected", "epoch", "status"})
"""Fields that are chosen, not typed."""
NAMES, ALIAS, ROLLBACK = "/m/credit/names", "/m/credit/aliases/production", "/m/credit/rollback"
NOTE, CANCEL, TOKENS = "/m/credit/v/1", f"/jobs/{JOB}/cancel", "/tokens"
TYPED: Final[list[tuple[str, dict[str, str]]]] = [
    *((NAMES, {"kind": "tag", "name": "fresh", "to": bad, "reason": HOSTILE}) for bad in BAD),
    *((NAMES, {"kind": "alias", "name": bad, "to": "1", "reason": HOSTILE}) for bad in NO_NAMES),
    (NAMES, {"kind": "throne", "name": "fresh", "to": "1"}),
    (NAMES, {"kind": "alias", "name": "production", "to": "1", "reason": "it stands there already"}),
    *((ALIAS, {"to": bad, "reason": HOSTILE, "expected": "1"}) for bad in (*BAD, "", "1")),
    (ALIAS, {"to": "1", "reason": "which move was shown?", "expected": "first"}),
    *((ROLLBACK, {"alias": "production", "to": bad, "reason": HOSTILE, "expected": "1"}) for bad in (*BAD, "1")),
    (ROLLBACK, {"branch": "main", "to": "1", "reason": HOSTILE, "expected": ""}),
    (ROLLBACK, {"branch": "main", "to": "1", "reason": HOSTILE, "expected": "1", "data": "nowhere"}),
    *((NOTE, {"name": bad, "value": HOSTILE}) for bad in ("", "n" * 3000)),
    (CANCEL, {"reason": HOSTILE, "status": "running", "epoch": "0"}),
    (CANCEL, {"reason": HOSTILE}),
    *((TOKENS, {"owner": bad, "models": HOSTILE, "expires": "30d", "scope-read": "on"}) for bad in NO_NAMES),
    *((TOKENS, {"owner": "bea", "models": "credit*", "expires": bad, "scope-read": "on"}) for bad in BAD),
    (TOKENS, {"owner": "bea", "models": "*", "expires": "30d"}),
]  # fmt: skip
ACTS: Final = {
    NAMES: {"kind": "tag", "name": "theirs", "to": "1"},
    ALIAS: {"to": "1", "expected": "1"},
    ROLLBACK: {"alias": "production", "to": "1", "expected": "1"},
    NOTE: {"name": "theirs", "value": "1"},
    CANCEL: {"status": "pending", "epoch": "0"},
    TOKENS: {"owner": "eve", "scope-admin": "on"},
    f"/tokens/{JOB}/revoke": {"reason": "theirs"},
}
ASKED: Final = [
    "/?after=", "/?at=", "/?find=", "/m/credit?at=", "/m/credit/log?rev=", "/m/credit/log?before=",
    "/m/credit/names?at=", "/m/credit/names?find=",
    f"{ALIAS}?before=", f"{ALIAS}?done=", f"{ROLLBACK}?to=", f"{ROLLBACK}?alias=", f"{ROLLBACK}?data=",
    "/m/credit/v/4/tensors?with=", "/m/credit/v/4/tensors?by=", "/m/credit/diff/", "/m/credit/compare?v=",
    "/m/credit/compare?v=1&v=2&cols=", "/m/", "/m/credit/v/", "/jobs?state=", "/jobs?before=", "/jobs/", "/runs?model=",
    f"/runs/{RUN}?metric=", "/events?type=", "/events?from=", "/events/", "/search?where=", "/sql?query=",
    "/login?next=", "/language?to=en&next=", "/language?to=", "/static/", "/live?after=",
]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with open_to_its_user(tmp_path_factory.mktemp("bad")) as server:
        yield server


@pytest.fixture
def http(server: Served) -> Iterator[httpx.Client]:
    """A browser; when it has gone, the log is as it was."""
    end = server.manager.position()
    with httpx.Client(base_url=server.url, headers=HTML, timeout=60) as client:
        yield client
    assert server.manager.position() == end


@pytest.mark.parametrize(("path", "said"), TYPED, ids=lambda each: str(each)[:60].encode("ascii", "replace").decode())
def test_a_refused_form_comes_back_with_the_reason_and_what_was_typed(
    http: httpx.Client, path: str, said: dict[str, str]
) -> None:
    answer = http.post(path, data=said)
    page = unescape(answer.text)

    assert 400 <= answer.status_code < 500
    assert 'role="alert"' in page
    assert HOSTILE not in answer.text
    typed = {name: said[name] for name in said if name not in CHOSEN}
    assert [name for name, value in typed.items() if f'value="{value}"' not in page and f"\n{value}<" not in page] == []


@pytest.mark.parametrize("path", ACTS)
def test_no_act_is_done_for_another_site_under_another_name_or_by_a_form_that_is_none(
    http: httpx.Client, path: str
) -> None:
    said: Any = ACTS[path]
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    twice = urlencode([*said.items(), *said.items()])
    for status, headers, content in (
        (403, {"Origin": "https://evil.example"}, urlencode(said)),
        (403, {"Sec-Fetch-Site": "cross-site"}, urlencode(said)),
        (421, {"Host": "evil.example"}, urlencode(said)),
        (400, {}, twice),
        (400, {}, "name=%ff&to=%fe"),
        (415, {"Content-Type": "text/plain"}, urlencode(said)),
        (415, {"Content-Type": "application/json"}, "{}"),
        (413, {}, "reason=" + "x" * (1 << 20)),
    ):
        assert http.post(path, content=content, headers={**form, **headers}).status_code == status
    assert http.post(f"{path}?at=5", data=said).status_code == 400


@pytest.mark.parametrize("asked", ASKED)
def test_a_page_that_is_asked_for_badly_says_so(http: httpx.Client, asked: str) -> None:
    for bad in (*BAD, "", "-1", "9" * 30):
        answer = http.get(asked + urlencode({"": bad})[1:])
        assert answer.status_code < 500, (bad, answer.text)
        assert "Traceback" not in answer.text
        assert HOSTILE not in answer.text
        assert "evil" not in answer.headers.get("location", "")


def test_a_thousand_models_and_names_are_a_page_at_a_time_and_can_be_looked_for(home: Path) -> None:
    with served(home) as server, httpx.Client(base_url=server.url, headers=HTML, timeout=60) as http:
        ledger, actor = server.manager._workspace.ledger, server.manager._workspace.actors.named("ada")
        models = [commit(number, model=f"model-{number:03}") for number in range(120)]
        tags = [CreateTag(model="model-000", tag=f"t{number:03}", version=1) for number in range(210)]
        ledger.admit_all(Request(each, actor) for each in (*models, *tags))
        first = http.get("/")
        more = re.search(r'rel="next" href="([^"]+)"', first.text)
        assert first.text.count('<tr role="row" data-key') == 50
        assert more is not None
        assert http.get(unescape(more[1])).text.count('<tr role="row" data-key') == 50
        assert http.get("/?find=EL-11").text.count('<tr role="row" data-key') == 10
        assert http.get("/models.json?find=el-007").json()["models"][0]["model"] == "model-007"
        names = http.get("/m/model-000/names").text
        assert (names.count('<tr role="row" data-key'), "10 more" in names) == (201, True)
        assert http.get("/m/model-000/names?find=t20").text.count('<tr role="row" data-key') == 10


def test_fields_that_no_form_has_change_nothing_of_what_is_done(server: Served) -> None:
    last = server.manager.aliases(model="credit").last_moves["production"]
    said = {"to": "4", "expected": str(last), "actor": "eve", "model": "other.json", "at": "1", "lang": "xx"}
    httpx.post(f"{server.url}{ALIAS}", data={**said, "to": "2"}, headers=HTML)
    (move, *_) = server.manager.moves("production", "alias", model="credit")

    assert (int(move.version or 0), move.actor) == (2, server.service.user)
