"""Bytes over HTTP as any client sees them: ranges of what a version holds, and uploads that are refused."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Barrier

import httpx
import numpy as np
import pytest

from lepton_ai.tensors.digest import digest_of
from lepton_ai.tensors.frames import MEDIA, FrameReader, head
from lepton_ai.tensors.manifest import CHUNK, describe
from lepton_ai.versions.incoming.staging import Staging

from ..tensors.past import network, stepped
from .server import Served, served

WEIGHTS = "/models/net/versions/2/weights"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of two versions of a net, the second kept as a delta, with a file beside it."""
    with served(tmp_path_factory.mktemp("bytes")) as server:
        for tensors in (network(), stepped(network(), 1)):
            plain = {n: t.raw().view(np.float32).reshape(t.shape) for n, t in tensors.items()}
            server.manager.save_version(plain, name="net", files={"notes/a b.txt": b"0123456789"})
        yield server


@pytest.fixture
def http(server: Served) -> httpx.Client:
    return server.client()


@pytest.fixture(scope="module")
def exported(server: Served, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("file") / "net.safetensors"
    server.manager.export("net@2", path)
    return path.read_bytes()


def framed(*chunks: bytes) -> bytes:
    return b"".join(head(digest_of(chunk), len(chunk)) + chunk for chunk in chunks)


def upload(http: httpx.Client, body: bytes, model: str = "fresh", media: str = MEDIA) -> httpx.Response:
    return http.post(f"/models/{model}/chunks", content=body, headers={"Content-Type": media})


def test_weights_are_the_file_that_export_writes(http: httpx.Client, exported: bytes) -> None:
    answer = http.get(WEIGHTS)

    assert answer.content == exported
    assert answer.headers["cache-control"].endswith("immutable")
    assert http.get("/models/net/versions/main/weights").headers["cache-control"] == "private, no-cache"
    assert http.get(WEIGHTS, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


@pytest.mark.parametrize(
    ("words", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=7-90000", 7, 90_001),
        ("bytes=600000-1200000", 600_000, 1_200_001),
        ("bytes=-17", -17, None),
        ("bytes=1500000-", 1_500_000, None),
        ("bytes=0-99999999", 0, None),
    ],
)
def test_a_range_is_that_part_of_the_file(
    http: httpx.Client, exported: bytes, words: str, start: int, stop: int | None
) -> None:
    answer = http.get(WEIGHTS, headers={"Range": words})

    assert answer.status_code == 206
    assert answer.content == exported[start:stop]
    assert answer.headers["content-range"].endswith(f"/{len(exported)}")


def test_several_ranges_come_in_parts(http: httpx.Client, exported: bytes) -> None:
    answer = http.get(WEIGHTS, headers={"Range": "bytes=0-9, 1000-1999"})
    boundary = answer.headers["content-type"].partition("boundary=")[2].encode()
    parts = [
        part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") for part in answer.content.split(b"--" + boundary)[1:-1]
    ]

    assert answer.status_code == 206
    assert parts == [exported[:10], exported[1000:2000]]


@pytest.mark.parametrize(
    "words", ["bytes=5-4", "bytes=", "lines=1-2", "bytes=a-b", "bytes=0-1,x", "bytes=" + "0-0," * 17]
)
def test_what_is_no_range_is_as_if_it_were_not_said(http: httpx.Client, exported: bytes, words: str) -> None:
    assert http.get(WEIGHTS, headers={"Range": words}).content == exported


def test_conditions_on_ranges_hold(http: httpx.Client, exported: bytes) -> None:
    beyond = http.get(WEIGHTS, headers={"Range": f"bytes={len(exported)}-"})
    head = http.head(WEIGHTS, headers={"Range": "bytes=0-1"})

    assert beyond.status_code == 416
    assert beyond.headers["content-range"] == f"bytes */{len(exported)}"
    assert http.get(WEIGHTS, headers={"If-Match": '"other"'}).status_code == 412
    assert http.get(WEIGHTS, headers={"If-Range": '"other"', "Range": "bytes=0-1"}).status_code == 200
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(exported)), b"")


def test_tensors_and_files_are_read_by_name(http: httpx.Client, server: Served) -> None:
    listed = http.get("/models/net/versions/2/tensors").json()["tensors"]
    weight = http.get("/models/net/versions/2/tensors/body.weight", headers={"Range": "bytes=4-11"})
    wanted = server.manager.load_arrays("net@2")["body.weight"]

    assert {each["name"]: each["same_as"] for each in listed}["head.weight"] == "embed.weight"
    assert weight.content == wanted.reshape(-1)[1:3].tobytes()
    assert (weight.headers["lepton-dtype"], weight.headers["lepton-shape"]) == ("float32", "300,1200")
    assert http.get("/models/net/versions/1/files").json()["files"][0]["bytes"] == 10
    file = http.get("/models/net/versions/1/files/notes%2Fa%20b.txt", headers={"Range": "bytes=2-3"})
    assert file.content == b"23"
    assert file.headers["content-disposition"] == "attachment; filename*=UTF-8''a%20b.txt"


@pytest.mark.parametrize("name", ["..%2F..%2Fetc%2Fpasswd", "%2Fetc%2Fpasswd", "notes", "%2E%2E", "a%00b"])
def test_no_other_file_is_read(http: httpx.Client, name: str) -> None:
    assert http.get(f"/models/net/versions/1/files/{name}").status_code == 404
    assert http.get(f"/models/net/versions/1/tensors/{name}").status_code == 404


def test_chunks_that_are_not_what_they_say_are_refused_and_those_before_them_stay(http: httpx.Client) -> None:
    good, bad = b"good" * 100, head(digest_of(b"one"), 3) + b"two"
    asked = {"chunks": [digest_of(good), digest_of(b"one")]}
    answers = [
        upload(http, framed(good) + bad),
        upload(http, framed(b"cut")[:-1]),
        upload(http, head(digest_of(b""), 0)),
    ]
    answers.append(upload(http, head(digest_of(b"x"), CHUNK + 1)))

    assert [answer.status_code for answer in answers] == [400] * 4
    assert "chunk 1 of the body comes to" in answers[0].json()["detail"]
    assert http.post("/models/fresh/chunks/missing", json=asked).json()["chunks"] == [digest_of(b"one")]


def test_too_much_the_wrong_media_and_a_model_without_a_name_are_refused(http: httpx.Client) -> None:
    chunk = framed(bytes(CHUNK))

    assert upload(http, chunk * 129).status_code == 413
    assert upload(http, chunk, media="application/octet-stream").status_code == 415
    assert upload(http, chunk, model="-").status_code == 400
    assert upload(http, chunk, model="..%2F..").status_code == 400


def commit(http: httpx.Client, told: dict[str, object], encoded: bytes, *chunks: bytes) -> httpx.Response:
    upload(http, framed(encoded, *chunks), "made")
    blob = {"digest": digest_of(encoded), "chunks": [digest_of(encoded)]}
    return http.post("/models/made/versions", json={"manifest": blob, **told})


def test_a_save_by_hand_is_a_version_and_one_of_a_false_manifest_is_none(server: Served, http: httpx.Client) -> None:
    tensors = network()
    manifest = describe(tensors).encoded
    raws = [tensor.raw().tobytes() for name, tensor in tensors.items() if tensor.nbytes and name != "head.weight"]
    chunks = [raw[start : start + CHUNK] for raw in raws for start in range(0, len(raw), CHUNK)]
    whole = describe(tensors).owner("body.weight").digest
    false = manifest.replace(whole.encode(), digest_of(b"another").encode())
    seq = server.manager.position()

    assert commit(http, {}, manifest).json()["type"].endswith("missing-chunks")
    assert commit(http, {}, b"{}").status_code == 400
    assert commit(http, {}, false, *chunks).status_code == 400
    assert commit(http, {"files": {"../x": {"digest": digest_of(b""), "chunks": []}}}, manifest).status_code == 400
    assert commit(http, {"save": {"validation": {"a": [1, 2]}}}, manifest).status_code == 400
    assert server.manager.position() == seq
    made = commit(http, {"save": {"message": "by hand"}}, manifest)
    assert made.status_code == 201
    assert made.headers["location"] == "/api/v1/models/made/versions/1"
    assert int(made.headers["lepton-seq"]) > seq
    assert server.manager.show("made@1").code == {}  # not the server's own
    np.testing.assert_array_equal(server.manager.load_arrays("made@1")["scale"], np.float32(1.5))


def test_what_nobody_saved_is_taken_away_after_a_day(tmp_path: Path) -> None:
    staging = Staging(tmp_path / "incoming")
    for frame in FrameReader().feed(framed(b"old", b"new")):
        staging.of("net").upload().put(frame)
    old = next(path for path in tmp_path.rglob("*") if path.is_file() and path.read_bytes() == b"old")
    os.utime(old, (time.time() - 90_000,) * 2)
    staging.sweep()

    assert staging.of("net").among([digest_of(b"old"), digest_of(b"new")]) == {digest_of(b"new")}


def test_a_folder_that_is_found_empty_is_not_taken_from_under_an_upload(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    for number in range(20):
        staging, start = Staging(tmp_path / str(number)), Barrier(4)

        def put(chunk: bytes, staging: Staging = staging, start: Barrier = start) -> None:
            start.wait()
            for frame in FrameReader().feed(framed(chunk)):
                staging.of("net").upload().put(frame)

        chunks = [f"chunk {each}".encode() for each in range(4)]
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(put, chunks))
        assert len(staging.of("net").among(map(digest_of, chunks))) == 4


def test_a_model_to_which_nothing_came_for_a_day_has_no_folder(tmp_path: Path) -> None:
    staging = Staging(tmp_path / "incoming")
    for frame in FrameReader().feed(framed(b"old")):
        staging.of("net").upload().put(frame)
    staging.sweep()
    assert list((tmp_path / "incoming").iterdir())
    for path in (tmp_path / "incoming").rglob("*"):
        os.utime(path, (time.time() - 90_000,) * 2)
    staging.sweep()

    assert not list((tmp_path / "incoming").iterdir())
