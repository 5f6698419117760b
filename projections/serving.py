"""Serving: a projector's answers over a Unix socket in the home, to whoever may use the home."""

# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

import json
import logging
import os
import socketserver
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from ..errors import LeptonError, Refused
from ..permissions import file_mode, set_mode
from .asking import reachable, received, send, told
from .following import Follower
from .peers import check_peer
from .query import query
from .search import versions_where

log = logging.getLogger("lepton.projector")


class Server:
    """Answers on `path` while it is open, each question in a thread of its own.

    Only who may use the home is answered. Who holds the read model's lock may take the path over: the one that
    listened there before is dead.
    """

    def __init__(self, path: Path, follower: Follower) -> None:
        self._path = path
        path.unlink(missing_ok=True)
        before = os.umask(0o777)  # nobody can connect before it has the mode that the folder asks for
        try:
            with reachable(path) as name:
                self._server = _Listener(name, _Answer)
        finally:
            os.umask(before)
        set_mode(path, file_mode(path.parent))
        self._server.path = path
        self._server.follower = follower
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="answers", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._path.unlink(missing_ok=True)


class _Listener(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = True
    follower: Follower
    path: Path

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
        try:
            asked = json.loads(received(self.request))
            try:
                head, answer = {}, _answered(self.server.follower, asked)
            except LeptonError as error:
                head, answer = told(error), b""
            send(self.request, json.dumps(head).encode())
            send(self.request, answer)
        except (OSError, ValueError):  # whoever asked has gone
            return


def _answered(follower: Follower, asked: Mapping[str, Any]) -> bytes:
    follower.reach(asked["wait_for"], asked["deadline"])
    if "find" in asked:
        return json.dumps(versions_where(follower.projection, asked["find"])).encode()
    if "sql" not in asked:
        raise Refused("a projector answers `sql` and `find`; this question is neither")
    return _sql(follower, asked)


def _sql(follower: Follower, asked: Mapping[str, Any]) -> bytes:
    import pyarrow as pa

    table = query(follower.projection, asked["sql"], asked["params"], as_of=asked["as_of"], timeout=asked["timeout"])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue().to_pybytes()
