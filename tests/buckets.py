"""Real stores of objects for tests: S3 as moto serves it and Azure as Azurite does, each a process; and a bad wire."""

from __future__ import annotations

import base64
import email.utils
import hashlib
import hmac
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from abc import ABC, abstractmethod
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

from .asking import PATIENCE, freeze
from .servers import NotHere, Proxy, free_port

SECRET: Final = "hunter2-hunter2"
_AZURE_KEY: Final = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


class Buckets(ABC):
    """One server process with one bucket, whose content is in its memory."""

    bucket: Final = "lepton-bucket"

    def __init__(self, command: list[str], port: int | None = None) -> None:
        self.port = port or free_port()
        self._command = [word.replace("PORT", str(self.port)) for word in command]

    def start(self) -> None:
        """Start the process, wait until it answers, and make the bucket."""
        told = self._command
        self._process = subprocess.Popen(
            told, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", process_group=0
        )
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self._make_bucket()
                return
            except OSError as error:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    self.remove()
                    raise NotHere(f"{told[0]} does not answer: {error}") from error
            time.sleep(0.05)

    @abstractmethod
    def environment(self, port: int | None = None) -> dict[str, str]:
        """What the environment says of it: credentials, and where it is or seems to be."""

    def pause(self) -> None:
        """Let it take connections and answer none."""
        freeze(self._process.pid)

    def resume(self) -> None:
        """Let it answer again."""
        self._process.send_signal(signal.SIGCONT)

    def remove(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait(PATIENCE)

    @abstractmethod
    def _make_bucket(self) -> None: ...


class S3(Buckets):
    """S3 by moto. It looks at no signature."""

    url: Final = f"s3://{Buckets.bucket}"

    def __init__(self, port: int | None = None) -> None:
        if find_spec("moto") is None:
            raise NotHere("the package moto[server] was not found")
        super().__init__([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "PORT"], port)

    def environment(self, port: int | None = None) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port or self.port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "lepton",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "NO_PROXY": "127.0.0.1",
        }

    def unfinished(self) -> int:
        """How many uploads in parts were begun and neither completed nor thrown away."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{self.bucket}?uploads") as answer:
            return answer.read().count(b"<UploadId>")

    def _make_bucket(self) -> None:
        _put(f"http://127.0.0.1:{self.port}/{self.bucket}", {})


class Azure(Buckets):
    """Azure by Azurite, with the account that all of its kind have. It looks at signatures."""

    url: Final = f"az://{Buckets.bucket}"

    def __init__(self) -> None:
        inside = Path(sys.prefix) / "azurite" / "node_modules" / ".bin" / "azurite-blob"
        program = str(inside) if inside.exists() else shutil.which("azurite-blob")
        if program is None:
            raise NotHere("azurite-blob is neither in the virtual environment nor on the PATH; it needs npm")
        quiet = ("--silent", "--skipApiVersionCheck", "--disableTelemetry", "--inMemoryPersistence")
        super().__init__([program, "--blobHost", "127.0.0.1", "--blobPort", "PORT", *quiet])

    def environment(self, port: int | None = None) -> dict[str, str]:
        return {
            "AZURE_STORAGE_USE_EMULATOR": "true",
            "AZURITE_BLOB_STORAGE_URL": f"http://127.0.0.1:{port or self.port}",
            "AZURE_STORAGE_ACCOUNT_KEY": _AZURE_KEY,
            "NO_PROXY": "127.0.0.1",
        }

    def _make_bucket(self) -> None:
        account = "devstoreaccount1"
        said = {"x-ms-date": email.utils.formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
        lines = [f"{name}:{value}" for name, value in said.items()]
        place = f"/{account}/{account}/{self.bucket}"
        signed = "\n".join(("PUT", *[""] * 11, *lines, place, "restype:container"))
        mark = hmac.new(base64.b64decode(_AZURE_KEY), signed.encode(), hashlib.sha256).digest()
        said["Authorization"] = f"SharedKey {account}:{base64.b64encode(mark).decode()}"
        _put(f"http://127.0.0.1:{self.port}/{account}/{self.bucket}?restype=container", said)


def _put(url: str, headers: dict[str, str]) -> None:
    request = urllib.request.Request(url, headers=headers | {"Content-Length": "0"}, method="PUT")
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).close()


class Wire(Proxy):
    """A wire to a server that is cut after some bytes have gone there, or have come back."""

    def __init__(self, port: int) -> None:
        self._left: dict[str, int] = {}
        super().__init__(port)

    def cut(self, way: Literal["there", "back"], *, after: int, for_good: bool) -> None:
        """Cut it once so many bytes have gone that way; for good, or so that the next connection finds it whole."""
        self._for_good = for_good
        self._left = {way: after}

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self.server_port)) as server:
            ends = {client: (server, "there"), server: (client, "back")}
            while True:
                for end in select.select(list(ends), [], [])[0]:
                    other, way = ends[end]
                    said = end.recv(1 << 16)
                    if not said or self._is_cut(way, len(said)):
                        return
                    other.sendall(said)

    def _is_cut(self, way: str, size: int) -> bool:
        if way not in self._left:
            return False
        self._left[way] -= size
        if self._left[way] >= 0:
            return False
        self._left = {}
        if self._for_good:
            self.close()
        return True
