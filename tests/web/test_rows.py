"""Rows that are sent: bounded, never by halves, and no way to name a file or an address of the server's machine."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest

from lepton_ai.versions.data.uploaded import UploadLimits

from ..asking import until
from .server import Served, served

CSV = b"a,b,y\n1,x,0\n2,y,1\n"
MODEL = "/models/net/versions"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A ledger with two versions that nobody can rebuild, served."""
    with served(tmp_path_factory.mktemp("home")) as server:
        for value in (1.0, 2.0):
            rows = (np.arange(6.0).reshape(3, 2), np.array([0, 1, 1]))
            metrics = {"f1": value / 3}
            server.manager.save_version({"w": np.full(3, value)}, name="net", metrics=metrics, validation=rows)
        yield server


def send(client: httpx.Client, content: bytes = CSV, media: str | None = "text/csv", **headers: str) -> httpx.Response:
    told = ({} if media is None else {"Content-Type": media}) | {
        name.replace("_", "-"): headers[name] for name in headers
    }
    return client.post("/rows", content=content, headers=told)


def left(server: Served) -> list[Path]:
    folder = server.service.uploads.place("", "").parent
    return sorted(folder.iterdir()) if folder.is_dir() else []


def test_what_was_sent_is_told_until_it_is_deleted(server: Served) -> None:
    client = server.client()
    answer = send(client)

    assert answer.status_code == 201
    told = answer.json()
    assert told.keys() == {"rows", "count", "columns", "bytes", "digest", "expires"}
    assert (told["count"], told["bytes"], len(told["rows"])) == (2, len(CSV), 32)
    assert answer.headers["Location"] == f"/api/v1/rows/{told['rows']}"
    assert client.get(f"/rows/{told['rows']}").json() == told
    assert send(client).json()["rows"] != told["rows"]
    assert client.delete(f"/rows/{told['rows']}").status_code == 204
    assert client.get(f"/rows/{told['rows']}").status_code == 404


@pytest.mark.parametrize(
    ("media", "headers"),
    [
        ("text/csv; charset=utf-8", {}),
        ("Text/CSV", {}),
        ("text/csv", {"Content_Encoding": "gzip"}),
        ("text/csv", {"Content_Encoding": "identity"}),
    ],
    ids=range(4),
)
def test_text_may_say_its_charset_and_be_packed(server: Served, media: str, headers: dict[str, str]) -> None:
    content = gzip.compress(CSV) if headers.get("Content_Encoding") == "gzip" else CSV

    assert send(server.client(), content, media, **headers).json()["count"] == 2


@pytest.mark.parametrize(
    ("content", "media", "headers", "status"),
    [
        (CSV, None, {}, 415),
        (CSV, "application/json", {}, 415),
        (CSV, "text/plain", {}, 415),
        (CSV, "text/csv; charset=latin-1", {}, 415),
        (CSV, "text/csv", {"Content_Encoding": "br"}, 415),
        (CSV, "application/vnd.apache.parquet", {"Content_Encoding": "gzip"}, 415),
        (CSV, "application/vnd.apache.parquet", {}, 400),
        (CSV, "application/vnd.apache.arrow.stream", {}, 400),
        (CSV, "text/csv", {"Content_Encoding": "gzip"}, 400),
        (b"", "text/csv", {}, 400),
        (b"a;b\n1;2\n", "text/csv", {}, 400),
        (b"a,b\n1,2,3\n", "text/csv", {}, 400),
        (b"a,b\n\xff,2\n", "text/csv", {}, 400),
        (b"a\tb\n", "text/csv", {}, 400),
    ],
    ids=range(14),
)
def test_what_is_no_rows_is_refused(
    server: Served, content: bytes, media: str | None, headers: dict[str, str], status: int
) -> None:
    before = left(server)
    answer = send(server.client(), content, media, **headers)

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert str(server.service.home.settings.home) not in answer.text
    assert left(server) == before


PREDICTED = {"rows": "ROWS", "predictions": "a", "labels": "y", "task": "regression"}
PATHS = (
    "file:///etc/passwd",
    "/etc/passwd",
    "../../../etc/passwd",
    "s3://bucket/rows.csv",
    "https://evil.example/rows.csv",
    "rows.csv",
    "data:/etc/passwd",
    "data:file:///etc/passwd",
    "data:rows.parquet",
    "..",
    "",
)


@pytest.mark.parametrize("path", PATHS)
def test_no_request_names_a_file_or_an_address(
    server: Served, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_bytes(CSV)
    client, at = server.client(), server.manager.position()
    on = {"data": path, "labels": "y"}
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", f"{MODEL}/1/evaluations", on),
        ("POST", f"{MODEL}/1/gates", {**on, "require": "f1 > 0"}),
        ("POST", f"{MODEL}/1/calibrations", on),
        ("POST", f"{MODEL}/1/thresholds", {**on, "costs": {"false_negative": 5}}),
        ("POST", f"{MODEL}/1/robustness", on),
        ("POST", "/models/net/compare", {**on, "revs": ["1", "2"]}),
        ("POST", "/models/net/pick", on),
        ("PUT", "/suites/weekly", on),
        ("POST", f"{MODEL}/1/evaluations", {"rows": path, "labels": "y"}),
        ("POST", f"{MODEL}/1/evaluations/predictions", {"rows": path, "labels": "y", "predictions": "a"}),
        ("PUT", "/data/quarter", {"rows": path}),
    ]
    for method, place, body in asked:
        answer = client.request(method, place, json=body)
        assert answer.status_code in (400, 404), (place, answer.text)
        assert "root:" not in answer.text
    assert client.get("/data/x/drift", params={"after": path}).status_code in (400, 404)
    assert server.manager.position() == at


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("POST", f"{MODEL}/1/evaluations", {}, 400, "which rows"),
        ("POST", f"{MODEL}/1/evaluations", {"data": "x", "rows": "y"}, 400, "which rows"),
        ("POST", f"{MODEL}/1/evaluations", {"data": "nothing"}, 404, "nothing"),
        ("POST", f"{MODEL}/1/evaluations", {"rows": "0" * 32}, 400, "labels"),
        ("POST", f"{MODEL}/1/evaluations", {"rows": "0" * 32, "labels": "y"}, 404, "send them again"),
        ("POST", f"{MODEL}/1/evaluations", {"rows": "ROWS", "labels": "y", "draw": 5}, 400, "draw"),
        ("POST", f"{MODEL}/1/evaluations", {"rows": "ROWS", "labels": "y", "draws": "5"}, 400, "draws"),
        ("POST", f"{MODEL}/1/evaluations/predictions", {**PREDICTED, "draws": 10**9}, 400, "draws"),
        ("POST", f"{MODEL}/1/evaluations", {"rows": "ROWS", "labels": "y", "actor": "bob"}, 400, "actor"),
        ("POST", f"{MODEL}/1/evaluations", {"rows": "ROWS", "labels": "y", "progress": True}, 400, "progress"),
        ("POST", f"{MODEL}/1/evaluations", {"rows": "ROWS", "labels": "nobody"}, 409, "bare tensors"),
        ("POST", f"{MODEL}/9/evaluations", {"rows": "ROWS", "labels": "y"}, 404, "9"),
        ("POST", "/models/nobody/versions/1/evaluations", {"rows": "ROWS", "labels": "y"}, 404, "nobody"),
        ("POST", f"{MODEL}/1/evaluations/predictions", {"rows": "ROWS", "predictions": "p", "labels": "y"}, 400, "'p'"),
        (
            "POST",
            f"{MODEL}/1/evaluations/predictions",
            {"rows": "ROWS", "predictions": [], "labels": "y"},
            400,
            "empty",
        ),
        ("POST", f"{MODEL}/1/gates", {"require": "f1 >>> 1"}, 400, "f1"),
        ("POST", f"{MODEL}/1/gates", {"require": "f1 > 0", "draws": 100}, 400, "data"),
        ("POST", f"{MODEL}/1/gates", {"suite": "nobody"}, 404, "nobody"),
        ("POST", f"{MODEL}/1/calibrations", {"rows": "ROWS", "labels": "y", "method": "magic"}, 400, "method"),
        ("POST", f"{MODEL}/1/thresholds", {"rows": "ROWS", "labels": "y"}, 400, "costs"),
        ("POST", "/models/net/compare", {"revs": []}, 400, "version"),
        ("POST", "/models/net/compare", {"revs": ["1", "2"], "groups": "a"}, 400, "groups"),
        ("POST", "/models/net/pick", {"by": "beauty"}, 409, "beauty"),
        ("PUT", "/suites/weekly", {"rows": "ROWS", "labels": "y"}, 400, "data"),
        ("PUT", "/suites/weekly", {"data": "nothing"}, 404, "nothing"),
        ("POST", "/suites/weekly/runs", {"version": "1"}, 404, "weekly"),
        ("DELETE", "/suites/weekly", None, 404, "weekly"),
        ("PUT", "/data/x.csv", {"rows": "ROWS"}, 400, "path"),
        ("PUT", "/data/x%2Fy", {"rows": "ROWS"}, 400, "path"),
        ("PUT", "/data/quarter", {"rows": "ROWS", "labels": "nobody"}, 400, "nobody"),
        ("PUT", "/data/quarter", {"rows": "ROWS", "types": {"a": "money"}}, 400, "money"),
        ("GET", "/data/nobody", None, 404, "nobody"),
        ("GET", f"{MODEL}/1/report", None, 409, "report"),
        ("GET", f"{MODEL}/1/report?nam=x", None, 400, "nam"),
    ],
    ids=range(34),
)
def test_what_is_wrong_is_told_in_a_sentence_and_changes_nothing(
    server: Served, method: str, path: str, body: Any, status: int, words: str
) -> None:
    client, at = server.client(), server.manager.position()
    if body and body.get("rows") == "ROWS":
        body = body | {"rows": send(client).json()["rows"]}
    answer = client.request(method, path, json=body) if body is not None else client.request(method, path)

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json()["detail"]
    assert str(server.service.home.settings.home) not in answer.text
    assert server.manager.position() == at


def test_more_than_the_server_takes_is_refused_however_it_comes(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.service.uploads, "limits", UploadLimits(bytes=10_000))
    before, content = left(server), CSV + b"1,x,0\n" * 5_000

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(content), 5_000):
            yield content[start : start + 5_000]

    for body in (content, pieces()):
        answer = server.client().post("/rows", content=body, headers={"Content-Type": "text/csv"})
        assert answer.status_code == 413
        assert answer.json()["type"] == "tag:lepton-ai,2026:problem:too-large"
    assert left(server) == before


@pytest.mark.parametrize("cut", ["half", "chunk"])
def test_an_upload_that_the_client_cuts_leaves_nothing(server: Served, cut: str) -> None:
    before, place = left(server), urlsplit(server.url)
    length = "Transfer-Encoding: chunked" if cut == "chunk" else "Content-Length: 1000000"
    with socket.create_connection((place.hostname, place.port)) as wire:
        wire.sendall(
            f"POST /api/v1/rows HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n{length}\r\n\r\n".encode()
        )
        wire.sendall(b"6\r\na,b,y\n\r\n" if cut == "chunk" else CSV)
        until(lambda: len(left(server)) > len(before))
    until(lambda: left(server) == before)
