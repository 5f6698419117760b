"""The client of a server: whom it believes and tells its token, what it says of strangers, and what it keeps here."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from lepton_ai import ModelManager, PendingVersion, Refused, Stale, Unavailable
from lepton_ai.errors import LeptonError, Malformed

from ..servers import free_port
from ..web.server import served

SECRET = "a-secret-of-a-token-0123456789"


@pytest.fixture(autouse=True)
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LEPTON_SPOOL", str(tmp_path / "spool"))
    monkeypatch.setenv("LEPTON_WAIT", "1")
    monkeypatch.setenv("LEPTON_LANG", "en")
    return tmp_path / "spool"


@contextmanager
def stranger(status: int, body: bytes = b"", **headers: str) -> Iterator[tuple[str, list[str]]]:
    """A server that is none of Lepton's: its address, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *_: object) -> None:
            del format

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    "address",
    ["https://", "https://user:pw@host", "https://host?x=1", "https://host:0", "https://host/a b", "http://[::1", "https://host#x"],
)  # fmt: skip
def test_what_is_no_address_of_a_server_is_refused(address: str) -> None:
    with pytest.raises(Malformed) as refused:
        ModelManager(address)
    assert "pw" not in str(refused.value)


def test_a_token_is_sent_unencrypted_to_this_machine_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEPTON_TOKEN", SECRET)

    with pytest.raises(Refused, match=r"would be sent to http:.* unencrypted"):
        ModelManager("http://ledger.example")
    for address in ("http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "https://ledger.example"):
        ModelManager(address).close()


def test_a_token_is_shown_nowhere(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, spool: Path
) -> None:
    monkeypatch.setenv("LEPTON_TOKEN", SECRET)
    caplog.set_level(logging.DEBUG)
    with ModelManager(f"http://127.0.0.1:{free_port()}") as manager:
        with pytest.raises(Unavailable) as away:
            manager.models()
        assert isinstance(manager.save_version({"w": np.zeros(3)}, name="net"), PendingVersion)
        shown = [repr(manager.place), str(away.value), pickle.dumps(manager), caplog.text]
    shown += [path.read_bytes() for path in spool.rglob("*") if path.is_file()]

    assert not [each for each in shown if SECRET in (each if isinstance(each, str) else each.decode("latin-1"))]


def test_a_token_is_shown_and_its_owner_acts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(tmp_path / "home") as server:
        secret = server.token("read", "write", owner="bea")
        with ModelManager(server.url) as nobody, pytest.raises(Refused, match="LEPTON_TOKEN"):
            nobody.models()
        monkeypatch.setenv("LEPTON_TOKEN", secret)
        with ModelManager(server.url) as manager:
            version = manager.save_version({"w": np.zeros(3)}, name="net")
            assert manager.show(version).actor == "bea"
            with pytest.raises(Refused, match="move"):
                manager.alias("production", version)


def test_a_redirect_is_not_followed() -> None:
    with (
        stranger(200, b"[]") as (elsewhere, asked),
        stranger(307, Location=elsewhere) as (url, _),
        ModelManager(url) as manager,
        pytest.raises(Refused, match="sends on to another address"),
    ):
        manager.models()
    assert asked == []


@pytest.mark.parametrize(
    ("status", "kind"), [(404, Refused), (403, Refused), (500, Unavailable), (502, Unavailable), (503, Unavailable)]
)
def test_what_is_no_answer_of_leptons_is_told_as_that(status: int, kind: type[LeptonError]) -> None:
    with stranger(status, b"<html>") as (url, _), ModelManager(url) as manager, pytest.raises(kind):
        manager.models()


def test_an_answer_that_is_no_json_is_refused() -> None:
    with (
        stranger(200, b"<html>") as (url, _),
        ModelManager(url) as manager,
        pytest.raises(Refused, match="is no JSON"),
    ):
        manager.models()


def test_who_acts_is_not_said_here() -> None:
    with pytest.raises(Refused, match="who acts is the owner of the token"):
        ModelManager("https://ledger.example", actor="ada")


def test_on_windows_no_home_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    with pytest.raises(Refused, match="on Windows a ledger is used through its server"):
        ModelManager(tmp_path)
    ModelManager("https://ledger.example").close()


def test_a_strict_manager_spools_nothing(spool: Path) -> None:
    with ModelManager(f"http://127.0.0.1:{free_port()}", strict=True) as manager:
        with pytest.raises(Unavailable) as away:
            manager.save_version({"w": np.zeros(3)}, name="net", key="mine")
        assert away.value.key == "mine"
    assert not spool.exists()


def test_what_a_server_refuses_is_kept_here_and_adopted(tmp_path: Path) -> None:
    with served(tmp_path / "home") as server, ModelManager(server.url) as manager:
        first = manager.save_version({"w": np.zeros(3)}, name="net")
        manager.save_version({"w": np.ones(3)}, name="net")
        with pytest.raises(Stale) as stale:
            manager.save_version({"w": np.full(3, 2.0)}, name="net", parents=[first], expected=first)
        kept = manager.kept()
        assert [each.name for each in kept] == [stale.value.kept]
        assert manager.load_kept(kept[0].name)["w"].tolist() == [2.0] * 3

        adopted = manager.adopt(kept[0].name)

        assert (int(adopted), manager.load_arrays(adopted)["w"].tolist()) == (3, [2.0] * 3)
        assert list(manager.kept()) == []
