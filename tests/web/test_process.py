"""`lepton serve` as a process: it answers, and leaves in good order when it is told to stop."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import numpy as np

from lepton_ai import ModelManager

from ..asking import PATIENCE
from ..faults.serving import prepared, stopped_while_locked

MAIN = "from lepton_ai.cli import main; main()"


def test_sigterm_ends_the_server_with_a_stream_open(home: Path) -> None:
    with ModelManager(home) as manager:
        manager.save_version({"weight": np.zeros(2, dtype=np.float32)}, name="net")
    command = [sys.executable, "-c", MAIN, "serve", "--port", "0", "--home", str(home)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LEPTON")}
    server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        said = next(line for line in server.stderr if "serving" in line)
        url = re.search(r"http://\S+", said)
        assert url is not None
        events = f"{url[0]}/api/v1/events"
        with httpx.stream("GET", events, headers={"Accept": "text/event-stream"}, timeout=PATIENCE) as stream:
            assert next(stream.iter_lines()).startswith("retry")
            server.send_signal(signal.SIGTERM)
            assert server.wait(PATIENCE) == 0
    finally:
        server.kill()
        server.wait()


def test_sigterm_ends_it_whatever_is_under_way(tmp_path: Path) -> None:
    server = prepared(tmp_path / "home")
    try:
        print(f"it ended within {stopped_while_locked(server):.2f} s")
    finally:
        server.kill()
