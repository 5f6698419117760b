"""A server that answers as the Hugging Face hub does, for one model in a folder, one that is gated and none else."""

from __future__ import annotations

import hashlib
import json
from http.server import BaseHTTPRequestHandler
from pathlib import Path

COMMIT = "0" * 40
GATED = "someone/gated"


def answering(model: str, folder: Path) -> type[BaseHTTPRequestHandler]:
    """The handler of a hub that holds the files of that folder under a model's name."""

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def _answer(self, *, with_body: bool) -> None:
            path = self.path.partition("?")[0]
            names = [each.name for each in folder.iterdir()]
            if path.startswith(f"/api/models/{model}/tree/"):
                sizes = {name: (folder / name).stat().st_size for name in names}
                tree = [{"type": "file", "oid": COMMIT, "path": name, "size": sizes[name]} for name in names]
                self._say(200, json.dumps(tree).encode(), {"Content-Type": "application/json"}, with_body)
            elif path.startswith(f"/api/models/{model}"):
                told = {"id": model, "sha": COMMIT, "siblings": [{"rfilename": name} for name in names]}
                self._say(200, json.dumps(told).encode(), {"Content-Type": "application/json"}, with_body)
            elif path.startswith(f"/{model}/resolve/{COMMIT}/") and (name := path.rpartition("/")[2]) in names:
                content = (folder / name).read_bytes()
                tag = hashlib.sha1(content).hexdigest()
                self._say(200, content, {"ETag": f'"{tag}"', "X-Repo-Commit": COMMIT}, with_body)
            elif GATED in path:
                self._say(403, b"", {"X-Error-Code": "GatedRepo"}, with_body)
            else:
                self._say(404, b"", {"X-Error-Code": "RepoNotFound"}, with_body)

        def _say(self, code: int, body: bytes, headers: dict[str, str], with_body: bool) -> None:
            self.send_response(code)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if with_body:
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    return Hub
