"""A ledger served over HTTP: by a real uvicorn, on a port of loopback, in a thread of the test's process."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any
from unittest.mock import patch

import httpx

from lepton_ai import ModelManager, settings
from lepton_ai.web.options import ServeOptions
from lepton_ai.web.served import ServedLedger
from lepton_ai.web.serving import serve
from lepton_ai.wiring import Home

from ..asking import PATIENCE


@dataclass
class Served:
    """A ledger that is served: `manager` is its own door, `url` where it is served."""

    url: str
    manager: ModelManager
    service: ServedLedger
    _clients: ExitStack = field(default_factory=ExitStack)

    def client(self, token: str | None = None, **options: Any) -> httpx.Client:
        """A client of the API, closed with the server."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        headers |= options.pop("headers", {})
        client = httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=PATIENCE, **options)
        return self._clients.enter_context(client)

    def token(self, *scopes: str, owner: str = "ada", models: tuple[str, ...] = ("*",)) -> str:
        """The secret of a new token."""
        return self.manager.create_token(owner, scopes=scopes, models=models).secret


@contextmanager
def served(home: Path, **options: Any) -> Iterator[Served]:
    """Serve the ledger of a home, made where there is none, until the context ends; however long, no run is lost."""
    with ExitStack() as stack:
        with patch.dict(os.environ, {"LEPTON_TERM_RUN": "100000"} | os.environ):
            loaded, manager = settings.load(home), stack.enter_context(ModelManager(home))
        parts = Home(loaded, quiet=True)
        parts.begin()
        stack.callback(parts.close)
        service = ServedLedger(manager, parts, ServeOptions(**{"port": 0, **options}))
        with running(service) as url:
            yield Served(url, manager, service, stack.enter_context(ExitStack()))


@contextmanager
def running(service: ServedLedger) -> Iterator[str]:
    """The server at work in a thread: the address where it answers."""
    stop, ready, told = Event(), Event(), list[str]()
    failed = list[BaseException]()

    def work() -> None:
        try:
            serve(service, stop, lambda url: (told.append(url), ready.set()))
        except BaseException as error:  # noqa: BLE001 - the test raises it
            failed.append(error)
        finally:
            ready.set()

    thread = Thread(target=work, name="server")
    thread.start()
    try:
        assert ready.wait(PATIENCE)
        if failed:
            raise failed[0]
        yield told[0]
    finally:
        stop.set()
        thread.join()


Serve = Callable[..., Served]
