"""`lepton serve` as a process of its own, on a port that it keeps: killed, stopped and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from ..asking import PATIENCE
from ..servers import free_port

MAIN: Final = "from lepton_ai.cli import main; main()"
_LOOKS: Final = 0.02


@dataclass
class ServerProcess:
    """A server of a home, which is killed and comes back at the same address."""

    home: Path
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    port: int = field(default_factory=free_port)
    lives: int = 0
    running: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def complaints(self) -> Path:
        """What it wrote of itself, in all its lives."""
        return self.home.with_name(f"{self.home.name}-{self.port}.log")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.spawn()
        self.ready()

    def spawn(self) -> None:
        """Start it."""
        self.lives += 1
        known = {name: value for name, value in os.environ.items() if not name.startswith("LEPTON")}
        command = [sys.executable, "-c", MAIN, "serve", "--port", str(self.port), "--home", str(self.home)]
        environment = known | {"LEPTON_LANG": "en"} | dict(self.environment)
        with self.complaints.open("ab") as log:
            self.running = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def ready(self) -> None:
        """Wait until it answers."""
        assert self.running is not None
        deadline = time.monotonic() + PATIENCE
        with httpx.Client(timeout=PATIENCE) as client:
            while time.monotonic() < deadline:
                assert self.running.poll() is None, self.complaints.read_text()[-2000:]
                with suppress(httpx.TransportError):
                    client.get(f"{self.url}/healthz")
                    return
                time.sleep(_LOOKS)
        raise AssertionError(f"the server never answered: {self.complaints.read_text()[-2000:]}")

    def kill(self) -> None:
        """kill -9, where it runs."""
        if self.running is not None:
            self.running.kill()
            self.running.wait()
            self.running = None

    def stop(self, by: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Ask it to stop: its exit code, and the seconds that it took."""
        assert self.running is not None
        begun = time.monotonic()
        self.running.send_signal(by)
        code = self.running.wait(PATIENCE)
        self.running = None
        return code, time.monotonic() - begun

    def client(self, **options: Any) -> httpx.Client:
        """A client of its API."""
        return httpx.Client(base_url=f"{self.url}/api/v1", **{"timeout": PATIENCE, **options})
