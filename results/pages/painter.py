"""Charts from a process of its own, kept warm: what one costs or breaks there, whoever asks does not pay."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from threading import Lock, Timer
from typing import Any, Final

from ...errors import Unavailable
from .drawing import check_drawing

SECONDS: Final = 60.0
"""How long a chart may take; the first one loads the libraries."""


class Painter:
    """One process, begun with the first order and again with the next where it ended; one order at a time."""

    def __init__(self) -> None:
        self._turn = Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._closed = False

    @property
    def process(self) -> int | None:
        """The process that draws, if there is one."""
        return None if self._child is None else self._child.pid

    def made(self, order: Mapping[str, Any], seconds: float = SECONDS) -> dict[str, Any]:
        """The answer to an order of `artist`.

        Raises `Unavailable` where the libraries are not installed, where it takes longer than `seconds`, and where the
        process ends without an answer.
        """
        check_drawing()
        line = json.dumps(order).encode() + b"\n"
        with self._turn:
            warm = self._child is not None
            answer = self._answer(line, seconds)
            if answer is None and warm:  # it ended while nobody asked
                answer = self._answer(line, seconds)
        if answer is None:
            raise Unavailable("the process that draws charts ended without a chart; ask for fewer points")
        if "error" in answer:
            raise Unavailable(f"a chart could not be drawn ({answer['error']})")
        return answer

    def close(self) -> None:
        """End the process, whatever it is at."""
        self._closed = True
        if (child := self._child) is not None:
            child.kill()  # an order under way ends by it too
        with self._turn:
            if self._child is not None:
                self._ended(self._child)

    def _answer(self, line: bytes, seconds: float) -> dict[str, Any] | None:
        """What the process answers; None where it ended by itself."""
        child = self._child = self._child or self._begun()
        assert child.stdin is not None
        assert child.stdout is not None
        late = Timer(seconds, child.kill)
        late.start()
        try:
            child.stdin.write(line)
            child.stdin.flush()
            told = child.stdout.readline()
        except OSError:
            told = b""
        finally:
            in_time = late.is_alive()
            late.cancel()
        if told.endswith(b"\n"):
            return json.loads(told)
        self._ended(child)
        if not in_time:
            raise Unavailable(f"a chart took longer than {seconds:g} seconds to draw; ask for fewer points")
        return None

    def _begun(self) -> subprocess.Popen[bytes]:
        if self._closed:
            raise Unavailable("the server is ending; ask again")
        call = [sys.executable, "-m", "lepton_ai.results.pages.artist"]
        return subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def _ended(self, child: subprocess.Popen[bytes]) -> None:
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            with suppress(OSError):  # what was not sent is not needed
                if pipe is not None:
                    pipe.close()
        self._child = None
