"""What a process that learns says to the one that asked, and hears: a JSON object a line, over a socket of a folder."""

from __future__ import annotations

import json
import os
import selectors
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, Self

from .handover import read_rows, read_tensors, write_tensors

if TYPE_CHECKING:
    from torch import Tensor


class RankChannel:
    """A learning process's end. Where the other end goes, nobody wants the work any more, and this process ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.connect(str(folder / "socket"))
        except OSError:
            os._exit(0)
        self._replies: SimpleQueue[dict[str, Any]] = SimpleQueue()
        Thread(target=self._listen, daemon=True).start()

    def ask(self, kind: str, **said: Any) -> dict[str, Any]:
        """Say something, and wait for the answer."""
        self._socket.sendall(_line({"kind": kind, **said}))
        return self._replies.get()

    def rows(self, name: str) -> Any:
        """The rows of a file in the folder."""
        return read_rows(self._folder / name)

    def tensors(self, name: str) -> dict[str, Tensor]:
        """The tensors of a file in the folder."""
        return read_tensors(self._folder / name)

    def hand(self, name: str, tensors: Mapping[str, Tensor]) -> None:
        """Write a file into the folder."""
        write_tensors(self._folder / name, tensors)

    def _listen(self) -> None:
        try:
            with self._socket.makefile("rb") as lines:
                for line in lines:
                    self._replies.put(json.loads(line))
        finally:
            os._exit(0)


class Talk:
    """One process's words, and how it is answered."""

    def __init__(self, own: socket.socket) -> None:
        self.socket = own
        self._rest = b""

    def heard(self) -> Iterator[dict[str, Any]] | None:
        """The messages that have come; None at the end."""
        try:
            piece = self.socket.recv(1 << 16)
        except OSError:
            piece = b""
        if not piece:
            return None
        *lines, self._rest = (self._rest + piece).split(b"\n")
        return map(json.loads, lines)

    def answer(self, said: Mapping[str, Any]) -> None:
        """Answer the last message; one that is gone hears nothing."""
        with suppress(OSError):
            self.socket.sendall(_line(said))


class RankListener:
    """The end of whoever asked: all processes speak to it. Closed, it ends them."""

    def __init__(self, path: Path) -> None:
        self._selector = selectors.DefaultSelector()
        self._ended, self._end = socket.socketpair()
        self._selector.register(self._ended, selectors.EVENT_READ)
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(path))
        self._door.listen()
        self._selector.register(self._door, selectors.EVENT_READ)

    def end(self) -> None:
        """No more will be said; may be called from any thread."""
        with suppress(OSError):  # it may be closed
            self._end.send(b".")

    def messages(self) -> Iterator[tuple[Talk, dict[str, Any]]]:
        """What is said, with whom to answer, until `end` is called."""
        while True:
            ready = [key for key, _ in self._selector.select()]
            for key in ready:
                if key.fileobj is self._door:
                    talk = Talk(self._door.accept()[0])
                    self._selector.register(talk.socket, selectors.EVENT_READ, talk)
                elif isinstance(key.data, Talk):
                    if (said := key.data.heard()) is None:
                        self._forget(key.data)
                    else:
                        yield from ((key.data, each) for each in said)
            if len(ready) == 1 and ready[0].fileobj is self._ended:  # all that was said before is heard
                return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for key in [*self._selector.get_map().values()]:
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
        self._end.close()
        self._selector.close()

    def _forget(self, talk: Talk) -> None:
        self._selector.unregister(talk.socket)
        talk.socket.close()


def _line(said: Mapping[str, Any]) -> bytes:
    return json.dumps(said).encode() + b"\n"
