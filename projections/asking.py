"""Asking the read model: by opening it, or beside a running projector over the socket in the home."""

# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Generator, Mapping
from contextlib import closing, contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from .. import errors
from ..errors import Damaged, LeptonError, Unavailable
from .peers import check_peer, check_socket
from .projector import Projection
from .query import Params, query
from .search import versions_where

if TYPE_CHECKING:
    import pyarrow as pa

_LONGEST: Final = 100
_HEAD: Final = 8
"""Bytes that tell how long the part behind them is."""


class Question(NamedTuple):
    """One SELECT, and as of when it is asked."""

    sql: str
    params: Params | None = None
    as_of: int | datetime | date | str | None = None
    timeout: float = 30.0


class ReadModel(Protocol):
    """Whoever answers, having seen every event up to the end of the log, or up to the one waited for."""

    def sql(self, question: Question, wait_for: int | None) -> pa.Table:
        """The answer of one SELECT; see `query`."""
        ...

    def find(self, expression: str) -> list[tuple[str, int]]:
        """The versions for which an expression holds; see `versions_where`."""
        ...


class Here:
    """The read model, opened for one question and closed again."""

    def __init__(self, opened: Callable[[], Projection], deadline: float) -> None:
        self._opened = opened
        self._deadline = deadline

    def sql(self, question: Question, wait_for: int | None) -> pa.Table:
        with self._opened() as projection:
            projection.catch_up(wait_for=wait_for, deadline=self._deadline)
            return query(projection, question.sql, question.params, as_of=question.as_of, timeout=question.timeout)

    def find(self, expression: str) -> list[tuple[str, int]]:
        with self._opened() as projection:
            projection.catch_up()
            return versions_where(projection, expression)


class There:
    """The read model of a projector that runs beside us."""

    def __init__(self, path: Path, end: Callable[[], int], deadline: float) -> None:
        self._path = path
        self._end = end
        self._deadline = deadline

    def sql(self, question: Question, wait_for: int | None) -> pa.Table:
        import pyarrow as pa

        asked = {"sql": question.sql, "params": _sent(question.params), "timeout": question.timeout}
        at = question.as_of.isoformat() if isinstance(question.as_of, date) else question.as_of
        raw = self._answer(asked | {"as_of": at}, wait_for)
        return pa.ipc.open_stream(raw).read_all()

    def find(self, expression: str) -> list[tuple[str, int]]:
        found = json.loads(self._answer({"find": expression}, None))
        return [(model, number) for model, number in found]

    def _answer(self, asked: Mapping[str, Any], wait_for: int | None) -> bytes:
        """Ask, and wait for what was committed before; raises what the projector raised."""
        seq = self._end() if wait_for is None else wait_for
        try:
            with closing(connected(self._path)) as wire:
                send(wire, json.dumps({**asked, "wait_for": seq, "deadline": self._deadline}).encode())
                told, answer = json.loads(received(wire)), received(wire)
        except (OSError, ValueError) as error:
            raise Unavailable("the projector went away while it was asked; ask again") from error
        if "error" in told:
            raise raised(told)
        return answer


def connected(path: Path) -> socket.socket:
    """A connection to whoever listens there; `OSError` where nobody does, `Refused` where that is a stranger."""
    wire = socket.socket(socket.AF_UNIX)
    try:
        check_socket(path)
        with reachable(path) as name:
            wire.connect(name)
        check_peer(wire, path)
    except BaseException:
        wire.close()
        raise
    return wire


@contextmanager
def reachable(path: Path) -> Generator[str]:
    """A name for a socket's path that is short enough: the system takes 107 bytes, and homes lie deeper."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}" if len(os.fsencode(path)) > _LONGEST else str(path)
    finally:
        os.close(folder)


def send(wire: socket.socket, part: bytes) -> None:
    """One part of a message, its length first."""
    wire.sendall(len(part).to_bytes(_HEAD, "big"))
    wire.sendall(part)


def received(wire: socket.socket) -> bytes:
    """One part of a message; `ValueError` where the other side hung up."""
    return _exactly(wire, int.from_bytes(_exactly(wire, _HEAD), "big"))


def told(error: LeptonError) -> dict[str, Any]:
    """An error as it is sent."""
    if isinstance(error, Damaged):
        return {"error": "Damaged", "thing": error.thing, "expected": error.expected, "found": error.found}
    return {"error": type(error).__name__, "message": str(error)}


def raised(told: Mapping[str, Any]) -> LeptonError:
    """The error that was sent."""
    if told["error"] == "Damaged":
        return Damaged(told["thing"], expected=told["expected"], found=told["found"])
    kind = getattr(errors, told["error"], errors.Refused)
    error = kind.__new__(kind, told["message"])
    Exception.__init__(error, told["message"])
    return error


def _exactly(wire: socket.socket, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        part = wire.recv(min(count - len(parts), 1 << 20))
        if not part:
            raise ValueError("the other side hung up")
        parts += part
    return bytes(parts)


def _sent(params: Params | None) -> Any:
    """Parameters as JSON has them: a time is its text, which DuckDB reads as one."""
    if params is None:
        return None
    plain = json.dumps(params if isinstance(params, Mapping) else list(params), default=str)
    return json.loads(plain)
