"""Real stores of objects for tests: S3 as moto serves it and Azure as Azurite does, each a process; and a bad wire."""

from __future__ import annotations

import base64
import contextlib
import email.utils
import hashlib
import hmac
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

from .servers import free_port

SECRET: Final = "hunter2-hunter2"
_AZURE_KEY: Final = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_SECONDS: Final = 60.0


class NoBuckets(Exception):
    """No such store can run here; the message says why."""


class Buckets:
    """One server process with one bucket, whose content is in its memory."""

    bucket: Final = "lepton-bucket"

    def __init__(self, command: list[str]) -> None:
        self.port = free_port()
        told = [word.replace("PORT", str(self.port)) for word in command]
        self._process = subprocess.Popen(told, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
        deadline = time.monotonic() + _SECONDS
        while True:
            try:
                self._make_bucket()
                return
            except OSError as error:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    self.remove()
                    raise NoBuckets(f"{told[0]} does not answer: {error}") from error
            time.sleep(0.05)

    def environment(self, port: int | None = None) -> dict[str, str]:
        """What the environment says of it: credentials, and where it is or seems to be."""
        raise NotImplementedError

    def pause(self) -> None:
        """Let it take connections and answer none."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it answer again."""
        self._process.send_signal(signal.SIGCONT)

    def remove(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait(_SECONDS)

    def _make_bucket(self) -> None:
        raise NotImplementedError


class S3(Buckets):
    """S3 by moto. It looks at no signature."""

    url: Final = f"s3://{Buckets.bucket}"

    def __init__(self) -> None:
        if find_spec("moto") is None:
            raise NoBuckets("the package moto[server] was not found")
        super().__init__([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "PORT"])

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
            raise NoBuckets("azurite-blob is neither in the virtual environment nor on the PATH; it needs npm")
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


class Wire:
    """A wire to a server that is cut after some bytes have gone there, or have come back."""

    def __init__(self, port: int) -> None:
        self.server_port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._left: dict[str, int] = {}
        self._for_good = False
        self._clients: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, way: Literal["there", "back"], *, after: int, for_good: bool) -> None:
        """Cut it once so many bytes have gone that way; for good, or so that the next connection finds it whole."""
        self._for_good = for_good
        self._left = {way: after}

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
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client, socket.create_connection(("127.0.0.1", self.server_port)) as server:
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
