"""A real PgBouncer for tests: before a PostgreSQL, in the pooling mode that a test asks for."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final, Literal

from .asking import PATIENCE
from .servers import PASSWORD, NotHere, PostgreSQL, free_port

Mode = Literal["session", "transaction", "statement"]
_UNPRIVILEGED: Final = "nobody"

_SETTINGS: Final = """
[databases]
* = host=127.0.0.1 port={server}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = plain
auth_file = {folder}/users
pool_mode = {mode}
default_pool_size = {size}
max_client_conn = 200
query_wait_timeout = 30
server_login_retry = 1
ignore_startup_parameters = extra_float_digits
log_connections = 0
log_disconnections = 0
"""


class PgBouncer:
    """One pooler process. It refuses to run as root; as root it runs as `nobody`."""

    def __init__(self, server: PostgreSQL, mode: Mode = "transaction", size: int = 2) -> None:
        self._program = _program()
        self.port = free_port()
        self._as = {"user": _UNPRIVILEGED, "group": "nogroup"} if os.geteuid() == 0 else {}
        self._folder = Path(tempfile.mkdtemp(prefix="lepton-pooler-", dir="/tmp"))
        settings = {"server": server.port, "port": self.port, "folder": self._folder, "mode": mode, "size": size}
        (self._folder / "pgbouncer.ini").write_text(_SETTINGS.format(**settings))
        (self._folder / "users").write_text(f'"lepton" "{PASSWORD}"\n')
        if self._as:
            for path in (self._folder, *self._folder.iterdir()):
                shutil.chown(path, _UNPRIVILEGED)
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres", password: str = PASSWORD) -> str:
        """Where it listens, for LEPTON_DATABASE."""
        return f"postgresql://lepton:{password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        with (self._folder / "log").open("ab") as log:
            command = (self._program, "-q", self._folder / "pgbouncer.ini")
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", **self._as)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.02)
        raise NotHere(f"PgBouncer: it does not answer: {(self._folder / 'log').read_text()[-500:]}")

    def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End it; whoever is connected is hung up on."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)
            self._process = None

    def remove(self) -> None:
        """End it and delete its files."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def _program() -> str:
    """Debian's lies where only root's PATH leads."""
    if found := shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin"):
        return found
    raise NotHere("PgBouncer: pgbouncer is neither on the PATH nor in /usr/sbin; apt-get install pgbouncer")
