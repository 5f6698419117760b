"""Two servers of one ledger on PostgreSQL, with homes of their own, killed in turn while clients write to both."""

from __future__ import annotations

import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np

from lepton_ai import ModelManager

from ..servers import PostgreSQL
from ..web.follower import Follower
from ..web.process import ServerProcess
from ..web.writes import ANY, Tensors, Write

TITLE: Final = "two servers over one PostgreSQL are killed in turn under load; clients go over to the other"
KILLS: Final = 40
CLIENTS: Final = 6
NEW: Final = {"If-None-Match": "*"}
LEAST: Final = 25
"""Writes that are acknowledged between two kills, at least."""


def suffer(seed: int, say: Callable[[str], None]) -> None:
    """Forty kills, one server after the other."""
    with ExitStack() as close:
        server = PostgreSQL()
        close.callback(server.remove)
        server.start()
        folder = Path(close.enter_context(tempfile.TemporaryDirectory(prefix="lepton-faults-replicas-")))
        with replicas(folder, server.url(), "replicas") as pair:
            say(ordeal(pair, KILLS, seed))


@dataclass
class Pair:
    """Two servers of one ledger, and how its own door is opened beside them."""

    servers: Sequence[ServerProcess]
    home: Path
    environment: Mapping[str, str]

    @contextmanager
    def manager(self) -> Generator[ModelManager]:
        """The ledger itself, from a third home."""
        import os

        before = dict(os.environ)
        os.environ |= self.environment
        try:
            with ModelManager(self.home, actor="checker") as manager:
                yield manager
        finally:
            os.environ.clear()
            os.environ |= before


@contextmanager
def replicas(folder: Path, url: str, ledger: str) -> Generator[Pair]:
    """Two servers at work over one ledger that has a model of some versions."""
    environment = {"LEPTON_DATABASE": url, "LEPTON_OBJECTS": f"file://{folder / 'objects'}", "LEPTON_LEDGER": ledger}
    environment |= {"LEPTON_WAIT": "5", "LEPTON_TERM_RUN": "100000"}
    pair = Pair([ServerProcess(folder / name, environment) for name in ("a", "b")], folder / "c", environment)
    with pair.manager() as manager:
        for number in range(1, 4):
            manager.save_version({"w": np.full(8, number, np.float32)}, name="net", metrics={"f1": number / 10})
        manager.open_runs.start(model="net", run="long", writer="all", hyperparameters={}, key="start")
    try:
        for each in pair.servers:
            each.spawn()
        for each in pair.servers:
            each.ready()
        yield pair
    finally:
        for each in pair.servers:
            each.kill()


def ordeal(pair: Pair, kills: int, seed: int) -> str:
    """Write to both while each is killed in turn; raise where anything acknowledged is lost or doubled."""
    chance, begun = random.Random(seed), time.monotonic()
    urls = [each.url for each in pair.servers]
    follower = Follower(urls, seed)
    clients = [Client(number, urls) for number in range(CLIENTS)]
    for number in range(kills):
        goal = sum(len(each.done) for each in clients) + LEAST
        _until(lambda goal=goal: sum(len(each.done) for each in clients) >= goal, clients)
        time.sleep(chance.uniform(0.0, 0.05))
        victim = pair.servers[number % 2]
        victim.kill()
        victim.start()
    for each in clients:
        each.stop()
    with pair.manager() as manager:
        told = _unharmed(manager, clients)
        end = manager.position()
        seqs = follower.ended(end)
        assert seqs == list(range(1, len(seqs) + 1)), "an event was told twice, or not, or out of order"
    return (
        f"seed {seed}; {kills} kills; {told}; {sum(each.moved for each in clients):,} sends went on at the other; "
        f"{len(seqs):,} events followed over {follower.connections:,} connections; {time.monotonic() - begun:.0f} s"
    )


def _until(condition: Callable[[], bool], clients: Sequence[Client]) -> None:
    while not condition():
        for each in clients:
            each.alive()
        time.sleep(0.01)


class Client:
    """Somebody who writes without end, each time under a key of its own, at whichever server answers."""

    def __init__(self, number: int, urls: Sequence[str]) -> None:
        self.number = number
        self.done: dict[str, int] = {}
        """The seq that each acknowledged write was answered, by its name."""
        self.moved = 0
        self._urls = [*urls]
        self._failure: BaseException | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"client {number}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End once what was begun is acknowledged."""
        self._stop.set()
        self._thread.join()
        self.alive()

    def alive(self) -> None:
        """Raise what went wrong."""
        if self._failure is not None:
            raise self._failure

    def _work(self) -> None:
        try:
            with ExitStack() as stack:
                https = [stack.enter_context(httpx.Client(base_url=f"{url}/api/v1", timeout=60)) for url in self._urls]
                for name, write in self._writes():
                    if self._stop.is_set():
                        return
                    self.done[name] = self._sent(https, name, write)
        except BaseException as error:  # noqa: BLE001 - the test raises it
            self._failure = error

    def _sent(self, https: list[httpx.Client], name: str, write: Write) -> int:
        """Send a write until it is acknowledged: its seq."""
        while True:
            try:
                answer = write.send(https[0], name)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code < 300:
                return int(answer.headers["Lepton-Seq"])
            assert answer is None or answer.status_code == 503, f"{name}: {answer.status_code} {answer.text}"
            https.reverse()
            self.moved += 1

    def _writes(self) -> Iterator[tuple[str, Write]]:
        me = f"c{self.number}"
        for n in count():
            form, name = Tensors(10_000.0 * (self.number + 1) + n), f"{me}-{n}"
            saved = {**form.told, "save": {"message": f"save {name}", "branch": "main"}}
            points = [{"name": me, "value": float(n), "step": n}]
            yield f"note {name}", Write("PATCH", "/models/net/versions/1/annotations", {name: n})
            yield f"tag {name}", Write("PUT", f"/models/net/tags/{name}", {"version": 1 + n % 3})
            yield f"save {name}", Write("POST", "/models/net/versions", saved, {}, form.frames)
            yield f"alias {name}", Write("PUT", f"/models/net/aliases/{me}", {"version": 1 + n % 2}, ANY if n else NEW)
            yield f"points {name}", Write("POST", "/runs/long/metrics", {"points": points, "writer": "all"})


def _unharmed(manager: ModelManager, clients: Sequence[Client]) -> str:
    """That each acknowledged write is in the log once, where its answer said; the counts, in words."""
    manager.verify()
    assert manager.fsck() == []
    effects: dict[str, list[int]] = {}
    for event in manager.events():
        for name in _named(event):
            effects.setdefault(name, []).append(int(event["sequence"]))
    doubled = {name: seqs for name, seqs in effects.items() if len(seqs) > 1}
    assert not doubled, f"done twice: {doubled}"
    done = {name: seq for each in clients for name, seq in each.done.items()}
    for name, seq in done.items():
        if name.startswith("alias "):
            continue  # by its moves, below
        known = effects.get(name, [])
        # a version's delta is recorded behind it
        assert known == [seq] or (name.startswith("save ") and known == [seq - 1]), f"{name}: {seq} is not {known}"
    moves = {
        move.seq for each in clients for move in manager.moves(f"c{each.number}", "alias", model="net", most=10**6)
    }
    answered = [seq for name, seq in done.items() if name.startswith("alias ")]
    assert {*answered} == moves & {*answered}
    assert len(answered) - len({*answered}) == 0, "one move is the answer to two"
    assert len(moves) <= len(answered) + len(clients), "an alias was moved more often than it was asked for"
    kinds = Counter(name.partition(" ")[0] for name in done)
    return ", ".join(f"{name} {number:,}" for name, number in sorted(kinds.items())) + " acknowledged"


def _named(event: Mapping[str, Any]) -> Iterator[str]:
    """The writes that an event is the effect of."""
    data = event["data"]
    match event["type"].split(".")[1:3]:
        case ["version", "annotated"]:
            yield from (f"note {name}" for name in data["annotations"])
        case ["tag", "created"]:
            yield f"tag {data['tag']}"
        case ["version", "committed"]:
            yield from filter(None, [data.get("message")])
        case ["metrics", "logged"]:
            yield from (f"points {name}-{step}" for name, step in zip(data["names"], data["steps"], strict=True))
        case _:
            pass
