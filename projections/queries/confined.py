"""What runs in the child of a stranger's query: limits first, then the file, then the query, then the answer."""

# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from ...errors import LeptonError, Refused
from ...sent_errors import told
from ..instance import SETTINGS, foreign
from ..projector import recorded_at, seq_at
from ..translation import of_file
from .query import query

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_SET_DUMPABLE = 1, 38, 4
_ALLOWANCE: Final = 512 << 20
"""Bytes of address space for DuckDB's own threads and buffers, beside what the query may take."""


class Copy:
    """A copy of the views, as `query` reads them."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        rows = connection.execute("SELECT coalesce(max(seq), 0) FROM store.position").fetchall()
        self.position = int(rows[0][0])

    @contextmanager
    def reading(self) -> Generator[Any]:
        """A cursor of one's own."""
        yield self._connection.cursor()

    def seq_at(self, when: datetime | date) -> int:
        """The last `seq` recorded by then."""
        return seq_at(self._connection, when)

    def recorded_at(self, seq: int) -> datetime | None:
        """When an event was recorded."""
        return recorded_at(self._connection, seq)


def main() -> None:
    """Answer the order on stdin: a line of JSON, and behind it the answer in Arrow's stream format."""
    order: dict[str, Any] = json.loads(sys.stdin.buffer.read())
    _leave_the_world(order["parent"])
    try:
        head, content = {}, _answered(order)
    except LeptonError as error:
        head, content = told(error), b""
    except (MemoryError, RecursionError):
        head, content = told(Refused("the query needs more memory than queries have; read fewer rows")), b""
    with os.fdopen(os.dup(1), "wb") as out:
        out.write(json.dumps(head).encode() + b"\n" + content)
    os._exit(0)


def _leave_the_world(parent: int) -> None:
    """Die with the parent, gain no rights, and have no network where the system allows to give it up."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.unshare(_CLONE_NEWNET) != 0:
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
    # behind all that changes who we are, for that would undo it
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before
        os._exit(1)


def _answered(order: Mapping[str, Any]) -> bytes:
    import pyarrow as pa

    views = Copy(_opened(Path(order["file"]), order["memory"], order["threads"]))
    _limited(order)
    question = {name: order[name] for name in ("sql", "params", "as_of", "timeout")}
    table = query(views, **question, most=order["answer"])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue().to_pybytes()


def _opened(path: Path, memory: int, threads: int) -> Any:
    """The copy, read-only, closed to the world as the read model is, without a folder to spill to."""
    import duckdb

    try:
        connection = duckdb.connect(path, read_only=True)
        for setting in (
            f"memory_limit = '{memory * 3 // 4}B'",
            f"threads = {threads}",
            "temp_directory = ''",
            "preserve_insertion_order = true",
            *SETTINGS,
        ):
            connection.execute(f"SET {setting}")
    except foreign() as error:
        raise of_file(error) from error
    return connection


def _limited(order: Mapping[str, Any]) -> None:
    """The system's limits, beside what the idle child has taken by now."""
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    most = taken + int(order["memory"]) + _ALLOWANCE
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (int(order["cpu"]), int(order["cpu"]) + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, resource.getrlimit(resource.RLIMIT_NPROC))
    # the timer that interrupts DuckDB comes first; this ends what it cannot interrupt
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, float(order["timeout"]) + 1.0)
