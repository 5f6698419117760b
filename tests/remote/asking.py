"""Tensors saved to a served ledger and loaded from it, as its remote manager does, and the bytes that this takes."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from socket import AF_INET, SHUT_RDWR, SOCK_STREAM, socket
from typing import Any
from weakref import WeakKeyDictionary

import uuid_utils

from lepton_ai.remote.client import Client
from lepton_ai.remote.place import named
from lepton_ai.remote.transfer.saving import saved
from lepton_ai.remote.transfer.vault import RemoteVersions
from lepton_ai.results import Version
from lepton_ai.tensors.manifest import TensorEntry, zeroed
from lepton_ai.tensors.tensor import Array, Tensor
from lepton_ai.versions.save_request import asked_for, filled
from lepton_ai.versions.source import Subject


class Remote:
    """Saves and loads tensors over HTTP."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.client = Client(named(url, {} if token is None else {"LEPTON_TOKEN": token}))
        self._origins: WeakKeyDictionary[Any, Version] = WeakKeyDictionary()
        self.versions = RemoteVersions(self.client, self._origins.get, self._origins.__setitem__)

    def save(self, tensors: Mapping[str, Tensor], name: str, key: str = "", **asked: Any) -> Version:
        subject = Subject(name=name, named=True, tensors=tensors)
        asked = {"environment": {}, "code": {}, **asked}
        return saved(self.client, subject, filled(subject, asked_for(None, asked)), key or str(uuid_utils.uuid7()))

    def arrays(self, rev: str, names: list[str] | None = None) -> dict[str, Array]:
        return self.versions.tensors(rev, names, _empty)

    def close(self) -> None:
        self.versions.close()
        self.client.close()


def _empty(dtype: str, shape: tuple[int, ...]) -> tuple[Array, Array]:
    made = zeroed(TensorEntry("", dtype, shape, ""))
    return made, made


@dataclass
class Between:
    """A proxy of bytes before a server, which counts them, may change those that come back, and may cut."""

    url: str
    change: Callable[[bytes], bytes] = lambda data: data
    """What becomes of bytes on their way back."""
    most: int | None = None
    """Bytes after which connections are cut, each time that so many have passed in one direction."""
    seen: Callable[[int], None] = lambda there: None
    """Told how many bytes have gone there."""
    back: int = 0
    there: int = 0
    asked: list[str] = field(default_factory=list)
    """The first line of each request that began a piece."""

    def __enter__(self) -> Between:
        host, port = re.fullmatch(r"http://(.+):(\d+)", self.url).groups()  # type: ignore[union-attr]
        self._server = (host, int(port))
        self._listening = socket(AF_INET, SOCK_STREAM)
        self._listening.bind(("127.0.0.1", 0))
        self._listening.listen(64)
        self._sockets = [self._listening]
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._sockets:
            _cut(each)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket(AF_INET, SOCK_STREAM)
                try:
                    server.connect(self._server)
                except OSError:
                    _cut(client)
                    continue
                self._sockets += [client, server]
                for pair in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pass, args=pair, daemon=True).start()

    def _pass(self, source: socket, target: socket, there: bool) -> None:
        passed = 0
        with suppress(OSError):
            while data := source.recv(1 << 16):
                passed += len(data)
                if there:
                    self.there += len(data)
                    self.seen(self.there)
                    self.asked += [data.split(b"\r\n")[0].decode("latin-1")] if data[:4] in (b"GET ", b"POST") else []
                else:
                    self.back += len(data)
                    data = self.change(data)
                target.sendall(data)
                if self.most is not None and passed > self.most:
                    break
        _cut(source)
        _cut(target)


def _cut(each: socket) -> None:
    with suppress(OSError):
        each.shutdown(SHUT_RDWR)
    each.close()
