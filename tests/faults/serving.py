"""A server that is told to stop, killed, or left without its database or objects, with everything under way."""

from __future__ import annotations

import signal
import socket
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
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
WRITES: Final = 5
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
                for name, end in (("SIGTERM", stopped), ("Ctrl-C", interrupted), ("SIGTERM twice", hurried)):
                    with busy(server) as work:
                        seconds = end(server)
                        if end is not hurried:
                            work.check()
                    say(f"{turn + 1}: {name}: {seconds:.2f} s")
                    assert seconds < ENDS, f"{name} took {seconds:.1f} s"
                    assert is_free(server.home)
                say(f"{turn + 1}: SIGTERM while writes wait for the database: {stopped_while_locked(server):.2f} s")
                with busy(server):
                    server.kill()
                assert is_free(server.home)
        finally:
            server.kill()
        server.start()
        assert server.stop()[0] == 0


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


def stopped_while_locked(server: ServerProcess) -> float:
    """By SIGTERM, while writes wait for a database that another process has locked."""
    with busy(server) as work:
        with locked(server.home / "main.db"):
            work.write()
            seconds = stopped(server)
        work.check()
    assert is_free(server.home)
    return seconds


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Nobody writes to a SQLite meanwhile."""
    with closing(sqlite3.connect(database, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")


class Busy:
    """What was under way when a server ended."""

    def __init__(
        self, http: httpx.Client, home: Path, pool: ThreadPoolExecutor, streams: list[Future[str]], known: set[Path]
    ) -> None:
        self._parts = known
        self.position = http.get("/position").json()["seq"]
        self._http = http
        self._home = home
        self._pool = pool
        self._streams = streams
        self._slow: list[Future[httpx.Response | None]] = []

    def read(self, path: str, **params: Any) -> None:
        """Ask for something that takes long."""
        self._slow.append(self._pool.submit(_asked, self._http, path, params))

    def write(self) -> None:
        """Write while the database is locked."""
        notes = "/models/net/versions/1/annotations"
        self._slow += [self._pool.submit(_noted, self._http, notes, {f"n{n}": n}) for n in range(WRITES)]

    def check(self) -> None:
        """That streams ended as a whole, slow requests one way or the other, and nothing is half done."""
        assert [each.result(PATIENCE) for each in self._streams] == ["whole"] * STREAMS
        for each in self._slow:
            answer = each.result(PATIENCE)
            assert answer is None or answer.status_code in (200, 503), answer.text
        assert parts(self._home) <= self._parts
        with ModelManager(self._home) as manager:
            assert manager.position() == self.position
            manager.verify()


@contextmanager
def busy(server: ServerProcess) -> Iterator[Busy]:
    """A server with streams, uploads and slow requests under way."""
    known = parts(server.home)  # of a server that was killed; they are taken away after an hour
    server.start()
    with ExitStack() as stack:
        bound = httpx.Limits(max_connections=None)
        http = stack.enter_context(server.client(limits=bound))
        job = http.get("/jobs").json()["jobs"][0]["job"]
        pool = stack.enter_context(ThreadPoolExecutor(STREAMS + 5 + WRITES))
        stack.callback(server.kill)  # or the threads would follow it for ever
        begun = [threading.Event() for _ in range(STREAMS)]
        streams = [pool.submit(_followed, http, each) for each in begun]
        for each in begun:
            assert each.wait(PATIENCE)
        wires = [stack.enter_context(_half_sent(server, "/models/net/chunks", MEDIA)) for _ in range(UPLOADS - 1)]
        wires.append(stack.enter_context(_half_sent(server, "/rows", "text/csv")))
        work = Busy(http, server.home, pool, streams, known)
        for _ in range(2):
            work.read(f"/jobs/{job}", wait=60)
            work.read("/position", wait_for=work.position + 1000)
        work.read("/sql", timeout=60, query=SLOW)
        _under_way(server)
        yield work


def parts(home: Path) -> set[Path]:
    """Rows in a home that were sent by half."""
    return {*home.rglob("*.part")}


def is_free(home: Path) -> bool:
    """Whether nobody keeps the views of a home up to date: raises where somebody holds the lock."""
    parts = Home(settings.load(home), quiet=True)
    try:
        with parts.follower():
            return True
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


def _noted(http: httpx.Client, path: str, notes: dict[str, int]) -> httpx.Response | None:
    """The answer to a note, or none where the connection broke."""
    try:
        return http.patch(path, json=notes)
    except httpx.TransportError:
        return None


def _asked(http: httpx.Client, path: str, params: dict[str, Any]) -> httpx.Response | None:
    """An answer, or none where the connection broke."""
    try:
        return http.get(path, params=params)
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
        with suppress(OSError):  # a thread ended meanwhile
            if any((task / "children").read_text().strip() for task in children.iterdir()):
                return
        time.sleep(0.01)
    raise AssertionError("the slow query never began")
