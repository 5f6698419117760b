"""Witnesses: signed heads sent to a file, a URL or Kafka by the process that keeps the views, whatever fails there."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from lepton_ai import ModelManager, settings
from lepton_ai.events.kafka.clients import Reader
from lepton_ai.events.kafka.cluster import Cluster
from lepton_ai.evidence.head import heads_in
from lepton_ai.evidence.keys import make_key
from lepton_ai.evidence.note import keys_of
from lepton_ai.wiring import Home

from ..asking import until
from ..cli_home import Cli
from .rewriting import cut

MAIN = "from lepton_ai.cli import main; main()"


@pytest.fixture
def vkey(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The verifier key of a ledger whose settings name the key that signs."""
    with ModelManager(home) as manager:
        manager.save_version({"w": np.ones(1)}, name="net")
    monkeypatch.setenv("LEPTON_SIGNING_KEY", str(tmp_path / "key"))
    return str(make_key(tmp_path / "key", "example.org/ledger"))


@contextmanager
def following(home: Path) -> Iterator[None]:
    """The views kept up, as `lepton projector` and `lepton serve` do it."""
    with closing(Home(settings.load(home))) as parts, parts.follower():
        yield


def sizes(file: Path, vkey: str) -> list[int]:
    written = file.exists() and file.stat().st_size  # it is made before its first head is in it
    return [known.head.size for known in heads_in(file, keys_of(vkey))] if written else []


def test_heads_are_appended_to_a_file_at_once_and_at_every_term(
    home: Path, tmp_path: Path, vkey: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEPTON_WITNESS", str(tmp_path / "heads"))
    monkeypatch.setenv("LEPTON_TERM_WITNESS", "0.01")
    with ModelManager(home) as manager:
        end = manager.position()
        with following(home):
            until(lambda: len(sizes(tmp_path / "heads", vkey)) >= 3)
            manager.tag("v1", "net@1")
            until(lambda: sizes(tmp_path / "heads", vkey)[-1] > end)
        assert manager.verify(against=tmp_path / "heads", key=vkey).against is not None


def test_a_log_that_was_cut_short_is_not_signed_over(
    home: Path, tmp_path: Path, vkey: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LEPTON_WITNESS", (tmp_path / "heads").as_uri())
    with ModelManager(home) as manager:
        manager.tag("v1", "net@1")
        with following(home):
            until(lambda: len(sizes(tmp_path / "heads", vkey)) == 1)
        end = manager.position()
    cut(home / "main.db", end - 1)

    with caplog.at_level(logging.WARNING, "lepton"), following(home):
        until(lambda: "the log is not what was signed" in caplog.text)
    assert sizes(tmp_path / "heads", vkey) == [end]


class Taker(BaseHTTPRequestHandler):
    """Refuses the first head that is posted, and takes those after it."""

    posted: list[bytes]

    def do_POST(self) -> None:
        self.posted.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(503 if len(self.posted) == 1 else 204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def test_a_url_that_refuses_a_head_is_told_again_and_holds_nobody_up(
    home: Path, tmp_path: Path, vkey: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    Taker.posted = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Taker) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://me:secret@127.0.0.1:{server.server_port}/heads"
        monkeypatch.setenv("LEPTON_WITNESS", f"{url} http://127.0.0.1:9/ {tmp_path / 'heads'}")
        with caplog.at_level(logging.INFO, "lepton"), following(home):
            until(lambda: len(Taker.posted) >= 2)
            until(lambda: sizes(tmp_path / "heads", vkey) != [])
            until(lambda: "ConnectError" in caplog.text)
        server.shutdown()
    (tmp_path / "posted").write_bytes(Taker.posted[-1])

    assert sizes(tmp_path / "posted", vkey) == sizes(tmp_path / "heads", vkey)
    assert "takes no head: it answers 503; it is sent again" in caplog.text
    assert "secret" not in caplog.text


def test_heads_are_put_onto_a_topic_of_kafka(
    home: Path, tmp_path: Path, vkey: str, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEPTON_KAFKA_PREFIX", cluster.prefix)
    monkeypatch.setenv("LEPTON_WITNESS", f"kafka://{cluster.servers[0]}")
    asyncio.run(_made(cluster))

    with following(home):
        until(lambda: asyncio.run(_last(cluster)) is not None)
    (tmp_path / "heads").write_bytes(asyncio.run(_last(cluster)) or b"")

    with ModelManager(home) as manager:
        assert sizes(tmp_path / "heads", vkey) == [manager.position()]


async def _made(cluster: Cluster) -> None:
    from aiokafka.admin import AIOKafkaAdminClient, NewTopic

    admin = AIOKafkaAdminClient(**cluster.client())
    await admin.start()
    await admin.create_topics([NewTopic(cluster.topic("heads"), 1, 1)])
    await admin.close()


async def _last(cluster: Cluster) -> bytes | None:
    async with Reader(cluster, "heads") as reader:
        record = await reader.last()
    return None if record is None else record.value


def test_the_projector_sends_heads_as_a_process(
    home: Path, tmp_path: Path, vkey: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEPTON_WITNESS", str(tmp_path / "heads"))
    process = subprocess.Popen([sys.executable, "-c", MAIN, "projector", "--home", str(home)], stderr=subprocess.PIPE)
    try:
        until(lambda: sizes(tmp_path / "heads", vkey) != [])
        process.terminate()
    finally:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


@pytest.mark.parametrize(
    ("places", "why"),
    [
        ("heads", "names what is no place for heads"),
        ("ftp://host/heads", "names what is no place for heads"),
        ("https://", "names what is no place for heads"),
        ("{home}/heads", "lies in the ledger's home"),
        ("kafka", "no Kafka is set"),
        ("kafka://nowhere", "names no brokers"),
    ],
)
@pytest.mark.parametrize("command", ["projector", "serve --port 0"])
def test_a_witness_that_cannot_be_is_refused_at_the_start(
    home: Path, vkey: str, places: str, why: str, command: str
) -> None:
    ended = Cli(home)(command, LEPTON_WITNESS=places.format(home=home))

    assert (ended.code, ended.out, ended.err.count("\n")) == (1, "", 1)
    assert why in ended.err


def test_without_a_key_nothing_is_sent_and_it_says_so(
    home: Path, tmp_path: Path, vkey: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LEPTON_SIGNING_KEY")

    ended = Cli(home)("projector", LEPTON_WITNESS=str(tmp_path / "heads"))

    assert ended.code == 1
    assert "no key is given to sign with" in ended.err
    assert not (tmp_path / "heads").exists()


def test_a_manager_is_pickled_without_its_witnesses(home: Path, vkey: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEPTON_WITNESS", "https://me:secret@example.org/heads")
    loaded = settings.load(home)

    assert "secret" not in repr(loaded)
    assert settings.portable(loaded).witness == ()
    assert settings.completed(settings.portable(loaded)).witness == loaded.witness
