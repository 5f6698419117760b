"""The door for strangers: a query in a process of its own over a copy of the views, killed at its limits.

What DuckDB cannot stop, the system does: the memory that one function asks for at once, a plan that no timer
interrupts, a fault of the library itself. The child knows one file, which is a copy, and neither network nor ledger.
Its answer goes into a file that nobody else can open, so none takes memory here, however long it is.
"""

# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import IO, TYPE_CHECKING, Any, Final

from ...errors import Refused, Unavailable
from ...sent_errors import raised
from .client import Question
from .query import LONGEST

if TYPE_CHECKING:
    import pyarrow as pa

_STARTING: Final = 20.0
"""Seconds that a child may take to start and open the file, beside the query's own."""
_PIECE: Final = 1 << 16
_FAREWELL: Final = 4096
"""Bytes of what a dying child says that are looked at."""
_ASKS: Final = b'{"open":'
"""How a line begins that asks for texts to be opened."""
_LINE: Final = 64 << 20
"""Bytes of what it says at a time: 100 texts to be opened, or an error, which quotes the query."""


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """What one query may take."""

    seconds: float = 10.0
    """Of wall time, from when the child has opened the file."""
    cpu_seconds: int = 20
    """Of all its threads."""
    memory: int = 2 << 30
    """Bytes of address space beside what an idle child takes."""
    answer: int = 64 << 20
    """Bytes of the answer."""
    rows: int = 5_000_000
    """Rows of the answer."""
    threads: int = 2


class AnswerRows:
    """The rows of an answer, in a file that has no name."""

    def __init__(self, file: IO[bytes], rows: int) -> None:
        self._file = file
        self.num_rows = rows

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        import pyarrow as pa

        self._file.seek(0)
        return pa.ipc.open_stream(self._file).schema

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows from the first, some thousands at a time."""
        import pyarrow as pa

        self._file.seek(0)
        yield from pa.ipc.open_stream(self._file)

    def close(self) -> None:
        """Give the room up."""
        self._file.close()


class StrangersQuery:
    """One SELECT over a copy of the views, such as `snapshot` makes, answered by a child that is killed at its limits.

    It is parsed there too. `end` may be called by any thread.
    """

    def __init__(self, snapshot: str | Path, question: Question, limits: QueryLimits = QueryLimits()) -> None:
        self._snapshot = Path(snapshot).absolute()  # the child works in another folder
        self._question = question
        self._limits = limits
        self._lock = Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._ended = False

    def answer(self) -> AnswerRows:
        """The answer. The caller's thread must outlive it: the kernel ends a child with the thread that started it.

        Raises what `query` raises; `Refused` past a limit or where there is no such copy; `Unavailable` where no child
        starts, or behind `end`.
        """
        if not self._snapshot.is_file():
            raise Refused(f"there is no copy of the views in {self._snapshot.name}; `lepton snapshot` makes one")
        if len(self._question.sql.encode(errors="replace")) > LONGEST:
            raise Refused(f"a query has at most {LONGEST:,} bytes; give lists of values as parameters")
        file = tempfile.TemporaryFile(dir=self._snapshot.parent, prefix="answer-")  # noqa: SIM115 - it goes with the rows
        try:
            with self._started(file) as (child, wire):
                reply = self._reply(child, wire)
            if "error" in reply:
                raise raised(reply)
            return AnswerRows(file, reply["rows"])
        except BaseException as error:
            file.close()
            if self._ended and isinstance(error, Refused):
                raise Unavailable("whoever asked has gone; the query was ended") from error
            raise

    def end(self) -> None:
        """End the child with all that it started, whatever it is at."""
        with self._lock:
            self._ended = True
            if self._child is not None:
                _killed(self._child)

    def _reply(self, child: subprocess.Popen[bytes], wire: socket.socket) -> dict[str, Any]:
        """What a child says of its answer, once that is in its file; what it asks to be opened meanwhile is."""
        assert child.stderr is not None
        end = time.monotonic() + _STARTING + self._limits.seconds
        wire.settimeout(_STARTING)
        reply, heard, said = b"", bytearray(), bytearray()
        with selectors.DefaultSelector() as ready:
            ready.register(wire.fileno(), selectors.EVENT_READ, heard)
            ready.register(child.stderr.fileno(), selectors.EVENT_READ, said)
            _say(wire, self._order())
            while ready.get_map():
                if (left := end - time.monotonic()) <= 0:
                    raise _too_slow(self._limits)
                for key, _ in ready.select(left):
                    if not (piece := _piece(key.fd)):
                        ready.unregister(key.fd)
                    if key.data is said:
                        said += piece[: _FAREWELL - len(said)]
                    elif line := _line(heard, piece):
                        reply = self._opened(wire, line)
        if child.wait(timeout=_STARTING) == 0 and reply:
            return json.loads(reply)
        raise _refusal(child.returncode, bytes(said), self._limits)

    def _opened(self, wire: socket.socket, line: bytes) -> bytes:
        """Answer what asks for texts to be opened; anything else is the child's last word."""
        opener = self._question.opener
        if opener is None or not line.startswith(_ASKS):
            return line
        texts = json.loads(line)["open"]
        known = opener.opened_all(texts)
        _say(wire, {"words": [known[text] for text in texts]})
        return b""

    def _order(self) -> dict[str, Any]:
        limits = self._limits
        fields = self._question._replace(timeout=limits.seconds).to_dict()
        order = {**fields, "file": str(self._snapshot), "parent": os.getpid(), "cpu": limits.cpu_seconds}
        order["opens"] = self._question.opener is not None
        return order | {name: getattr(limits, name) for name in ("memory", "answer", "rows", "threads")}

    @contextmanager
    def _started(self, answer: IO[bytes]) -> Generator[tuple[subprocess.Popen[bytes], socket.socket]]:
        environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONSAFEPATH": "1", "OPENBLAS_NUM_THREADS": "1"}
        ours, theirs = socket.socketpair()
        with ours:
            with theirs, self._lock:
                if self._ended:
                    raise Unavailable("whoever asked has gone; the query was not begun")
                try:
                    child = subprocess.Popen(
                        [sys.executable, "-I", "-c", _PROGRAM, *map(str, sys.path)],
                        stdin=theirs.fileno(),
                        stdout=answer,
                        stderr=subprocess.PIPE,
                        env=environment,
                        cwd="/",
                        start_new_session=True,
                    )
                except OSError as error:
                    said = f"no process for the query can be started ({error.strerror}); try again"
                    raise Unavailable(said) from error
                self._child = child
            with child:
                try:
                    yield child, ours
                finally:
                    with self._lock:
                        _killed(child)
                        child.wait()
                        self._child = None


def answer(snapshot: str | Path, question: str | Question, limits: QueryLimits = QueryLimits()) -> pa.Table:
    """The answer of a stranger's query as a table; see `StrangersQuery`."""
    import pyarrow as pa

    asked = Question(question) if isinstance(question, str) else question
    rows = StrangersQuery(snapshot, asked, limits).answer()
    try:
        return pa.Table.from_batches(rows.batches(), rows.schema)
    finally:
        rows.close()


def _killed(child: subprocess.Popen[bytes]) -> None:
    if child.returncode is None:  # it is not waited for yet, so the number is still its own
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)


def _say(wire: socket.socket, words: Mapping[str, Any]) -> None:
    with suppress(BrokenPipeError, ConnectionResetError):  # it has died, and why is told at its end
        wire.sendall(json.dumps(words, default=str).encode() + b"\n")


def _line(heard: bytearray, piece: bytes) -> bytes:
    """The line that a piece ends; nothing while it goes on."""
    heard += piece
    if len(heard) > _LINE:
        raise Refused("the query says too much of itself; write it another way")
    if not heard.endswith(b"\n"):
        return b""
    line = bytes(heard)
    heard.clear()
    return line


def _piece(place: int) -> bytes:
    try:
        return os.read(place, _PIECE)
    except ConnectionResetError:  # it died before it read what it was told
        return b""


def _refusal(code: int, said: bytes, limits: QueryLimits) -> Refused:
    """Why a child ended without an answer."""
    if code in (-signal.SIGXCPU, -signal.SIGKILL, -signal.SIGALRM):
        return _too_slow(limits)
    if b"memory" in said.lower() or b"bad_alloc" in said or code in (-signal.SIGABRT, -signal.SIGBUS):
        return Refused("the query needs more memory than queries have; read fewer rows or columns")
    return Refused("the query makes the database fail; write it another way")


def _too_slow(limits: QueryLimits) -> Refused:
    return Refused(f"the query ran longer than {limits.seconds:g} s; read less")


_PROGRAM: Final = (
    "import sys; sys.path[:] = sys.argv[1:]; from lepton_ai.projections.queries.confined import main; main()"
)
