"""The server at work: uvicorn over the application, until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from threading import Event
from typing import Final

import uvicorn

from ..errors import Refused, Unavailable
from .app import application
from .door.protocol import BoundedProtocol
from .options import ServeOptions
from .served import ServedLedger

ENDING: Final = 2
"""Seconds that requests under way have when the server is told to stop."""
_LOOKS: Final = 0.05


def serve(service: ServedLedger, stop: Event, ready: Callable[[str], None]) -> None:
    """Serve until `stop` is set; `ready` is told the address once it is answered there.

    Raises `Refused` where strangers would be answered, `Unavailable` where the port is taken.
    """
    check_may_start(service)
    with _listening(service.options) as listening, asyncio.Runner(loop_factory=_loop()) as runner:
        runner.run(_served(service, listening, stop, ready))


def check_may_start(service: ServedLedger) -> None:
    """Raise `Refused` where the server would answer strangers."""
    options = service.options
    if options.is_private:
        return
    if not options.hosts:
        what = "beyond this machine the server must know by which names it is called"
        by = "LEPTON_SERVE_HOSTS"
        raise Refused(what, python=f"name them by {by}", cli=f"name them by --hosts or {by}")
    if options.issuer is None and not service.has_tokens():
        raise Refused("beyond this machine the ledger is for those who hold a token; `lepton token create` makes one")


async def _served(service: ServedLedger, listening: socket.socket, stop: Event, ready: Callable[[str], None]) -> None:
    options = service.options
    server = _Server(
        uvicorn.Config(
            application(service),
            http=BoundedProtocol,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(options.proxies),
            forwarded_allow_ips=list(options.proxies),
            ssl_certfile=options.certificate,
            ssl_keyfile=options.key,
            timeout_graceful_shutdown=ENDING,
            timeout_keep_alive=75,
        )
    )
    work = asyncio.ensure_future(server.serve(sockets=[listening]))
    told = False
    _hear_signals(stop)
    while not work.done() and not stop.is_set():
        if server.started and not told:
            told = True
            ready(f"{options.scheme}://{_named(options)}:{listening.getsockname()[1]}")
        await asyncio.sleep(_LOOKS)
    service.ending.set()
    server.should_exit = True
    await work


def _hear_signals(stop: Event) -> None:
    """Have the loop hear the signals that ask to stop, where it runs in the main thread: it takes the interpreter's way
    of telling of signals from whoever listened there before. The second of a kind ends the process at once."""
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()

    def heard(number: int) -> None:
        stop.set()
        loop.remove_signal_handler(number)

    with suppress(NotImplementedError):  # Windows, where a loop hears none
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, heard, number)


class _Server(uvicorn.Server):
    """uvicorn, told when to end by whoever runs it."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """None: they are not its own."""
        yield


def _loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


def _listening(options: ServeOptions) -> socket.socket:
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            options.host.strip("[]"), options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, proto)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        where = f"{options.host}:{options.port}"
        raise Unavailable(f"{where} cannot be listened on ({error.strerror}); choose another port") from error
    listening.listen(1024)
    return listening


def _named(options: ServeOptions) -> str:
    return f"[{options.host}]" if ":" in options.host and not options.host.startswith("[") else options.host
