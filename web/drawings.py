"""Charts that pages show: drawn one at a time in a process beside the server, each reader in turn, kept by content."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Lock
from typing import Any, Final, NamedTuple, TypeVar

from ..errors import Unavailable
from ..results.pages.painter import Painter
from .svg import own_svg

KEPT: Final = 16 << 20
"""Bytes of drawings that are kept; those that nobody asked for the longest go first."""
WAITING: Final = 96
"""Drawings that may wait for their turn."""
WAITING_EACH: Final = 24
"""Of one reader's."""
T = TypeVar("T")


class StillDrawing(Unavailable):
    """Something was asked for that is not drawn yet; it is soon."""


class Drawing(NamedTuple):
    """A chart as SVG for a page, and as JSON for who explores it."""

    svg: str
    spec: bytes

    @property
    def size(self) -> int:
        """Bytes that it takes, about."""
        return len(self.svg) + len(self.spec)


class Program(NamedTuple):
    """What shows charts in a browser: its text, compressed, and the digest of it."""

    content: bytes
    digest: str


class Drawings:
    """The charts of all pages. Whoever asks waits as long as it likes; what is drawn meanwhile is kept."""

    def __init__(self) -> None:
        self.painter = Painter()
        self._thread = ThreadPoolExecutor(1, "charts")
        self._lock = Lock()
        self._kept: OrderedDict[str, Future[Drawing]] = OrderedDict()
        self._size = 0
        self._waiting: OrderedDict[str, deque[Callable[[], None]]] = OrderedDict()
        """What is to be drawn, by reader; the reader whose turn it is stands first."""
        self._program: Future[Program] | None = None

    def begun(self, order: Mapping[str, Any], reader: str) -> Future[Drawing]:
        """A chart, drawn or being drawn. Raises `StillDrawing` where too many wait for their turn."""
        digest = hashlib.sha256(json.dumps(order, sort_keys=True).encode()).hexdigest()
        with self._lock:
            if (known := self._kept.get(digest)) is not None:
                self._kept.move_to_end(digest)
                return known
            of_reader = len(self._waiting.get(reader, ()))
            if of_reader >= WAITING_EACH or sum(map(len, self._waiting.values())) >= WAITING:
                raise StillDrawing("too many charts are being drawn; look again in a moment")
            drawing = self._kept[digest] = self._queued(reader, partial(self._drawn, order, digest))
        drawing.add_done_callback(lambda done: self._keep(digest, done))
        return drawing

    def program(self) -> Future[Program]:
        """What shows charts in a browser, made when the first reader explores one."""
        with self._lock:
            if self._program is None or (self._program.done() and self._program.exception() is not None):
                self._program = self._queued("", self._made)
            return self._program

    def close(self) -> None:
        """End the process; charts that wait are not drawn."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self.painter.close()

    def _queued(self, reader: str, work: Callable[[], T]) -> Future[T]:
        """Something that is made when it is its reader's turn."""
        made = Future[T]()

        def make() -> None:
            try:
                made.set_result(work())
            except BaseException as error:  # noqa: BLE001 - whoever waits is told it
                made.set_exception(error)

        self._thread.submit(self._next)
        self._waiting.setdefault(reader, deque()).append(make)
        return made

    def _next(self) -> None:
        """Make what waits longest of the reader whose turn it is, who then stands last."""
        with self._lock:
            reader, waiting = self._waiting.popitem(last=False)
            make = waiting.popleft()
            if waiting:
                self._waiting[reader] = waiting
        make()

    def _drawn(self, order: Mapping[str, Any], digest: str) -> Drawing:
        made = self.painter.made(order)
        return Drawing(own_svg(made["svg"], f"c{digest[:8]}-"), json.dumps(made["spec"], ensure_ascii=False).encode())

    def _made(self) -> Program:
        content = self.painter.made({"make": "program"})["program"].encode()
        return Program(gzip.compress(content, mtime=0), hashlib.sha256(content).hexdigest()[:16])

    def _keep(self, digest: str, drawing: Future[Drawing]) -> None:
        """Keep what was drawn as long as there is room; what failed is tried again when it is asked for again."""
        with self._lock:
            if drawing.exception() is not None:
                self._kept.pop(digest, None)
                return
            self._size += drawing.result().size
            for old in [name for name, each in self._kept.items() if each.done()]:
                if self._size <= KEPT:
                    break
                self._size -= self._kept.pop(old).result().size


def drawn(wanted: Future[T]) -> T:
    """What was drawn. Raises `StillDrawing` where it is not yet."""
    if not wanted.done():
        raise StillDrawing("this chart is still being drawn; look again in a moment")
    return wanted.result()
