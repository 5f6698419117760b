"""A real Apache Kafka for tests: one broker in KRaft mode, its jars fetched by Maven once a machine."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Generator
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from filelock import FileLock

from .asking import PATIENCE
from .servers import NotHere, free_port

_POM: Final = Path(__file__).parent / "kafka" / "pom.xml"

PROPERTIES: Final = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
log.dirs={folder}/data
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
auto.create.topics.enable=false
"""
OPEN: Final = """
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
"""


class Kafka:
    """One broker process on ports of its own."""

    def __init__(self, folder: Path | None = None, port: int | None = None) -> None:
        """In a temporary folder, or in the one given, whose data from earlier times is gone on with."""
        self._jars = _jars()
        self.port = port or free_port()
        self._folder = folder or Path(tempfile.mkdtemp(prefix="lepton-kafka-", dir="/tmp"))
        self._properties = str(self._folder / "server.properties")
        Path(self._properties).write_text(self._written().format(**self._places()))
        self._process: subprocess.Popen[bytes] | None = None
        form = ("format", "-t", "4L6g3nShT-eMCtK--X86sw", "-c", self._properties, "--ignore-formatted", *self._users())
        done = self._run("kafka.tools.StorageTool", *form)
        if done.returncode:
            raise NotHere(f"Kafka: its storage cannot be formatted: {done.stderr.strip()[-300:]}")

    @property
    def servers(self) -> str:
        """Where the broker is, for LEPTON_KAFKA."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The broker's process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start the broker and wait until it answers for its metadata."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._java("384m", "kafka.Kafka", self._properties), stdout=log, stderr=log, process_group=0
            )
        asyncio.run(self._await())

    def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End the broker; its data stays."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)
            self._process = None

    def remove(self) -> None:
        """End the broker and delete its data."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @classmethod
    @contextlib.contextmanager
    def shared(cls, place: Path) -> Generator[Kafka]:
        """One broker for all processes that name the place: the first starts it, the last removes it."""
        with FileLock(f"{place}.lock"):
            told = json.loads(place.read_text()) if place.exists() else cls._begun()
            place.write_text(json.dumps(told | {"users": told["users"] + 1}))
        joined = object.__new__(cls)
        joined.port, joined._folder, joined._process = told["port"], Path(told["folder"]), None
        try:
            yield joined
        finally:
            with FileLock(f"{place}.lock"):
                told = json.loads(place.read_text())
                place.write_text(json.dumps(told | {"users": told["users"] - 1}))
                if told["users"] == 1:
                    place.unlink()
                    os.kill(told["pid"], signal.SIGKILL)
                    joined.remove()

    @classmethod
    def _begun(cls) -> dict[str, Any]:
        broker = cls()
        broker.start()
        return {"port": broker.port, "folder": str(broker._folder), "pid": broker.pid, "users": 0}

    def client(self) -> dict[str, Any]:
        """How aiokafka's clients reach it, to do anything."""
        return {"bootstrap_servers": self.servers}

    def _written(self) -> str:
        """What server.properties says."""
        return PROPERTIES + OPEN

    def _places(self) -> dict[str, Any]:
        """What stands for the names in server.properties."""
        return {"port": self.port, "controller": free_port(), "folder": self._folder}

    def _users(self) -> list[str]:
        """What the storage's formatting is told about users."""
        return []

    def _run(self, main: str, *arguments: str, told: str = "") -> subprocess.CompletedProcess[str]:
        """Run one of Kafka's own programs, or a file of Java's, to its end."""
        program = self._java("128m", main, *arguments)
        return subprocess.run(program, capture_output=True, text=True, check=False, input=told)

    def _java(self, memory: str, main: str, *arguments: str) -> list[str]:
        tuned = (f"-Xmx{memory}", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
        return ["java", *tuned, "-cp", f"{self._jars}/*:{_POM.parent}", main, *arguments]

    async def _await(self) -> None:
        from aiokafka.admin import AIOKafkaAdminClient
        from aiokafka.errors import KafkaError

        end = asyncio.get_running_loop().time() + PATIENCE
        while asyncio.get_running_loop().time() < end:
            if self._process is None or self._process.poll() is not None:
                break
            admin = AIOKafkaAdminClient(**self.client())
            with contextlib.suppress(KafkaError, OSError):
                await admin.start()
                await admin.list_topics()
                await admin.close()
                return
            await admin.close()
            await asyncio.sleep(0.05)
        raise NotHere(f"Kafka: it does not answer: {(self._folder / 'log').read_text()[-500:]}")


def _jars() -> Path:
    """The folder of Kafka's jars, filled by Maven where they are missing; one process of this machine at a time."""
    if not (shutil.which("java") and shutil.which("mvn")):
        raise NotHere("Kafka: java and mvn are not both on the PATH")
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lepton"
    cache = caches / f"kafka-{sha256(_POM.read_bytes()).hexdigest()[:12]}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        whole = cache / "whole"
        if not whole.exists():
            copy = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
            done = subprocess.run(
                ["mvn", "-q", "-B", "-f", _POM, copy, f"-DoutputDirectory={cache / 'jars'}"],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise NotHere(f"Kafka: Maven cannot fetch it: {done.stdout.strip()[-300:]}")
            whole.touch()
    return cache / "jars"
