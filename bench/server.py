"""The server on a large ledger, and beside MLflow's.

A ledger of 100,000 versions and a million events is served beside a projector, on one machine. At 20 requests a second,
of four kinds in turns, the 95th percentile of each kind's time is told, from the moment that a request was due; and
what memory server and projector came to. Then the requests that are answered a second, eight at a time over loopback,
beside MLflow 3.17.2's own server with SQLite and as many workers as it starts by itself, on ledgers of one model of ten
versions; both sync what they are told to keep. They take turns, and each is stopped (SIGSTOP) while the other is asked,
so that what one does by itself takes nothing from the other. The client is the same for both: bare HTTP/1.1 over kept
connections.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from large import MODEL, large

from lepton_ai import ModelManager

VERSIONS = int(os.environ.get("VERSIONS", "100000"))
EVENTS = int(os.environ.get("EVENTS", "1000000"))
RATE, SECONDS, AT_ONCE, RUNS, ROUND = 20, 60, 8, 5, 3.0
PATIENCE = 600.0
LEPTON = (sys.executable, "-c", "from lepton_ai.cli import main; main()")
MLFLOW = Path(sys.prefix) / "peers" / "mlflow" / "bin" / "mlflow"


class Asked(NamedTuple):
    """A request."""

    method: str
    path: str
    body: bytes = b""
    headers: str = ""


class Wire:
    """A kept connection."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def open(self) -> Wire:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 26)
        return self

    async def ask(self, asked: Asked) -> bytes:
        """The answer's body. Raises where it is no success."""
        head = f"{asked.method} {asked.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{asked.headers}"
        if asked.body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(asked.body)}\r\n"
        self._writer.write(head.encode() + b"\r\n" + asked.body)
        told = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        if found := re.search(r"content-length: (\d+)", told):
            body = await self._reader.readexactly(int(found[1]))
        else:
            body = await self._chunks()
        if not told.startswith("http/1.1 20"):
            raise RuntimeError(f"{asked.method} {asked.path}: {told.splitlines()[0]} {body[:300]!r}")
        return body

    async def _chunks(self) -> bytes:
        body = b""
        while size := int((await self._reader.readline()).strip() or b"0", 16):
            body += await self._reader.readexactly(size)
            await self._reader.readline()
        await self._reader.readline()
        return body

    def close(self) -> None:
        self._writer.close()


def rows() -> str:
    """Two Markdown tables: percentiles of the large ledger, and requests a second beside MLflow's."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        first = _latency(Path(folder) / "large")
    with tempfile.TemporaryDirectory() as folder:
        return f"{first}\n\n{_beside(Path(folder))}"


def _latency(home: Path) -> str:
    large(home, versions=VERSIONS, events=EVENTS)
    with lepton(home, "projector") as projector, served(home) as (server, port):
        spent = asyncio.run(_at_rate(port))
        peaks = [_peak(process.pid) for process in (server, projector)]
    lines = [
        f"| {VERSIONS:,} versions, {EVENTS:,} events, {RATE} requests/s | median ms | p95 ms | p99 ms |",
        "| --- | --- | --- | --- |",
    ]
    for name, each in spent.items():
        cuts = statistics.quantiles(each, n=100)
        lines.append(f"| {name} | {cuts[49] * 1e3:.1f} | {cuts[94] * 1e3:.1f} | {cuts[98] * 1e3:.1f} |")
    told = f"Peak memory: server {peaks[0]:,.0f} MiB, projector {peaks[1]:,.0f} MiB."
    return "\n".join(lines) + f"\n\n{told}"


async def _at_rate(port: int) -> dict[str, list[float]]:
    """Seconds of each kind of request, from when it was due; each is asked on a connection that is free."""
    kinds: dict[str, Callable[[int], Asked]] = {
        "log": lambda _: Asked("GET", f"/api/v1/models/{MODEL}/log?rev=main&most=20"),
        "show": lambda n: Asked("GET", f"/api/v1/models/{MODEL}/versions/{1 + n * 7919 % VERSIONS}"),
        "find": lambda n: Asked("GET", f"/api/v1/search?where=note.ticket%20=%20'RISK-{1 + n * 104729 % VERSIONS}'"),
        "alias PUT": lambda n: _move("production", 1 + n % VERSIONS),
    }
    free: list[Wire] = []
    spent: dict[str, list[float]] = {name: [] for name in kinds}

    async def one(name: str, asked: Asked, due: float) -> None:
        wire = free.pop() if free else await Wire(port).open()
        await wire.ask(asked)
        spent[name].append(time.perf_counter() - due)
        free.append(wire)

    for name, kind in kinds.items():  # what is opened on first use is open
        await one(name, kind(0), time.perf_counter())
    for each in spent.values():
        each.clear()
    start, work = time.perf_counter() + 0.1, []
    for number in range(RATE * SECONDS):
        due = start + number / RATE
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        name = list(kinds)[number % len(kinds)]
        work.append(asyncio.ensure_future(one(name, kinds[name](number), due)))
    await asyncio.gather(*work)
    for wire in free:
        wire.close()
    return spent


def _move(alias: str, version: int) -> Asked:
    body = json.dumps({"version": str(version)}).encode()
    return Asked("PUT", f"/api/v1/models/{MODEL}/aliases/{alias}", body, "If-Match: *\r\n")


def _beside(folder: Path) -> str:
    """Requests a second of the two servers, which take turns; medians."""
    with ExitStack() as stack:
        first, ours = stack.enter_context(_ours(folder / "home"))
        second, theirs = stack.enter_context(mlflow_served(folder))
        groups = (first, second)
        contests: dict[str, tuple[tuple[int, Callable[[int], Asked]], tuple[int, Callable[[int], Asked]]]] = {
            "show a version by its alias": (
                (ours, lambda _: Asked("GET", f"/api/v1/models/{MODEL}/versions/production")),
                (theirs, lambda _: Asked("GET", f"{_API}/registered-models/alias?name={MODEL}&alias=production")),
            ),
            "move an alias": (
                (ours, lambda n: _move("production", 1 + n % 10)),
                (theirs, lambda n: Asked("POST", f"{_API}/registered-models/alias", _theirs_move(n))),
            ),
        }
        lines = ["| requests/s, 8 at a time | Lepton | MLflow | ratio |", "| --- | --- | --- | --- |"]
        for name, sides in contests.items():
            rates: list[list[float]] = [[], []]
            for _ in range(RUNS):
                for side, (port, asked) in enumerate(sides):
                    os.killpg(groups[1 - side], signal.SIGSTOP)
                    rates[side].append(asyncio.run(_rate(port, asked)))
                    os.killpg(groups[1 - side], signal.SIGCONT)
            one, other = map(statistics.median, rates)
            lines.append(f"| {name} | {one:,.0f} | {other:,.0f} | {one / other:.1f} |")
    return "\n".join(lines)


async def _rate(port: int, asked: Callable[[int], Asked]) -> float:
    """Requests a second, some at a time, each connection as fast as it is answered."""
    end = time.perf_counter() + ROUND

    async def work(first: int) -> int:
        wire, done = await Wire(port).open(), 0
        while time.perf_counter() < end:
            await wire.ask(asked(first + done * AT_ONCE))
            done += 1
        wire.close()
        return done

    begun = time.perf_counter()
    done = await asyncio.gather(*map(work, range(AT_ONCE)))
    return sum(done) / (time.perf_counter() - begun)


@contextmanager
def _ours(home: Path) -> Iterator[tuple[int, int]]:
    """A server of ten versions: the group of its processes, and its port."""
    with ModelManager(home) as manager:
        for number in range(10):
            manager.save_version({"w": np.full((16, 16), number, "float32")}, name=MODEL, metrics={"f1": 0.9})
        manager.alias("production", f"{MODEL}@1")
    with served(home) as (server, port):
        yield server.pid, port


_API = "/api/2.0/mlflow"


def _theirs_move(number: int) -> bytes:
    return json.dumps({"name": MODEL, "alias": "production", "version": str(1 + number % 10)}).encode()


@contextmanager
def mlflow_served(folder: Path) -> Iterator[tuple[int, int]]:
    """As `_ours`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place = f"sqlite:///{folder / 'mlflow.db'}"
    words = (MLFLOW, "server", "--backend-store-uri", place, "--artifacts-destination", folder / "artifacts")
    env = {**os.environ, "PATH": f"{MLFLOW.parent}:{os.environ['PATH']}"}
    quiet = subprocess.DEVNULL
    with subprocess.Popen(
        (*words, "--port", str(port)), cwd=folder, env=env, stdout=quiet, stderr=quiet, start_new_session=True
    ) as server:
        try:
            until(lambda: asyncio.run(first_answer(port, Asked("GET", "/health"))))
            asyncio.run(_made(port))
            yield server.pid, port
        finally:
            os.killpg(server.pid, signal.SIGTERM)


async def _made(port: int) -> None:
    wire = await Wire(port).open()
    await wire.ask(Asked("POST", f"{_API}/registered-models/create", json.dumps({"name": MODEL}).encode()))
    for number in range(10):
        body = json.dumps({"name": MODEL, "source": f"s3://models/{number}"}).encode()
        await wire.ask(Asked("POST", f"{_API}/model-versions/create", body))
    await wire.ask(Asked("POST", f"{_API}/registered-models/alias", _theirs_move(0)))
    wire.close()


async def first_answer(port: int, asked: Asked) -> bytes:
    wire = await Wire(port).open()
    try:
        return await wire.ask(asked)
    finally:
        wire.close()


@contextmanager
def served(home: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """`lepton serve` over a home: the process, and its port."""
    with lepton(home, "serve", "--port", "0") as server:
        assert server.stderr is not None
        told = next(line for line in server.stderr if "serving" in line)
        yield server, int(told.rsplit(":", 1)[1])


@contextmanager
def lepton(home: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    env = {**os.environ, "LEPTON_HOME": str(home), "LEPTON_WAIT": str(PATIENCE), "PYTHONSAFEPATH": "1"}
    with subprocess.Popen(
        (*LEPTON, *words), env=env, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            if words[0] == "projector":
                until(lambda: (home / "read" / "main.sock").stat())
            yield process
        finally:
            process.terminate()


def until(done: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            done()
            return
        except (OSError, RuntimeError, asyncio.IncompleteReadError):
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def _peak(process: int) -> float:
    """The most memory that a process held, in MiB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024


if __name__ == "__main__":
    print(rows())
