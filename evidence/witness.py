"""Witnesses: places outside the ledger that are sent its signed heads, so that no rewritten history goes unnoticed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import unquote, urlsplit

from ..errors import Refused, Unavailable
from ..permissions import denied
from ..settings import Settings, log, without_secrets
from ..supervised import Supervised
from .head import ORIGIN, KnownHead, note_in

if TYPE_CHECKING:
    from ..events.kafka.cluster import Cluster

MEDIA: Final = "text/plain; charset=utf-8"
_TAIL: Final = 8192
"""Bytes in which the last head of a file lies."""
_SHORTEST: Final = 0.01
"""Seconds between two heads."""
PATIENCE: Final = 5.0
"""Seconds for a head that is under way, when the process ends."""


class Witness(Protocol):
    """A place that heads are sent to."""

    name: str
    """What messages call it: never a password."""

    def send(self, head: KnownHead) -> None:
        """Have it take a head. Raises `Unavailable`, `Refused`."""
        ...


class FileWitness:
    """A file, to which heads are appended; best on another machine's disk."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.name = str(file)

    def last(self) -> KnownHead | None:
        """The last head that it holds, its signature not looked at; None where it holds none. Raises `Malformed`."""
        try:
            with self.file.open("rb") as held:
                held.seek(max(0, held.seek(0, os.SEEK_END) - _TAIL))
                tail = held.read().decode("utf-8", "replace")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise denied(error, self.file, "read") from error
        begins = f"\n{tail}".rfind(f"\n{ORIGIN}")
        return KnownHead.checked(note_in(tail[begins:], str(self.file)), ()) if tail.strip() else None

    def send(self, head: KnownHead) -> None:
        """Append a head, whole or not at all."""
        try:
            descriptor = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            with os.fdopen(descriptor, "ab", buffering=0) as out:
                end = out.seek(0, os.SEEK_END)
                text = f"{head.note}\n".encode()
                if out.write(text) != len(text):
                    out.truncate(end)
                    raise Unavailable(f"{self.file} took a part of a head; see to the room on its disk")
                os.fsync(descriptor)
        except OSError as error:
            raise denied(error, self.file, "written") from error


class UrlWitness:
    """A URL that heads are posted to, as text."""

    def __init__(self, url: str, wait: float) -> None:
        self._url = url
        self._wait = max(wait, 1.0)
        self.name = without_secrets(url)

    def send(self, head: KnownHead) -> None:
        """Post a head; any answer below 300 says that it was taken."""
        import httpx

        try:
            answer = httpx.post(
                self._url, content=str(head.note).encode(), headers={"Content-Type": MEDIA}, timeout=self._wait
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(f"{self.name} takes no head ({type(error).__name__}); it is sent again") from error
        if answer.status_code >= 300:
            raise Unavailable(f"{self.name} takes no head: it answers {answer.status_code}; it is sent again")


class TopicWitness:
    """The topic of heads on a Kafka, this ledger's or another's."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.name = f"the topic {cluster.topic('heads')} on {cluster.name}"

    def send(self, head: KnownHead) -> None:
        """Put a head onto the topic, which must be there, and wait until all replicas have it."""
        import asyncio

        asyncio.run(self._send(str(head.note).encode(), head.head.ledger.encode()))

    async def _send(self, value: bytes, key: bytes) -> None:
        from ..events.kafka.clients import Outgoing, Writer

        async with Writer(self._cluster) as writer:
            await writer.send("heads", [Outgoing(value, key)])


def witnesses(settings: Settings, cluster: Callable[[], Cluster]) -> list[Witness]:
    """The places that LEPTON_WITNESS names. Raises `Malformed`, `Refused` where one cannot be used."""
    return [_witness(place, settings, cluster) for place in settings.witness]


def sending(witness: Witness, signed: Callable[[], KnownHead], every: float) -> Supervised:
    """Send a signed head now, and again `every` so many seconds, in a thread until the context ends.

    What goes wrong is logged, and tried again with a new head after a pause.
    """

    def send(stop: Event) -> None:
        while not stop.is_set():
            head = signed()
            witness.send(head)
            log.info("the head of %d events is with %s", head.head.size, witness.name)
            stop.wait(max(every, _SHORTEST))

    return Supervised(send, f"witness {witness.name}", PATIENCE)


def _witness(place: str, settings: Settings, cluster: Callable[[], Cluster]) -> Witness:
    from ..events.kafka.cluster import Cluster

    if place.startswith(("http://", "https://")):
        return UrlWitness(place, settings.wait)
    if place == "kafka":
        return TopicWitness(cluster())
    if place.startswith("kafka"):
        return TopicWitness(Cluster.parsed(place, settings.ledger, settings.kafka_prefix, wait=settings.wait))
    file = Path(unquote(urlsplit(place).path) if place.startswith("file://") else place)
    if settings.home.resolve() in file.resolve().parents:
        raise Refused(f"LEPTON_WITNESS names {file}, which lies in the ledger's home; keep heads elsewhere")
    return FileWitness(file)
