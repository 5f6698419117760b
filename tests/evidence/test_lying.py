"""Servers that lie: what they say of their log is proved under one head, or refused."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from lepton_ai import ModelManager
from lepton_ai.errors import Malformed, NotAsSigned
from lepton_ai.evidence.head import TreeHead, unsigned
from lepton_ai.evidence.keys import make_key
from lepton_ai.versions.evidence.heads import head_of

from ..web.server import Served, served

Lie = Callable[[str, bytes], tuple[str, bytes]]
"""What becomes of an address and a body; an address with a host goes to that server."""


@contextmanager
def lying(honest: Served, lie: Lie) -> Iterator[ModelManager]:
    """A client of a server that answers other requests than are sent to it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path, body = lie(self.path, self.rfile.read(int(self.headers.get("content-length") or 0)))
            address = urlsplit(path if "://" in path else f"{honest.url}{path}")
            kept = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "content-length", "connection")}
            connection = HTTPConnection(address.netloc)
            connection.request(self.command, f"{address.path}?{address.query}", body or None, kept)
            answer = connection.getresponse()
            told = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)
            connection.close()

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with ModelManager(f"http://127.0.0.1:{server.server_port}") as manager:
            yield manager
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with ModelManager(tmp_path / "home", actor="ada") as manager:
        for n in range(3):
            manager.save_version({"w": np.full(1, n)}, name="credit")
        manager.alias("production", "credit@2")
        manager.alias("staging", "credit@1")
    return tmp_path / "home"


def test_no_head_is_signed_of_a_log_that_forks_from_the_kept_one(home: Path, tmp_path: Path) -> None:
    key = make_key(tmp_path / "key", "example.org/ledger")
    shutil.copytree(home, tmp_path / "fork")
    with ModelManager(home, actor="ada") as manager:
        manager.alias("production", "credit@3")
        manager.sign_head(tmp_path / "kept", key_file=tmp_path / "key")
        kept = (tmp_path / "kept").read_text()
    with ModelManager(tmp_path / "fork", actor="ada") as manager:
        manager.alias("production", "credit@1")
        manager.alias("staging", "credit@2")
    with served(home) as honest, served(tmp_path / "fork") as fork:

        def tell(path: str, body: bytes) -> tuple[str, bytes]:
            return (f"{fork.url}{path}" if urlsplit(path).path.endswith("/head") else path), body

        with lying(honest, tell) as remote, pytest.raises((NotAsSigned, Malformed)):
            remote.sign_head(tmp_path / "kept", key_file=tmp_path / "key")
        with lying(honest, tell) as remote, pytest.raises((NotAsSigned, Malformed)):
            remote.verify(against=tmp_path / "kept", key=str(key))
        with ModelManager(fork.url) as remote, pytest.raises(NotAsSigned):
            remote.sign_head(tmp_path / "kept", key_file=tmp_path / "key")
    assert (tmp_path / "kept").read_text() == kept


def test_every_head_is_held_and_not_the_last_alone(home: Path, tmp_path: Path) -> None:
    with served(home) as honest:
        head = head_of(honest.manager._workspace)
        wrong = unsigned(TreeHead(head.ledger, 5, b"\x07" * 32, None))
        other = unsigned(TreeHead(head.ledger, head.size, b"\x07" * 32, None))
        for file, notes in (("small", [wrong, unsigned(head)]), ("two", [unsigned(head), other])):
            (tmp_path / file).write_text("\n".join(f"{each.note}— w AAAAAAA=\n" for each in notes))

        def tell(path: str, body: bytes) -> tuple[str, bytes]:
            if path.endswith("/verify") and body:
                body = json.dumps({"heads": str(unsigned(head).note)}).encode()
            return path, body

        with lying(honest, tell) as remote:
            with pytest.raises(NotAsSigned, match="history from event 1 to 5 is not what was signed"):
                remote.verify(against=tmp_path / "small")
            with pytest.raises(NotAsSigned, match=f"one of two heads of {head.size} events is not what was signed"):
                remote.verify(against=tmp_path / "two")


@pytest.mark.parametrize(
    ("what", "instead"),
    [("2", "1"), ("credit@production", "credit@staging"), ("credit@3", "credit@2"), ("credit@production", "4")],
)
def test_a_sound_proof_of_another_event_is_refused(home: Path, what: str, instead: str) -> None:
    def tell(path: str, body: bytes) -> tuple[str, bytes]:
        return path.replace(f"/proofs/{what.replace('@', '%40')}", f"/proofs/{instead}"), body

    with served(home) as honest:
        with lying(honest, tell) as remote, pytest.raises(Malformed, match="and gave that of event"):
            remote.prove(what)
        with ModelManager(honest.url) as remote:
            assert remote.prove(what).event is not None
