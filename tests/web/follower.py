"""Somebody who follows a ledger's events over HTTP at whichever server answers, while their connection is cut."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from typing import Final

import httpx

from ..asking import PATIENCE

SSE: Final = {"Accept": "text/event-stream"}
ROOM: Final = 20_000
"""Bytes of a connection, at most, before it is cut."""


class Follower:
    """Reads events in a thread, each connection from another server and for some bytes alone; `seqs` are what came.

    As a browser does it takes an event for told once its blank line has come, and asks on behind the last such one.
    """

    def __init__(self, urls: Sequence[str], seed: int, headers: dict[str, str] | None = None) -> None:
        self.seqs: list[int] = []
        self.connections = 0
        self.lost = 0
        """Connections that a server broke off, or did not take."""
        self._urls = urls
        self._headers = headers or {}
        self._chance = random.Random(seed)
        self._until: int | None = None
        self._thread = threading.Thread(target=self._follow, name="follower", daemon=True)
        self._thread.start()

    def ended(self, until: int) -> list[int]:
        """What was told, once the event `until` was."""
        self._until = until
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), f"the stream stands at event {self.seqs[-1:]} of {until}"
        return self.seqs

    @property
    def _is_done(self) -> bool:
        return self._until is not None and bool(self.seqs) and self.seqs[-1] >= self._until

    def _follow(self) -> None:
        with httpx.Client(timeout=2) as http:
            while not self._is_done:
                url = self._urls[self.connections % len(self._urls)]
                self.connections += 1
                try:
                    self._read(http, url, self._chance.randrange(200, ROOM))
                except httpx.TransportError:
                    self.lost += 1
                    time.sleep(0.02)

    def _read(self, http: httpx.Client, url: str, room: int) -> None:
        last = {"Last-Event-ID": str(self.seqs[-1])} if self.seqs else {}
        with http.stream("GET", f"{url}/api/v1/events", headers={**SSE, **last, **self._headers}) as answer:
            if answer.status_code != 200:
                raise httpx.ReadError(f"{answer.status_code}")
            text = b""
            for piece in answer.iter_raw():
                text += piece[: room - len(text)]
                *whole, text_left = text.split(b"\n\n")
                room -= len(text) - len(text_left)
                text = text_left
                self.seqs += [int(line[4:]) for event in whole for line in event.split(b"\n") if line[:4] == b"id: "]
                if len(text) >= room or self._is_done:
                    return
