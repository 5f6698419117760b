"""What strangers and other pages of this machine try on the pages: cheap requests that cost much, names that are not
theirs, words that are to be obeyed."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from lepton_ai.web import rates
from lepton_ai.web.pages.forms import LONGEST

from ..server import Served
from .story import for_holders, open_to_its_user

HTML = {"Accept": "text/html", "Accept-Language": "en"}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that needs no token."""
    with open_to_its_user(tmp_path_factory.mktemp("opened")) as server:
        yield server


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that needs one."""
    with for_holders(tmp_path_factory.mktemp("closed")) as server:
        yield server


def test_a_form_that_is_too_long_is_refused_before_it_is_taken_apart(closed: Served) -> None:
    headers = {**HTML, "Origin": closed.url, "Content-Type": "application/x-www-form-urlencoded"}
    answer = httpx.post(f"{closed.url}/login", content=b"token=" + b"%41" * LONGEST, headers=headers)

    assert answer.status_code == 413


def test_strangers_who_send_nothing_keep_nobody_from_health_and_styles(closed: Served) -> None:
    port = int(closed.url.rpartition(":")[2])
    with ExitStack() as stack:
        for _ in range(105):
            begun = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            begun.sendall(
                f"POST /login HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: {closed.url}\r\n"
                "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\n".encode()
            )
        assert httpx.get(f"{closed.url}/healthz").status_code == 200
        assert httpx.get(f"{closed.url}/login", headers=HTML).status_code == 200
        with httpx.Client(headers={"Authorization": f"Bearer {closed.token('read')}"}) as http:
            assert http.get(f"{closed.url}/api/v1/models").status_code == 200


@pytest.mark.parametrize("path", ["/login", "/", "/m/credit"])
def test_thousands_of_parameters_are_refused(opened: Served, path: str) -> None:
    answer = httpx.get(f"{opened.url}{path}?" + "&".join(f"a{number}" for number in range(5000)), headers=HTML)

    assert answer.status_code == 400


def test_tokens_are_tried_at_the_pages_no_more_often_than_elsewhere(
    closed: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "_MINUTE", 6000.0)
    headers = {**HTML, "Origin": closed.url}
    codes = [
        httpx.post(f"{closed.url}/login", data={"token": f"wrong{number}"}, headers=headers).status_code
        for number in range(closed.service.options.limits.failures + 3)
    ]

    assert codes[0] == 403
    assert codes[-1] == 429


@pytest.mark.parametrize("origin", ["http://localhost:3000", "https://localhost", "null", "http://127.0.0.1:1"])
def test_another_server_of_this_machine_does_nothing_where_no_token_is_needed(opened: Served, origin: str) -> None:
    end = opened.manager.position()
    said = {"kind": "tag", "name": "theirs", "to": "1"}
    answer = httpx.post(f"{opened.url}/m/credit/names", data=said, headers={**HTML, "Origin": origin})

    assert answer.status_code == 403
    assert opened.manager.position() == end


def test_a_cookie_of_another_server_of_this_machine_shuts_nobody_out(opened: Served) -> None:
    assert httpx.get(opened.url, headers={**HTML, "Cookie": "lepton=theirs"}).status_code == 200


def test_an_address_that_begins_as_another_hosts_leads_nowhere_else(opened: Served) -> None:
    with httpx.Client(headers=HTML) as http:
        answer = http.send(httpx.Request("GET", opened.url + "//evil.example/x", headers=HTML))

    assert not re.search(r'(?:href|action)="//', answer.text)


def test_nothing_is_done_in_the_past(opened: Served) -> None:
    end = opened.manager.position()
    said = {"kind": "tag", "name": "late", "to": "1"}
    answer = httpx.post(f"{opened.url}/m/credit/names?at=5", data=said, headers=HTML)

    assert answer.status_code == 400
    assert opened.manager.position() == end


def test_a_note_of_brackets_is_text(opened: Served) -> None:
    words = "[" * 50_000
    answer = httpx.post(f"{opened.url}/m/credit/v/1", data={"name": "deep", "value": words}, headers=HTML)

    assert answer.status_code < 500


def test_files_of_the_servers_folder_are_not_told_from_what_is_not_there(opened: Served) -> None:
    def refusal(name: str) -> str:
        page = httpx.get(f"{opened.url}/m/credit/rollback?alias=production&to=6&data={name}", headers=HTML)
        found = re.search(r'role="alert"[^>]*>(.*?)</p>', page.text, re.DOTALL)
        return "" if found is None else found[1].replace(name, "NAME")

    assert refusal("LICENSE") == refusal("NOWHERE") != ""
