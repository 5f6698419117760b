"""The whole ledger without Docker: the parts the tests use, and Lepton's own processes. `make stack` runs it.

It prints the settings to work with it and runs until Ctrl-C or SIGTERM, then stops everything it started. What it holds
stays in a folder, `.stack` or what STACK names, and the next start goes on with it; `make clean` removes it.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar, Final

from lepton_ai.cli.work.signals import stopping
from lepton_ai.errors import Unavailable
from lepton_ai.events.sql.lock import FileLock
from lepton_ai.tensors.folder import write_synced

from .broker import Kafka
from .buckets import S3
from .servers import PostgreSQL, free_port

ROOT: Final = Path(__file__).parents[1]
PROCESSES = ("relay", "projector", "intake", "worker", "serve")
LEDGERS_OWN = ("LEPTON_DATABASE", "LEPTON_HOME")
"""What a worker is not told: it knows Kafka and the object store."""
MAIN = "from lepton_ai.cli import main; main()"
PAUSE: Final = 1.0
"""Seconds between two looks at the processes."""


class Durable(PostgreSQL):
    """A PostgreSQL that syncs what it commits."""

    OPTIONS: ClassVar[tuple[str, ...]] = ()


class Mirror:
    """A copy of a bucket in a folder. The bucket is in its server's memory; its objects are written once."""

    PAUSE: ClassVar[float] = 1.0

    def __init__(self, s3: S3, folder: Path) -> None:
        from obstore.store import S3Store

        told = s3.environment()
        self._store = S3Store(
            s3.bucket,
            endpoint=told["AWS_ENDPOINT_URL"],
            region=told["AWS_REGION"],
            access_key_id=told["AWS_ACCESS_KEY_ID"],
            secret_access_key=told["AWS_SECRET_ACCESS_KEY"],
            client_options={"allow_http": True},
        )
        self._folder = folder
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mirror", daemon=True)
        folder.mkdir(exist_ok=True)

    def start(self) -> None:
        """Fill the bucket from the folder, then follow it."""
        for path in sorted(self._folder.rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                self._store.put(path.relative_to(self._folder).as_posix(), path.read_bytes())
        self._thread.start()

    def stop(self) -> None:
        """Copy what is new by now, and end."""
        self._stop.set()
        self._thread.join()
        self._copy()

    def _run(self) -> None:
        while not self._stop.wait(self.PAUSE):
            self._copy()

    def _copy(self) -> None:
        keys = {each["path"] for batch in self._store.list() for each in batch}
        for key in sorted(keys):
            if not (place := self._folder / key).exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                part = place.with_name(f".{place.name}")
                write_synced(part, (bytes(self._store.get(key).bytes()),), "wb")
                part.rename(place)
        for place in [path for path in self._folder.rglob("*") if path.is_file()]:
            if place.relative_to(self._folder).as_posix() not in keys:
                place.unlink()


class Process:
    """One of Lepton's own processes, started again where it ends by itself."""

    def __init__(self, name: str, environment: Mapping[str, str], *options: str) -> None:
        self._name = name
        self._options = options
        self._environment = {
            key: value for key, value in environment.items() if name != "worker" or key not in LEDGERS_OWN
        }
        self._start()

    def keep_running(self) -> None:
        """Start it again where it ended, and say so."""
        if (code := self._running.poll()) is not None:
            print(f"the {self._name} ended with exit code {code}; it is started again", file=sys.stderr, flush=True)
            self._start()

    def stop(self) -> None:
        """Tell it to stop; returns when it has."""
        self._running.terminate()
        self._running.wait()

    def _start(self) -> None:
        command = [sys.executable, "-c", MAIN, self._name, *self._options]
        # in a group of its own, for Ctrl-C is told to the whole group of a terminal, and all are stopped in order
        self._running = subprocess.Popen(command, env=self._environment, stdout=subprocess.DEVNULL, process_group=0)


def kept() -> Path:
    """The folder of the stack. PostgreSQL runs as another user where we are root, who must get there."""
    named = os.environ.get("STACK")
    place = Path(named).absolute() if named else ROOT / ".stack"
    if place.exists():
        return place.resolve()
    private = any(not each.stat().st_mode & 0o001 for each in place.parents)
    if os.geteuid() == 0 and private and not named:
        place.symlink_to(tempfile.mkdtemp(prefix="lepton-stack-", dir="/var/tmp"))
    place.mkdir(exist_ok=True)
    place.resolve().chmod(0o711)
    return place.resolve()


def ports(folder: Path) -> dict[str, int]:
    """The ports of earlier times, so that settings which somebody has pasted hold; fresh ones at the first start."""
    file = folder / "ports.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    if missing := [name for name in ("kafka", "postgresql", "s3", "serve") if name not in known]:
        known |= {name: free_port() for name in missing}
        file.write_text(json.dumps(known))
    return known


def parts(close: ExitStack, folder: Path) -> dict[str, str]:
    """Start broker, database and object store on what the folder holds; returns the settings that name them."""
    at = ports(folder)
    for name in ("kafka", "postgresql"):
        (folder / name).mkdir(exist_ok=True)
    kafka = Kafka(folder / "kafka", at["kafka"])
    close.callback(kafka.stop, signal.SIGTERM)
    kafka.start()
    postgresql = Durable(folder / "postgresql", at["postgresql"])
    close.callback(postgresql.stop)
    postgresql.start()
    s3 = S3(at["s3"])
    s3.start()
    close.callback(s3.remove)
    mirror = Mirror(s3, folder / "objects")
    mirror.start()
    close.callback(mirror.stop)
    return {
        "LEPTON_KAFKA": kafka.servers,
        "LEPTON_DATABASE": postgresql.url(),
        "LEPTON_OBJECTS": s3.url,
        **s3.environment(),
    }


def main() -> None:
    """Start all, say how to talk to it, wait for a signal, stop all."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    folder = kept()
    again = "going on with what is in" if (folder / "ports.json").exists() else "beginning in"
    print(f"starting a broker, a database and a bucket, {again} {folder} ...", file=sys.stderr, flush=True)
    stop = threading.Event()
    with stopping(stop), ExitStack() as close:
        try:
            close.callback(FileLock(folder / "lock", f"the stack in {folder}", 0.0).release)
        except Unavailable as error:
            sys.exit(str(error))
        settings = {"LEPTON_HOME": str(folder / "home"), **parts(close, folder)}
        environment = os.environ | settings | {"PYTHONSAFEPATH": "1"}
        port = str(ports(folder)["serve"])
        processes = [Process(name, environment, *(("--port", port) if name == "serve" else ())) for name in PROCESSES]
        for process in processes:
            close.callback(process.stop)
        print(*(f"export {name}='{value}'" for name, value in settings.items()), sep="\n")
        print(f"# {', '.join(PROCESSES)} are running; paste the lines above into a shell, Ctrl-C here stops all")
        print(f"# http://127.0.0.1:{port}/api/v1 is the ledger over HTTP; it asks for a token once one was created")
        print(f"# all of it is kept in {folder}; `make stack` goes on with it, `make clean` removes it")
        sys.stdout.flush()
        while not stop.wait(PAUSE):
            for process in processes:
                process.keep_running()


if __name__ == "__main__":
    main()
