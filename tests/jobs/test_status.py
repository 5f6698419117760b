"""`status` beside what is away: it tells the rest within seconds, says what it does not know, and exits with 3."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lepton_ai import ModelManager

from ..cli_home import Cli
from ..servers import free_port


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    with ModelManager(tmp_path / "home") as manager:
        manager.save_version({"w": np.ones(3)}, name="net")
    return Cli(tmp_path / "home")


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that takes connections and says nothing, as a frozen one does."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("address", ["127.0.0.1:{dead}", "127.0.0.1:{silent}", "kafka+ssl://127.0.0.1:{silent}"])
def test_without_kafka_the_rest_is_told(address: str, cli: Cli, silent: int) -> None:
    servers = address.format(dead=free_port(), silent=silent)

    ended, shown = cli("status --json", LEPTON_KAFKA=servers), cli("status", LEPTON_KAFKA=servers)

    assert (ended.code, shown.code, ended.err) == (3, 3, "")
    assert (ended.json["events"], ended.json["kafka"], ended.json["jobs"]["workers"]) == (cli.end(), None, 0)
    assert [*ended.json["unknown"]] == ["kafka"]
    assert f"does not answer ({'KafkaConnectionError' if 'dead' in address else 'TimeoutError'})" in shown.out
    assert "unknown: Kafka at 127.0.0.1:" in shown.out


@pytest.mark.parametrize("answers", [False, True], ids=["refused", "silent"])
def test_without_the_database_home_and_spool_are_told(answers: bool, cli: Cli, silent: int) -> None:
    pytest.importorskip("psycopg")
    url = f"postgresql://lepton:secret@127.0.0.1:{silent if answers else free_port()}/x"

    ended, shown = cli("status --json", LEPTON_DATABASE=url), cli("status", LEPTON_DATABASE=url)

    assert (ended.code, shown.code) == (3, 3)
    told = ended.json
    assert (told["events"], told["root"], told["jobs"], told["rejected"]) == (None, None, None, None)
    assert (told["spool"], told["home"]["folder"]) == ({"waiting": 0, "aside": 0}, str(cli.home))
    assert "database" in told["unknown"]
    assert "secret" not in ended.out + shown.out
    assert "views     unknown while the database is away" in shown.out
    assert cli("status").code == 0
