"""An attempt at a job: the spawned process that does the work, as its worker sees it."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from fcntl import F_SETFL, fcntl
from pathlib import Path
from threading import Thread
from typing import Any, Final

from ..errors import Malformed
from ..jobs.protocol.messages import FINAL, LARGEST, AttemptMessage, Failed, decoded
from ..jobs.protocol.orders import Order

TAIL: Final = 1500
"""Characters of what a process wrote last, told where it died."""
WRITTEN: Final = 64 << 20
"""Bytes that a process may have written to stdout and stderr before they are thrown away: only the last are told."""
TALK: Final = 4 << 20
"""Bytes that are heard of one process at one look; more than a pipe holds."""
GRACE: Final = 5.0
"""Seconds for a process that was killed to be gone."""
NOT_TOLD: Final = (
    "LEPTON_DATABASE",
    "LEPTON_KAFKA",
    "LEPTON_KAFKA_CERTIFICATE",
    "LEPTON_KAFKA_KEY",
    "LEPTON_KAFKA_KEY_PASSWORD",
    "LEPTON_WORKER_SECRET",
    "LEPTON_WORKER_SECRET_FILE",
)
"""What a process finds in no environment: it talks to its worker alone, and these may hold passwords."""
_FRUGAL: Final = {"ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_MMAP_THRESHOLD_": str(4 << 20)}
"""For a process whose memory is limited: Arrow's own pool sets a gigabyte aside at once, used or not, and glibc keeps
large arrays that were freed."""
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")

log = logging.getLogger("lepton.worker")


class Attempt:
    """A process of its own, in a session of its own: it shares no memory, no database and no fate with the worker.

    It is given its order on stdin and talks back by a pipe, a message a line; when the worker dies its stdin ends, and
    it dies too.
    """

    def __init__(self, order: Order, program: str, objects: Mapping[str, Any], environment: dict[str, str]) -> None:
        self.order = order
        self.began = time.monotonic()
        self.told = 0
        """The number of the last thing it said."""
        self.answered = False
        self._fault: tuple[str, str, bool] | None = None
        self._stopped: float | None = None
        self._still: float | None = None
        """Since when it has been seen stopped by a signal."""
        self._rest = b""
        self._garbled = ""
        """What was wrong with the last line that was no message."""
        self._written = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process lives
        try:
            fcntl(self._written, F_SETFL, os.O_APPEND)  # what is cut off its end stays off
            self.pipe, theirs = os.pipe()
        except BaseException:
            self._written.close()
            raise
        os.set_blocking(self.pipe, False)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", program, str(theirs)],
                stdin=subprocess.PIPE,
                stdout=self._written,
                stderr=self._written,
                pass_fds=(theirs,),
                env={name: value for name, value in os.environ.items() if name not in NOT_TOLD}
                | {"PYTHONSAFEPATH": "1"}
                | ({} if order.memory is None else _FRUGAL)
                | environment,
                start_new_session=True,
            )
        except BaseException:
            os.close(self.pipe)
            self._written.close()
            raise
        finally:
            os.close(theirs)
        task = json.dumps({"objects": dict(objects), "order": order.model_dump(mode="json")})
        # it may be larger than a pipe holds, and the worker waits for nobody
        try:
            Thread(target=self._tell, args=(f"{task}\n",), daemon=True).start()
        except BaseException:
            self.kill("NotSpawned", "it could not be told its order")
            self.close()
            raise

    @property
    def name(self) -> tuple[str, int]:
        """Which attempt at which job."""
        return self.order.job, self.order.epoch

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def heard(self) -> Iterator[tuple[AttemptMessage, bytes]]:
        """What it has said since, each message with its exact bytes; at its end, what became of it.

        A line that is no message of this attempt is passed over, and told where nothing else tells of its end.
        """
        ended = self._process.poll() is not None
        for line in self._lines():
            try:
                message = decoded(line)
                if not isinstance(message, AttemptMessage) or (message.job, message.epoch) != self.name:
                    raise Malformed("it is of another attempt")
            except Malformed as error:
                self._garbled = str(error)[:500]
                log.warning("job %s, attempt %d: %d bytes are passed over: %s", *self.name, len(line), error)
                continue
            self.told, self.answered = message.n, self.answered or isinstance(message, FINAL)
            yield message, line
        if ended:
            os.close(self.pipe)
            self.pipe = -1

    @property
    def over(self) -> bool:
        """Whether the process is gone and all that it said has been heard."""
        return self.pipe < 0

    def check(self, drain: float, still: float) -> None:
        """Hold it to its limits: bytes that it has in memory, seconds that it has run.

        It ends `drain` seconds after it was asked to, and where it has stood still for `still` seconds by a signal.
        """
        order, now = self.order, time.monotonic()
        if os.fstat(self._written.fileno()).st_blocks * 512 > WRITTEN:
            os.ftruncate(self._written.fileno(), 0)
        if order.memory is not None and self._resident() > order.memory:
            self.kill("OutOfMemory", f"it took more than the {order.memory:,} bytes of its limit")
        elif order.seconds is not None and now - self.began > order.seconds:
            self.kill("TimeLimit", f"it took longer than the {order.seconds:g} s of its limit")
        elif self._halted(now) > still:
            self.kill("Killed", f"its process was stopped by a signal for {still:g} s", again=True)
        elif self._stopped is not None and now - self._stopped > drain:
            self.kill("Drained", "its worker had to leave", again=True)

    def stop(self) -> None:
        """Ask it to keep what it has come to, and to end."""
        if self._stopped is None:
            self._stopped = time.monotonic()
            Thread(target=self._tell, args=("stop\n",), daemon=True).start()

    def kill(self, error: str, reason: str, *, again: bool = False) -> None:
        """End it and all that it spawned, now."""
        self._fault = self._fault or (error, reason, again)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Wait for its end, and give back what is open. One that the kernel holds is not waited for."""
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            log.error("job %s, attempt %d: process %d does not end; the kernel holds it", *self.name, self.pid)
        if self.pipe >= 0:
            os.close(self.pipe)
            self.pipe = -1
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        self._written.close()

    def obituary(self) -> Failed:
        """The final answer of one that ended without."""
        code = self._process.returncode
        if self._fault is not None:
            error, reason, again = self._fault
        elif code < 0:
            error, reason, again = "Killed", f"its process died of {_signal(-code)}", True
        else:
            error, reason, again = "Exited", f"its process ended with code {code} and without an answer", True
        if self._garbled and self._fault is None:
            reason = f"{reason}; of what it said a part was no message ({self._garbled})"
        if tail := self._tail():
            reason = f"{reason}; it last wrote:\n{tail}"
        job, epoch = self.name
        return Failed(
            job=job,
            epoch=epoch,
            n=self.told + 1,
            error=error,
            reason=reason,
            again=again,
            counted=error != "Drained",
        )

    def _lines(self) -> Iterator[bytes]:
        """Whole lines, of no more than so much at a time: it may talk faster than we hear."""
        more = 0
        with suppress(BlockingIOError):
            while more < TALK and (piece := os.read(self.pipe, 1 << 16)):
                self._rest, more = self._rest + piece, more + len(piece)
        *lines, self._rest = self._rest.split(b"\n")
        if len(self._rest) > 2 * LARGEST:
            self._rest = b""
            self.kill("Malformed", f"it said more than {2 * LARGEST:,} bytes without an end")
        yield from lines

    def _halted(self, now: float) -> float:
        """For how many seconds it has been seen stopped by a signal."""
        try:
            state = Path(f"/proc/{self.pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
        except (OSError, IndexError):
            state = b""
        self._still = (self._still or now) if state == b"T" else None
        return 0.0 if self._still is None else now - self._still

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        with suppress(OSError, ValueError):
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()

    def _resident(self) -> int:
        try:
            with open(f"/proc/{self.pid}/statm", "rb") as told:  # noqa: PTH123 - once every look
                return int(told.read().split()[1]) * _PAGE
        except (OSError, IndexError):
            return 0

    def _tail(self) -> str:
        self._written.seek(0, os.SEEK_END)
        self._written.seek(max(0, self._written.tell() - TAIL))
        return self._written.read().decode(errors="replace").strip()


def _signal(number: int) -> str:
    """A signal's name; the number of one that has none, as real-time signals have not."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
