"""The door for strangers: a query in a process of its own over a copy of the views, killed at its limits.

What DuckDB cannot stop, the system does: the memory that one function asks for at once, a plan that no timer
interrupts, a fault of the library itself. The child knows one file, which is a copy, and neither network nor ledger.
"""

# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
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
    threads: int = 2


def answer(snapshot: str | Path, question: str | Question, limits: QueryLimits = QueryLimits()) -> pa.Table:
    """The answer of one SELECT over a copy of the views, such as `snapshot` makes, given by a child that is killed.

    It is parsed there too. Raises what `query` raises; `Refused` past a limit or where there is no such copy;
    `Unavailable` where no child starts.
    """
    import pyarrow as pa

    file = Path(snapshot).absolute()  # the child works in another folder
    if not file.is_file():
        raise Refused(f"there is no copy of the views in {file.name}; `lepton snapshot` makes one")
    if isinstance(question, str):
        question = Question(question)
    if len(question.sql.encode(errors="replace")) > LONGEST:
        raise Refused(f"a query has at most {LONGEST:,} bytes; give lists of values as parameters")
    fields = question._replace(timeout=limits.seconds).to_dict()
    order = {**fields, "file": str(file), "parent": os.getpid(), "memory": limits.memory, "cpu": limits.cpu_seconds}
    order |= {"threads": limits.threads, "answer": limits.answer}
    raw = _told(json.dumps(order, default=str).encode(), limits)
    head, _, content = raw.partition(b"\n")
    reply: dict[str, Any] = json.loads(head)
    if "error" in reply:
        raise raised(reply)
    return pa.ipc.open_stream(content).read_all()


def _told(order: bytes, limits: QueryLimits) -> bytes:
    """What a child answers to an order. It is killed with all that it started, whatever becomes of us."""
    environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONSAFEPATH": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        descriptor = os.memfd_create("order")
        os.write(descriptor, order)
        os.lseek(descriptor, 0, os.SEEK_SET)
    except OSError as error:
        raise Unavailable(f"the query cannot be passed on ({error.strerror}); try again") from error
    try:
        child = subprocess.Popen(
            [sys.executable, "-I", "-c", _PROGRAM, *map(str, sys.path)],
            stdin=descriptor,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        raise Unavailable(f"no process for the query can be started ({error.strerror}); try again") from error
    finally:
        os.close(descriptor)
    with child:
        try:
            return _exchanged(child, limits)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)


def _exchanged(child: subprocess.Popen[bytes], limits: QueryLimits) -> bytes:
    assert child.stdout is not None
    assert child.stderr is not None
    out, said = _gathered(child.stdout, child.stderr, time.monotonic() + _STARTING + limits.seconds, limits)
    if child.wait(timeout=_STARTING) == 0:
        return out
    raise _refusal(child.returncode, said, limits)


def _gathered(stdout: IO[bytes], stderr: IO[bytes], end: float, limits: QueryLimits) -> tuple[bytes, bytes]:
    """All that a child writes until it closes both ends. Raises `Refused` behind `end`, or where it is too much."""
    output = {stdout: bytearray(), stderr: bytearray()}
    with selectors.DefaultSelector() as ready:
        for pipe in output:
            ready.register(pipe, selectors.EVENT_READ)
        while ready.get_map():
            left = end - time.monotonic()
            if left <= 0:
                raise Refused(f"the query ran longer than {limits.seconds:g} s; read less")
            for key, _ in ready.select(left):
                pipe: Any = key.fileobj
                if not (piece := os.read(pipe.fileno(), _PIECE)):
                    ready.unregister(pipe)
                    continue
                if pipe is stdout or len(output[pipe]) < _FAREWELL:
                    output[pipe] += piece
                if len(output[stdout]) > limits.answer + (1 << 20):
                    raise Refused(f"the answer exceeds {limits.answer >> 20} MiB; add a LIMIT or aggregate")
    return bytes(output[stdout]), bytes(output[stderr])


def _refusal(code: int, said: bytes, limits: QueryLimits) -> Refused:
    """Why a child ended without an answer."""
    if code in (-signal.SIGXCPU, -signal.SIGKILL, -signal.SIGALRM):
        return Refused(f"the query ran longer than {limits.seconds:g} s; read less")
    if b"memory" in said.lower() or b"bad_alloc" in said or code in (-signal.SIGABRT, -signal.SIGBUS):
        return Refused("the query needs more memory than queries have; read fewer rows or columns")
    return Refused("the query makes the database fail; write it another way")


_PROGRAM: Final = (
    "import sys; sys.path[:] = sys.argv[1:]; from lepton_ai.projections.queries.confined import main; main()"
)
