"""What runs in the child of a stranger's query: limits first, then the file, then the query, then the answer."""

# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import socket
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from ...errors import LeptonError, Refused
from ...sent_errors import told
from ..instance import SETTINGS, foreign
from ..moments import recorded_at, seq_at
from ..schema import schema
from ..translation import of_file
from .landlock import closed_to_files
from .opening import Opens, is_closed, opening
from .query import answering, too_long

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_SET_DUMPABLE = 1, 38, 4
_ALLOWANCE: Final = 512 << 20
"""Bytes of address space for DuckDB's own threads and buffers, beside what the query may take."""
_AT_ONCE: Final = 100
"""Texts that are asked for at a time."""
_ROOM: Final = 16 << 20
"""Bytes of a file of rows beside those of the rows."""


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
    """Answer the order that stdin brings, a socket: the rows to stdout, which is a file, a word of them to stdin."""
    wire = Wire(socket.socket(fileno=0))
    order = wire.heard()
    _leave_the_world(order["parent"])
    try:
        reply: dict[str, Any] = {"rows": _answered(order, wire if order["opens"] else None)}
    except LeptonError as error:
        reply = told(error)
    except (MemoryError, RecursionError):
        reply = told(Refused("the query needs more memory than queries have; read fewer rows"))
    wire.say(reply)
    os._exit(0)


class Wire:
    """The line to whoever started this process, an object of JSON a line. It opens sealed texts: here are no keys."""

    def __init__(self, socket: socket.socket) -> None:
        self._lines = socket.makefile("rb")
        self._socket = socket
        self._words: dict[str | None, str | None] = {}

    def heard(self) -> dict[str, Any]:
        """What comes next."""
        return json.loads(self._lines.readline())

    def say(self, words: Mapping[str, Any]) -> None:
        """Tell something."""
        self._socket.sendall(json.dumps(words).encode() + b"\n")

    def opened_all(self, texts: Sequence[str | None]) -> Mapping[str | None, str | None]:
        """What texts say, each asked for once."""
        asked = [text for text in texts if is_closed(text) and text not in self._words]
        for start in range(0, len(asked), _AT_ONCE):
            some = asked[start : start + _AT_ONCE]
            self.say({"open": some})
            self._words.update(zip(some, self.heard()["words"], strict=True))
        return {text: self._words.get(text, text) for text in texts}


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


def _answered(order: Mapping[str, Any], opener: Opens | None) -> int:
    """Write the rows to stdout as they come; how many they are."""
    import pyarrow as pa

    warmed(opens=opener is not None)
    with open("/proc/self/statm") as taken:  # noqa: PTH123 - it is read when no file can be opened any more
        views = Copy(_opened(Path(order["file"]), order["memory"], order["threads"]))
        _limited(order, int(taken.read().split()[0]) * resource.getpagesize())
    question = {name: order[name] for name in ("sql", "params", "as_of", "timeout")}
    rows = size = 0
    with (
        answering(views, **question, opener=opener) as reader,
        os.fdopen(os.dup(1), "wb") as file,
        pa.ipc.new_stream(file, reader.schema) as stream,
    ):
        for batch in reader:
            rows, size = rows + batch.num_rows, size + batch.nbytes
            if size > order["answer"]:
                raise too_long(order["answer"])
            if rows > order["rows"]:
                raise Refused(f"the answer has more than {order['rows']:,} rows; add a LIMIT or aggregate")
            stream.write_batch(batch)
    return rows


class _Plain:
    """Opens nothing, for nothing is sealed."""

    def opened_all(self, texts: Sequence[str | None]) -> Mapping[str | None, str | None]:
        """The texts as they are."""
        return {text: text for text in texts}


def warmed(*, opens: bool) -> None:
    """Have all be read that an answer or a refusal needs of other files: none can be opened behind this."""
    import duckdb

    schema()
    kinds = [1, 1.5, "text", b"bytes", None, True, [1], {"a": 1}, date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)]
    marks = ", ".join("?" * len(kinds))
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.sql(f"SELECT {marks}, now()", params=kinds).to_arrow_reader(1).read_all()
        if opens:
            with opening(connection, _Plain()):
                connection.sql("SELECT opened('text')").to_arrow_reader(1).read_all()
        with suppress(duckdb.Error):
            connection.execute("SELECT json_serialize_sql('SELEKT')").fetchall()
            connection.execute("SELEKT 1")


def _opened(path: Path, memory: int, threads: int) -> Any:
    """The copy, read-only, closed to the world as the read model is, without a folder to spill to."""
    import duckdb

    try:
        # rules bind the thread that takes them on and those that it starts: DuckDB starts its own behind this
        connection = duckdb.connect(path, read_only=True, config={"threads": 1})
        closed_to_files()
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


def _limited(order: Mapping[str, Any], taken: int) -> None:
    """The system's limits, beside what the idle child has taken by now."""
    most = taken + int(order["memory"]) + _ALLOWANCE
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (int(order["cpu"]), int(order["cpu"]) + 1))
    room = 2 * int(order["answer"]) + _ROOM  # its answer is the one file that it can write to
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, resource.getrlimit(resource.RLIMIT_NPROC))
    # the timer that interrupts DuckDB comes first; this ends what it cannot interrupt
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, float(order["timeout"]) + 1.0)
