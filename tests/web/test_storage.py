"""A server whose objects are damaged or away, or whose disk is full: it says so, names no place, and goes on."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from lepton_ai.tensors.digest import digest_of
from lepton_ai.tensors.frames import MEDIA, head

from .server import Served, served

WEIGHTS = "/models/net/versions/1/weights"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "home") as server:
        server.manager.save_version({"w": np.arange(4096, dtype=np.float32)}, name="net")
        yield server


def refused(answer: httpx.Response, status: int, kind: str, place: Path) -> str:
    """What a problem says, which names no place of the server's machine."""
    assert (answer.status_code, answer.json()["type"]) == (status, f"tag:lepton-ai,2026:problem:{kind}"), answer.text
    assert str(place) not in answer.text
    assert "/home" not in answer.json()["detail"]
    return answer.json()["detail"]


def test_a_damaged_pack_is_told_as_damage_and_names_no_place(server: Served, tmp_path: Path) -> None:
    (pack,) = [path for path in (tmp_path / "home" / "objects").rglob("*") if path.is_file()]
    whole = bytearray(pack.read_bytes())
    whole[len(whole) // 2] ^= 1
    pack.chmod(0o644)
    pack.write_bytes(whole)

    http = server.client()
    refused(http.get(WEIGHTS), 500, "damaged", tmp_path)
    assert http.get("/models/net").status_code == 200


def test_objects_that_are_away_are_told_as_such_and_come_back(server: Served, tmp_path: Path) -> None:
    objects = tmp_path / "home" / "objects"
    http = server.client()
    objects.rename(tmp_path / "elsewhere")
    refused(http.get(WEIGHTS), 503, "unavailable", tmp_path)
    (tmp_path / "elsewhere").rename(objects)
    assert http.get(WEIGHTS).status_code == 200


def test_a_full_disk_is_told_at_the_upload_and_the_same_upload_goes_well_later(server: Served, tmp_path: Path) -> None:
    sent = np.zeros(1 << 17, dtype=np.float32)
    http = server.client()
    end = server.manager.position()
    with no_file_beyond(400_000):
        answer = _uploaded(http, sent)
    refused(answer, 503, "unavailable", tmp_path)
    assert "Retry-After" in answer.headers
    assert [*(tmp_path / "home").rglob(".??*")] == []
    assert _uploaded(http, sent).status_code == 200
    assert server.manager.position() == end


@contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """No file of this process grows beyond a size: the kernel refuses, as it does where a disk is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _uploaded(http: httpx.Client, tensor: np.ndarray[Any, Any]) -> httpx.Response:
    chunk = tensor.tobytes()
    content = head(digest_of(chunk), len(chunk)) + chunk
    return http.post("/models/net/chunks", content=content, headers={"Content-Type": MEDIA})
