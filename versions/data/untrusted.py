"""Files of strangers, read by processes of their own: what makes a library fail ends one of these, and no server."""

from __future__ import annotations

import atexit
import json
import os
import selectors
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import Any, Final

from ...errors import Malformed, Refused, Unavailable
from ...sent_errors import raised

_CHILDREN: Final = 2
"""Files that are read at a time."""
_STARTING: Final = 20.0
_PIECE: Final = 1 << 16
_PROGRAM: Final = "import sys; sys.path[:] = sys.argv[1:]; from lepton_ai.datasets.untrusted import main; main()"


class UntrustedReaders:
    """Processes that read files of strangers, started when there are some and used again; safe to share by threads."""

    def __init__(self, seconds: float = 120.0) -> None:
        self._seconds = seconds
        self._room = BoundedSemaphore(_CHILDREN)
        self._lock = Lock()
        self._idle = list[_ReadingChild]()
        self._owner = os.getpid()

    def read(self, path: Path, out: Path, unpacked: int) -> dict[str, Any]:
        """The `count` of rows in a file and its `columns`; the table is written to `out`, unless it is text.

        Raises `Malformed` where it cannot be read, `Refused` where it takes more time or memory than it may, and
        `Unavailable` where no process for it can be started.
        """
        if not self._room.acquire(timeout=self._seconds):
            raise Unavailable("other rows that were sent are being read; try again")
        try:
            answer = self._answer({"path": str(path), "out": str(out), "unpacked": unpacked})
        finally:
            self._room.release()
        if "error" in answer:
            raise raised(answer)
        return answer

    def _answer(self, order: dict[str, Any]) -> dict[str, Any]:
        child = self._taken() or _ReadingChild()
        try:
            answer = child.asked(order, self._seconds)
        except BaseException:
            child.end()
            raise
        with self._lock:
            self._idle.append(child)
        return answer

    def close(self) -> None:
        """End those that are idle; the next file starts one anew."""
        while (child := self._taken()) is not None:
            child.end()

    def _taken(self) -> _ReadingChild | None:
        with self._lock:
            if self._owner != os.getpid():  # a fork's children are not its own
                self._owner, self._idle = os.getpid(), []
            return self._idle.pop() if self._idle else None


class _ReadingChild:
    """One of these processes. It ends with its parent, whose end of the pipe is closed then."""

    def __init__(self) -> None:
        environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONSAFEPATH": "1", "OPENBLAS_NUM_THREADS": "1"}
        environment["MALLOC_ARENA_MAX"] = "1"  # each thread's own would take 64 MiB of the addresses that it may have
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", _PROGRAM, *map(str, sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            raise Unavailable(f"no process that reads the rows can be started ({error.strerror}); try again") from error

    def asked(self, order: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Its answer to an order. Raises `Malformed` where it died of the file, `Refused` where it took too long."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):  # it has died, which is told below
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.flush()
        name = Path(order["path"]).name
        answer, until = bytearray(), time.monotonic() + seconds + _STARTING
        with selectors.DefaultSelector() as ready:
            ready.register(self._process.stdout, selectors.EVENT_READ)
            while not answer.endswith(b"\n"):
                if not ready.select(max(0.0, until - time.monotonic())):
                    raise Refused(
                        f"{Path(order['path']).name} takes longer than {seconds:g} s to be read; send fewer rows"
                    )
                piece = os.read(self._process.stdout.fileno(), _PIECE)
                if not piece:
                    raise Malformed(f"{name} is damaged, so that it cannot be read; write it anew")
                answer += piece
        return json.loads(answer)

    def end(self) -> None:
        """End it, whatever it is at."""
        self._process.kill()
        with self._process:
            pass


READERS: Final = UntrustedReaders()
"""Those of this process."""
atexit.register(READERS.close)
