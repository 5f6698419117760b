"""A server of the ledger that is killed while every kind of write is sent to it, again and again under one key."""

from __future__ import annotations

import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from lepton_ai import ModelManager

from ..web.process import ServerProcess
from ..web.server import served
from ..web.writes import FURTHER, Write, prepare, recorded, told, writes

TITLE: Final = "a server is killed between and within the sends of every write; each has one effect and one answer"
SENDS: Final = 50
"""How often each write is sent, at least."""
NOTES: Final = 20
"""Notes that are sent in a round, each under a key of its own."""
SENDERS: Final = 4
PATIENT: Final = {"LEPTON_TERM_RUN": "100000"}
"""No run is taken for lost meanwhile."""


def suffer(seed: int, say: Callable[[str], None]) -> None:
    """Fifty sends of each, and more, since only those count that began before a kill."""
    with tempfile.TemporaryDirectory(prefix="lepton-faults-writes-") as folder:
        say(ordeal(Path(folder), SENDS, seed))


def ordeal(folder: Path, sends: int, seed: int) -> str:
    """Send each write so often at least; raise where one acted twice, or was answered otherwise. The counts, in words.

    The log must have what it has where each write is sent once to a server that nobody kills.
    """
    wanted = _undisturbed(folder / "undisturbed")
    home = folder / "home"
    server, begun = ServerProcess(home, PATIENT), time.monotonic()
    try:
        sending = Sending(server, prepare(home), random.Random(seed))
        sending.begin()
        while min(sending.sent[name] for name in sending.asked) < sends:
            sending.round(breaks_off=sending.kills < 3 or sending.chance.random() < 0.5)
        sending.end()
    finally:
        server.kill()
    found, notes = recorded(home, sending.after), sending.notes
    noted = found.pop(NOTED)
    assert noted - wanted.pop(NOTED) == len(notes), f"{noted} notes for {len(notes)}"
    assert found == wanted, f"too much: {found - wanted}; too little: {wanted - found}"
    with ModelManager(home) as manager:
        manager.verify()
        assert manager.fsck() == []
    return (
        f"seed {seed}; {len(sending.asked)} writes sent {sending.sent.total():,} times, at least {sends} each, "
        f"over {sending.kills} kills; {sending.broken:,} without an answer; {len(notes):,} notes; "
        f"{time.monotonic() - begun:.0f} s"
    )


NOTED: Final = ("lepton.version.annotated.v1", "model/net")


def _undisturbed(home: Path) -> Counter[tuple[str, str]]:
    """What is recorded where every write is sent once."""
    home.parent.mkdir(exist_ok=True)
    secret = prepare(home)
    with served(home) as server:
        http = server.client(secret)
        after = server.manager.position()
        for name, write in [*writes(http).items(), *_further()]:
            assert (answer := write.send(http, name)).status_code < 300, f"{name}: {answer.text}"
    return recorded(home, after)


def _further() -> Iterator[tuple[str, Write]]:
    return ((f"further: {name}", write) for name, write in FURTHER.items())


@dataclass
class Sending:
    """Who sends the writes, and what they were answered."""

    server: ServerProcess
    secret: str
    chance: random.Random
    asked: Mapping[str, Write] = field(default_factory=dict[str, Write])
    first: dict[str, Any] = field(default_factory=dict[str, Any])
    """The first answer to each."""
    sent: Counter[str] = field(default_factory=Counter[str])
    notes: dict[str, Write] = field(default_factory=dict[str, Write])
    kills: int = 0
    broken: int = 0
    after: int = 0

    def begin(self) -> None:
        """Have the server at work, and the writes made out."""
        self.server.start()
        with self._client() as http:
            self.asked = writes(http)
            self.after = http.get("/position").json()["seq"]

    def round(self, *, breaks_off: bool) -> None:
        """Send all, once or in part, then kill the server in the middle of it, and start it again."""
        notes = self._more_notes()
        if not breaks_off:
            self._pass([*self.asked.items(), *notes], None)
        self._pass([*self.asked.items(), *notes], self.chance.randrange(len(self.asked)))
        self.server.kill()
        self.kills += 1
        self.server.start()

    def end(self) -> None:
        """Send all once more; then again, after others wrote of the same things."""
        self._pass([*self.asked.items(), *self.notes.items()], None)
        with self._client() as http:
            for name, write in _further():
                assert (answer := write.send(http, name)).status_code < 300, f"{name}: {answer.text}"
        self._pass([*self.asked.items(), *self.notes.items()], None)

    def _more_notes(self) -> list[tuple[str, Write]]:
        new = range(len(self.notes), len(self.notes) + NOTES)
        path = "/models/net/versions/9/annotations"
        self.notes |= {f"note {n}": Write("PATCH", path, {f"n{n}": n}) for n in new}
        return [*self.notes.items()][-2 * NOTES :]  # those of the round before too: some were not answered

    def _pass(self, asked: Sequence[tuple[str, Write]], kill_after: int | None) -> None:
        """Send some writes in an order of its own, by several at once; the server may be killed after so many."""
        waiting, lock, begun = self.chance.sample(asked, len(asked)), threading.Lock(), 0
        delay = self.chance.uniform(0.0, 0.02)

        def kill() -> None:
            time.sleep(delay)
            if self.server.running is not None:
                self.server.running.kill()

        def work() -> None:
            nonlocal begun
            with self._client() as http:
                while True:
                    with lock:
                        if not waiting:
                            return
                        name, write = waiting.pop()
                        begun += 1
                        if begun == kill_after:
                            threading.Thread(target=kill).start()
                    if not self._send(http, name, write, lock) and kill_after is not None:
                        return

        with ThreadPoolExecutor(SENDERS) as pool:
            for each in [pool.submit(work) for _ in range(SENDERS)]:
                each.result()

    def _send(self, http: httpx.Client, name: str, write: Write, lock: threading.Lock) -> bool:
        """Send one: whether it was answered."""
        try:
            answer = write.send(http, name)
        except httpx.ConnectError:
            return False
        except httpx.TransportError:
            with lock:
                self.sent[name] += name in self.asked
                self.broken += 1
            return False
        assert answer.status_code < 300, f"{name}: {answer.status_code} {answer.text}"
        with lock:
            self.sent[name] += name in self.asked
            first = self.first.setdefault(name, told(answer))
        assert told(answer) == first, f"{name} was answered {first}, then {told(answer)}"
        return True

    def _client(self) -> httpx.Client:
        return self.server.client(headers={"Authorization": f"Bearer {self.secret}"})
