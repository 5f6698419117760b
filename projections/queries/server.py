"""The server of a projector: its answers over a Unix socket in the home, for all who may use the home."""

# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

import json
import logging
import os
import socket
import socketserver
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Self

from ...errors import LeptonError, Refused
from ...events import forks
from ...permissions import file_mode, set_mode
from ...sent_errors import told
from ..care import checked, handed_out
from ..following import Follower
from ..projector import Projection
from .client import Question, answer
from .opening import Opener, opener_of
from .peers import check_peer
from .search import Following, Newest, versions_where
from .watchdog import Watchdog
from .wire import BEAT, reachable, received, send

log = logging.getLogger("lepton.projector")

_SILENT: Final = 30.0
"""Seconds that a caller may take to say or to read the next bytes."""


class Server:
    """Answers on `path` while it is open, each question in a thread of its own.

    Only who may use the home is answered. Who holds the read model's lock may take the path over: the one that
    listened there before is dead. A query that neither ends nor lets itself be interrupted is told to `stuck`.
    """

    def __init__(self, path: Path, follower: Follower, stuck: Callable[[str], None] | None = None) -> None:
        self._path = path
        self._process = os.getpid()
        self._watchdog = Watchdog(stuck)
        # it stands at its path only once it listens and has the mode that the folder asks for
        new = path.with_name(f"{path.name}.new")
        new.unlink(missing_ok=True)
        before = os.umask(0o777)
        try:
            with reachable(new) as name:
                self._server = _Listener(name, _Answer)
        finally:
            os.umask(before)
        set_mode(new, file_mode(path.parent))
        new.replace(path)
        self._server.path, self._server.follower, self._server.watchdog = path, follower, self._watchdog
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="answers", daemon=True)
        forks.guard(self)

    def __enter__(self) -> Self:
        try:
            self._watchdog.start()
            self._thread.start()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if os.getpid() == self._process:
            self._server.shutdown()
            self._close()

    def _close(self) -> None:
        self._path.unlink(missing_ok=True)  # first: where it stands, somebody listens
        self._watchdog.stop()
        self._server.server_close()

    def before_fork(self) -> None:
        """Nothing: what is open is not waited for."""

    def after_fork(self, *, child: bool) -> None:
        """A child gives up its copies of the sockets, or callers would wait for it when the projector is gone."""
        if child and os.getpid() != self._process:
            for opened in (self._server.socket, *self._server.callers):
                with suppress(OSError):
                    opened.close()


class _Listener(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    follower: Follower
    watchdog: Watchdog
    path: Path

    def __init__(self, name: str, handler: type[socketserver.BaseRequestHandler]) -> None:
        self.callers: set[socket.socket] = set()
        super().__init__(name, handler)

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002 - the library's signature
        """Answer those alone who may use the home."""
        try:
            check_peer(request, self.path)
        except (OSError, Refused) as stranger:
            log.warning("%s", stranger)
            return False
        return True


class _Answer(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, _Listener)
        self.request.settimeout(_SILENT)
        self.server.callers.add(self.request)
        try:
            question = json.loads(received(self.request))
            with _beating(self.request):
                try:
                    head, content = {}, _answered(self.server, question)
                except LeptonError as error:
                    head, content = told(error), b""
            send(self.request, json.dumps(head).encode())
            send(self.request, content)
        except (OSError, ValueError):  # whoever asked has gone
            return
        finally:
            self.server.callers.discard(self.request)


@contextmanager
def _beating(wire: socket.socket) -> Generator[None]:
    """Say every second that the answer is worked on."""
    done = threading.Event()

    def beat() -> None:
        with suppress(OSError):
            while not done.wait(BEAT):
                send(wire, b"")

    beats = threading.Thread(target=beat, name="beats", daemon=True)
    beats.start()
    try:
        yield
    finally:
        done.set()
        beats.join()


def _answered(server: _Listener, question: Mapping[str, Any]) -> bytes:
    follower = server.follower
    follower.reach(question["wait_for"], question["deadline"])
    projection = follower.projection
    opener = opener_of(question.get("actors"))
    if "find" in question:
        kind, *fields = question.get("page") or ("",)
        page = Newest(*fields) if kind == "Newest" else Following(*fields) if kind == "Following" else None
        matches = projection.mended(lambda: versions_where(projection, question["find"], opener, page))
        return json.dumps(matches).encode()
    if "care" in question:
        return json.dumps(_cared(projection, question["care"])).encode()
    if "sql" not in question:
        raise Refused("a projector answers `sql` and `find`, and can care for its views; this question is neither")
    with server.watchdog.watching(question["sql"], question["timeout"]):
        return _sql(follower, question, opener)


def _cared(projection: Projection, what: str) -> Any:
    match what:
        case "rebuild":
            return projection.rebuild()
        case "check":
            replaced, differences = checked(projection)
            return {"replaced": replaced and told(replaced), "differences": differences}
        case "snapshot":
            return handed_out(projection)
        case _:
            raise Refused("a projector can rebuild, check and snapshot; this is none of them")


def _sql(follower: Follower, question: Mapping[str, Any], opener: Opener | None) -> bytes:
    import pyarrow as pa

    asked = Question(question["sql"], question["params"], question["as_of"], question["timeout"], opener)
    table = answer(follower.projection, asked)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue().to_pybytes()
