"""A server that is told to stop, killed, or left without its database or objects, with everything under way."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np

from lepton_ai import ModelManager, settings
from lepton_ai.tensors.frames import MEDIA
from lepton_ai.wiring import Home

from ..web.process import PATIENCE, ServerProcess
from ..web.writes import Tensors

TITLE: Final = "a server is stopped, and killed, with streams, uploads and slow requests under way"
STREAMS: Final = 50
UPLOADS: Final = 5
ENDS: Final = 5.0
"""Seconds in which a server ends that is told to."""
SLOW: Final = "SELECT count(*) AS n FROM range(1000000) a, range(1000000) b WHERE a.range + b.range = 7"
SSE: Final = {"Accept": "text/event-stream"}


def suffer(seed: int, say: Callable[[str], None]) -> None:
    """SIGTERM, Ctrl-C, SIGTERM twice, and kill -9, in turn and three times, on one home."""
    del seed
    with tempfile.TemporaryDirectory(prefix="lepton-faults-serving-") as folder:
        server = prepared(Path(folder) / "home")
        try:
            for turn in range(3):
                for name, end in (("SIGTERM", stopped), ("Ctrl-C", interrupted), ("a second SIGTERM", hurried)):
                    with busy(server) as work:
                        seconds = end(server)
                        work.check(by=name)
                    say(f"{turn + 1}: {name}: {seconds:.2f} s")
                    assert seconds < ENDS, f"{name} took {seconds:.1f} s"
                    nothing_left(server.home)
                with busy(server):
                    server.kill()
        finally:
            server.kill()
        server.start()
        assert server.stop()[0] == 0
        nothing_left(server.home)


def prepared(home: Path) -> ServerProcess:
    """A server of a home that has a version, and a job that nobody does."""
    with ModelManager(home) as manager:
        manager.save_version({"w": np.zeros(8, dtype=np.float32)}, name="net")
        manager.add_data("rows", {"a": [0.0, 1.0] * 20}, [0, 1] * 20, keep=True)
        manager.jobs.train("credit-scoring-model", "rows", name="net", pool="nobody", key="waits")
    return ServerProcess(home)


def stopped(server: ServerProcess) -> float:
    """By SIGTERM: the seconds that it took."""
    code, seconds = server.stop(signal.SIGTERM)
    assert code == 0, f"it ended with {code}"
    return seconds


def interrupted(server: ServerProcess) -> float:
    """By Ctrl-C."""
    code, seconds = server.stop(signal.SIGINT)
    assert code in (0, 130), f"it ended with {code}"
    return seconds


def hurried(server: ServerProcess) -> float:
    """By SIGTERM, and by another at once."""
    assert server.running is not None
    running, begun = server.running, time.monotonic()
    server.running = None
    running.send_signal(signal.SIGTERM)
    while running.poll() is None:
        running.send_signal(signal.SIGTERM)
        time.sleep(0.01)
        assert time.monotonic() - begun < PATIENCE
    assert running.returncode in (0, -signal.SIGTERM), running.returncode
    return time.monotonic() - begun


class Busy:
    """What was under way when a server ended."""

    def __init__(self, position: int, home: Path, streams: list[Future[str]], slow: list[Future[Any]]) -> None:
        self._position = position
        self._home = home
        self._streams = streams
        self._slow = slow

    def check(self, by: str) -> None:
        """That streams ended as a whole, slow requests one way or the other, and nothing was recorded."""
        ended = [each.result(PATIENCE) for each in self._streams]
        if by != "a second SIGTERM":
            assert ended == ["whole"] * STREAMS, f"after {by}: {sorted({*ended})}"
        for each in self._slow:
            answer = each.result(PATIENCE)
            assert answer is None or answer.status_code in (200, 499, 503), f"after {by}: {answer.text}"
        with ModelManager(self._home) as manager:
            assert manager.position() == self._position


@contextmanager
def busy(server: ServerProcess) -> Iterator[Busy]:
    """A server with streams, uploads and slow requests under way."""
    server.start()
    with ExitStack() as stack:
        bound = httpx.Limits(max_connections=None)
        http = stack.enter_context(server.client(limits=bound))
        position, job = http.get("/position").json()["seq"], http.get("/jobs").json()["jobs"][0]["job"]
        pool = stack.enter_context(ThreadPoolExecutor(STREAMS + 10))
        begun = [threading.Event() for _ in range(STREAMS)]
        streams = [pool.submit(_followed, http, each) for each in begun]
        for each in begun:
            assert each.wait(PATIENCE)
        wires = [stack.enter_context(_half_sent(server, "/models/net/chunks", MEDIA)) for _ in range(UPLOADS - 1)]
        wires.append(stack.enter_context(_half_sent(server, "/rows", "text/csv")))
        slow = [pool.submit(_asked, http, f"/jobs/{job}?wait=60") for _ in range(2)]
        slow += [pool.submit(_asked, http, f"/position?wait_for={position + 1000}") for _ in range(2)]
        slow.append(pool.submit(_asked, http, f"/sql?timeout=60&query={SLOW}"))
        _under_way(server)
        yield Busy(position, server.home, streams, slow)


def nothing_left(home: Path) -> None:
    """That nothing half done lies in a home, and its projector's lock is free."""
    half = [path for path in home.rglob("*") if path.name.endswith(".part") or path.name.startswith(".") and path.is_file()]
    assert half == [], half
    parts = Home(settings.load(home), quiet=True)
    try:
        with parts.follower():
            pass
    finally:
        parts.close()


def _followed(http: httpx.Client, begun: threading.Event) -> str:
    """Follow a stream until it ends: how it did."""
    try:
        with http.stream("GET", "/events", headers=SSE) as answer:
            for line in answer.iter_lines():
                if line.startswith("id: 1"):
                    begun.set()
    except httpx.TransportError as error:
        return type(error).__name__
    return "whole"


def _asked(http: httpx.Client, path: str) -> httpx.Response | None:
    """An answer, or none where the connection broke."""
    try:
        return http.get(path)
    except httpx.TransportError:
        return None


@contextmanager
def _half_sent(server: ServerProcess, path: str, media: str) -> Iterator[socket.socket]:
    """An upload of which half has come."""
    body = Tensors(0.5).frames if media == MEDIA else b"a,b\n" * 10_000
    with socket.create_connection(("127.0.0.1", server.port)) as wire:
        head = f"POST /api/v1{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {media}\r\n"
        wire.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[: len(body) // 2])
        yield wire


def _under_way(server: ServerProcess) -> None:
    """Wait until the slow query is at work in a process of its own."""
    assert server.running is not None
    children = Path(f"/proc/{server.running.pid}/task")
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if any((task / "children").read_text().strip() for task in children.iterdir()):
            return
        time.sleep(0.01)
    raise AssertionError("the slow query never began")
