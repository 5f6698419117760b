"""The model library at every door: the same cards in process, on the command line, over HTTP and on its pages."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest

from lepton_ai import ModelManager
from lepton_ai.domain.access.rights import Rights
from lepton_ai.errors import Forbidden, UnknownRevision
from lepton_ai.models.registry import OWN

from ..asking import PATIENCE
from ..cli_home import Cli
from ..programs.forest import registered_forest
from .server import Served, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("library")) as server:
        yield server


@pytest.fixture(autouse=True)
def forest() -> Iterator[type]:
    """A user's own class, which the server has too: it is this process."""
    with registered_forest() as forest:
        yield forest


@pytest.fixture
def http(server: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=PATIENCE, headers={"Accept-Language": "en"}) as client:
        yield client


def test_a_server_tells_the_same_as_the_manager_in_process(server: Served) -> None:
    with ModelManager(server.url) as remote:
        assert remote.library() == server.manager.library()
        assert remote.library("own/forest") == server.manager.library("own/forest")
        assert str(remote.library()) == str(server.manager.library())
        with pytest.raises(UnknownRevision, match=r"did you mean table-model or text-model\?"):
            remote.library("tabel-model")


def test_the_api_and_the_pages_beside_tell_the_same_json(server: Served, http: httpx.Client) -> None:
    whole = http.get("/api/v1/library").json()

    assert [each["name"] for each in whole["library"]][: len(OWN)] == [*OWN]
    assert http.get("/library.json").json() == whole
    for each in whole["library"]:
        name = each["name"].replace("/", "%2F")
        assert http.get(f"/api/v1/library/{name}").json() == each == http.get(f"/library/{name}.json").json()
    missing = http.get("/api/v1/library/tabel-model")
    assert (missing.status_code, missing.json()["title"]) == (404, http.get("/api/v1/models/none").json()["title"])


def test_the_command_needs_no_ledger_and_says_what_the_card_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forest: type
) -> None:
    monkeypatch.chdir(tmp_path)
    cli = Cli(tmp_path / "home")

    listed, shown, in_json = cli("library"), cli("library own/forest"), cli("library text-model --json").json

    assert all(name in listed.out for name in OWN)
    assert f"own/forest  {forest.__module__}" in shown.out
    assert re.search(r"depth +3 +a whole number from 1 to 9 +from 1 to 9", shown.out)
    assert re.search(r"rate +required +a number", shown.out)
    assert "not_there_at_all, of which not_there_at_all are not installed" in shown.out
    assert [each["name"] for each in in_json["library"]] == ["text-model"]
    assert "语言" in cli("library text-model", LEPTON_LANG="zh").out
    refused = cli("library forrest")
    assert (refused.code, refused.out) == (1, "")
    assert "there is no 'forrest' in the model library; did you mean own/forest?" in refused.err
    assert list(tmp_path.iterdir()) == []


def test_a_page_has_the_card_and_leads_to_the_form(http: httpx.Client) -> None:
    cards, card = http.get("/library").text, http.get("/library/table-model").text

    assert re.findall(r'<h2><a href="/library/([^"]+)"', cards)[: len(OWN)] == [*OWN]
    assert 'href="/library/own%2Fforest"' in cards
    assert "not_there_at_all" in cards
    assert '<a href="https://arxiv.org/abs/2410.24210">' in card
    assert "from 32 to 512, logarithmic" in card
    (form,) = re.findall(r'class="button" href="([^"]+)"', card)
    assert "<h1>New job</h1>" in http.get(unescape(form)).text
    assert 'value="table-model"' in http.get(unescape(form)).text
    assert 'href="/library/table-model"' in http.get(unescape(form)).text
    assert 'href="/library"' in http.get("/jobs").text


def test_a_page_speaks_chinese(http: httpx.Client) -> None:
    card = http.get("/library/table-model", headers={"Accept-Language": "zh"}).text

    assert "<h1>table-model</h1>" in card
    assert "擅长" in card
    assert not re.search(r"<d[dt]>[^<]*[a-z]{2,} [a-z]{2,} [a-z]{2,}", card)


def test_an_extra_that_the_server_lacks_is_told_on_the_page(
    http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tabm", None)

    told = "the extra build, not installed: `pip install 'lepton-ai-sdk[build]'`"
    assert told in unescape(http.get("/library").text)
    assert told in unescape(http.get("/library/table-model").text)


def test_what_is_not_there_is_told_on_a_page_with_the_near_names(http: httpx.Client) -> None:
    answer = http.get("/library/tabel-model")

    assert answer.status_code == 404
    assert "did you mean table-model or text-model?" in unescape(answer.text)


def test_who_may_read_reads_it_and_is_offered_no_training(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        reader, asker = server.token("read", owner="ron"), server.token("sql", owner="sue")
        with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {reader}"}) as ron:
            assert ron.get("/library/text-model").status_code == 200
            assert "/jobs/new" not in ron.get("/library/text-model").text
        with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {asker}"}) as sue:
            assert sue.get("/library").status_code == sue.get("/api/v1/library").status_code == 403
        with pytest.raises(Forbidden):
            server.manager.acting("sue", Rights(frozenset(("sql",)))).library()
