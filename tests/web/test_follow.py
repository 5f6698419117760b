"""examples/follow.mjs: another language reads, moves an alias under If-Match, and follows events over a lost server."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lepton_ai import ModelManager

from ..servers import free_port
from .server import served

SCRIPT = Path(__file__).parents[2] / "examples" / "follow.mjs"


@pytest.fixture
def node() -> str:
    if (found := shutil.which("node")) is None:
        pytest.skip("node is not installed")
    return found


def save(manager: ModelManager, number: int) -> None:
    weights = {"weight": np.full(4, number, dtype=np.float32)}
    manager.save_version(weights, name="credit", message=f"step {number}")


def lines(client: subprocess.Popen[str]) -> Iterator[str]:
    assert client.stdout is not None
    return iter(client.stdout.readline, "")


def test_a_client_in_javascript_reads_moves_an_alias_and_follows_events_beyond_a_restart(node: str, home: Path) -> None:
    port = free_port()
    with served(home, port=port) as server:
        for number in range(1, 4):
            save(server.manager, number)
        server.manager.alias("production", "credit@1")
        command = [node, str(SCRIPT), server.url, "credit", "production", "main~1"]
        environment = {"PATH": os.environ["PATH"]}
        client = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            said = lines(client)
            assert next(said) == "credit has 3 versions; main~1 is 2: step 2\n"
            line = next(said)
            moved = server.manager.position()
            assert line == f"production stands on 2 by event {moved}\n"
            assert next(said).startswith("412: ")
            assert int(server.manager.aliases(model="credit")["production"]) == 2
            save(server.manager, 4)
            seqs = [int(next(said).split()[0])]
            while seqs[-1] < server.manager.position():
                seqs.append(int(next(said).split()[0]))
        except BaseException:
            client.kill()
            raise
    try:
        with ModelManager(home) as manager:
            save(manager, 5)
        with served(home, port=port) as server:
            save(server.manager, 6)
            while seqs[-1] < server.manager.position():
                seqs.append(int(next(said).split()[0]))
    finally:
        client.kill()
        client.wait()

    assert seqs == list(range(moved + 1, seqs[-1] + 1))
