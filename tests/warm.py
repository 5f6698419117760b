"""Processes of jobs that begin with their imports done: forked off one that did them once.

A worker spawns a process for each job, which imports torch first: two seconds of a core, for a fit of a tenth of one.
In the tests it is forked instead; its program, arguments, environment, folder, session, stdin, pipe and end are the
same. Where the process itself is asked about (tests/workers), and where the worker is a process, it is spawned.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from fcntl import F_DUPFD, fcntl
from importlib import import_module
from threading import Lock
from typing import IO, Any, Final

PROGRAMS: Final = ("lepton_ai.cli.child", "lepton_ai.cli.search")
IMPORTED: Final = (
    "torch", "pandas", "pyarrow.csv", "pyarrow.parquet", "scipy.stats",
    "lepton_ai.manager", "lepton_ai.tensors.address", "lepton_ai.workers.child", "lepton_ai.workers.rows",
    "lepton_ai.workers.tasks", "lepton_ai.datasets.read", "lepton_ai.evaluation.report",
    "lepton_ai.models.credit.model",
)  # fmt: skip
"""What most of them import."""
AT_ITS_START: Final = ("PYTHONPATH", "OMP_NUM_THREADS", "ARROW_DEFAULT_MEMORY_POOL", "MALLOC_MMAP_THRESHOLD_")
"""Variables that a process reads as it begins or imports: one that is given others is spawned."""
SIZE: Final = 1 << 17
HIGH: Final = 500
"""Beyond the numbers of files that a test has open."""


class Forked:
    """A process that was forked, as its worker sees one that it spawned."""

    def __init__(self, pid: int, stdin: int, end: int) -> None:
        self.pid = pid
        self.stdin: IO[bytes] = os.fdopen(stdin, "wb")
        self.returncode: int | None = None
        self._end = end
        self._lock = Lock()

    def poll(self) -> int | None:
        """How it ended; None while it runs."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises `subprocess.TimeoutExpired`."""
        if (code := self._ended(timeout)) is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return code

    def _ended(self, timeout: float | None) -> int | None:
        with self._lock:
            if self.returncode is None and _readable(self._end, timeout):
                self.returncode = int(os.read(self._end, SIZE) or -signal.SIGKILL)
                os.close(self._end)
            return self.returncode


class Forks:
    """Stands for `subprocess` in `workers.attempt`; until the imports are done processes are spawned as ever."""

    PIPE = subprocess.PIPE
    TimeoutExpired = subprocess.TimeoutExpired

    def __init__(self) -> None:
        self._lock = Lock()
        self._begun: dict[str, str | None] = {}
        self._source: tuple[subprocess.Popen[bytes], socket.socket] | None = None
        self._ready = False

    def Popen(self, command: Sequence[str], **how: Any) -> Any:
        """Fork a process of a job; spawn any other."""
        if command[2] not in PROGRAMS or not self._is_ready(how["env"]):
            return subprocess.Popen(command, **how)
        assert self._source is not None
        (stdin, write), (read, end), here = os.pipe(), os.pipe(), os.open(".", os.O_RDONLY)
        (pipe,) = how["pass_fds"]
        asked = json.dumps({"program": command[2], "pipe": pipe, "environment": dict(how["env"])}).encode()
        try:
            with self._lock:
                files = (end, here, stdin, how["stdout"].fileno(), how["stderr"].fileno(), pipe)
                socket.send_fds(self._source[1], [asked], files)
                pid = int(self._source[1].recv(SIZE))
        finally:
            for each in (end, here, stdin):
                os.close(each)
        return Forked(pid, write, read)

    def close(self) -> None:
        """End what they are forked off, which ends those that still run."""
        if self._source is not None:
            self._source[1].close()
            self._source[0].wait()

    def _is_ready(self, environment: Mapping[str, str]) -> bool:
        with self._lock:
            if self._source is None:
                self._begun = _at_its_start(environment)
                self._source = _started(environment)
            elif not self._ready and _readable(self._source[1].fileno(), 0):
                self._ready = bool(self._source[1].recv(SIZE))
            return self._ready and _at_its_start(environment) == self._begun


@contextmanager
def forks() -> Iterator[Forks]:
    """What forks, until the tests of this process end."""
    begun = Forks()
    yield begun
    begun.close()


def _started(environment: Mapping[str, str]) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """The process that all are forked off, and how to talk to it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        command, given = (sys.executable, __file__, str(theirs.fileno())), (theirs.fileno(),)
        return subprocess.Popen(command, pass_fds=given, stdin=subprocess.DEVNULL, env=environment, cwd="/"), ours


def _at_its_start(environment: Mapping[str, str]) -> dict[str, str | None]:
    return {name: environment.get(name) for name in AT_ITS_START}


def _readable(file: int, timeout: float | None) -> bool:
    with selectors.DefaultSelector() as waiting:
        waiting.register(file, selectors.EVENT_READ)
        return bool(waiting.select(timeout))


def serve(place: int) -> str:
    """Fork a process for each that is asked for, and tell how each ended; in what is forked it returns the program."""
    talk = fcntl(place, F_DUPFD, HIGH)
    os.close(place)
    for name in IMPORTED:
        import_module(name)
    gc.freeze()
    asked, running = socket.socket(fileno=talk), dict[int, tuple[int, int]]()
    waiting = selectors.DefaultSelector()
    waiting.register(asked, selectors.EVENT_READ)
    asked.send(b"ready")
    while True:
        for key, _ in waiting.select():
            if key.fd != talk:
                waiting.unregister(key.fd)
                os.close(key.fd)
                pid, end = running.pop(key.fd)
                with suppress(BrokenPipeError):
                    os.write(end, str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())
                os.close(end)
                continue
            order, (end, *files), *_ = socket.recv_fds(asked, SIZE, 8) if _open(asked) else _over(running)
            if (pid := os.fork()) == 0:
                waiting.close()
                asked.close()
                for file in (end, *(each for watched, (_, told) in running.items() for each in (watched, told))):
                    os.close(file)
                return _become(json.loads(order), files)
            asked.send(str(pid).encode())
            for file in files:
                os.close(file)
            watched = os.pidfd_open(pid)
            running[watched] = pid, end
            waiting.register(watched, selectors.EVENT_READ)


def _open(asked: socket.socket) -> bool:
    return bool(asked.recv(1, socket.MSG_PEEK))


def _over(running: Mapping[int, tuple[int, int]]) -> Any:
    """The tests have ended: so do all that still run."""
    for pid, _ in running.values():
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    os._exit(0)


def _become(order: dict[str, Any], files: Sequence[int]) -> str:
    """Be the process that is asked for, but for its program."""
    os.setsid()
    here, *theirs = [fcntl(file, F_DUPFD, HIGH) for file in files]
    for file in files:
        os.close(file)
    for file, number in zip(theirs, (0, 1, 2, order["pipe"]), strict=True):
        os.dup2(file, number)
        os.close(file)
    os.fchdir(here)
    os.close(here)
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    sys.argv = [order["program"], str(order["pipe"])]
    return order["program"]


if __name__ == "__main__":
    runpy.run_module(serve(int(sys.argv[1])), run_name="__main__", alter_sys=True)
