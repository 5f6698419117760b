"""Signals that ask a process to stop: the first lets it leave in good order, the second ends it at once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from socket import socket, socketpair
from threading import Event, Thread
from typing import Final

STOPPING: Final = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stopping(stop: Event) -> Generator[None]:
    """Within it SIGTERM and Ctrl-C set an event; to be used in the main thread.

    Another thread sets it, told through a socket by the interpreter itself: a handler runs between any two steps of the
    main thread, which may just hold the event's own lock, and would then wait for itself for ever.
    """
    told, ear = socketpair()
    told.setblocking(False)
    listener = Thread(target=_listen, args=(ear, stop), name="signals", daemon=True)
    listener.start()
    before = {number: signal.getsignal(number) for number in STOPPING}

    def restore(number: int, frame: object) -> None:  # noqa: ARG001 - a handler's signature
        signal.signal(number, before[signal.Signals(number)])

    heard = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
    for number in STOPPING:
        signal.signal(number, restore)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(heard)
        told.close()
        listener.join()


def end_after(stop: Event, seconds: float) -> None:
    """Have this process end so many seconds after `stop` is set at the latest, wherever it is by then.

    Threads that wait for something, such as a database, cannot be made to give up, and Python waits for them.
    """

    def watch() -> None:
        stop.wait()
        time.sleep(seconds)
        os._exit(0)  # without a word: the interpreter may be at its end, and stderr locked

    Thread(target=watch, name="ending", daemon=True).start()


def _listen(ear: socket, stop: Event) -> None:
    with ear:
        while numbers := ear.recv(64):
            if not {*numbers}.isdisjoint(STOPPING):
                stop.set()
