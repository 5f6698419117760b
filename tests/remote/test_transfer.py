"""Tensors over HTTP: bit for bit there and back, by no more bytes than are missing, and never changed by damage."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from socket import socket
from threading import Thread
from uuid import uuid4

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lepton_ai.domain.access.rights import Rights
from lepton_ai.errors import Damaged, MissingChunks, Refused, Unavailable, UnknownRevision
from lepton_ai.remote.client import Client
from lepton_ai.remote.place import named
from lepton_ai.remote.transfer.connections import Connections, Download
from lepton_ai.remote.transfer.in_order import InOrder
from lepton_ai.remote.transfer.saving import Uploading
from lepton_ai.tensors.manifest import CHUNK
from lepton_ai.tensors.tensor import Array, Tensor

from ..examples import examples
from ..tensors.past import network, same, stepped
from ..tensors.test_law import NAMES, arrays, successors
from ..web.server import Served, served
from .asking import Between, Remote


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("home")) as server:
        yield server


@pytest.fixture
def remote(server: Served) -> Iterator[Remote]:
    remote = Remote(server.url)
    yield remote
    remote.close()


def noise(chunks: int, seed: int = 0) -> dict[str, Array]:
    """A tensor of so many chunks, which no codec makes smaller."""
    raw = np.random.default_rng(seed).integers(0, 256, chunks * CHUNK, dtype=np.uint8)
    return {"weight": Array("uint8", (chunks * CHUNK,), raw)}


@settings(max_examples=examples(5), deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_dtype_tie_and_empty_tensor_comes_back_bit_for_bit(server: Served, data: st.DataObject) -> None:
    remote, model = Remote(server.url), f"law-{uuid4()}"
    tensors = {name: data.draw(arrays()) for name in NAMES}
    later = data.draw(successors(tensors)) or tensors
    remote.save(tensors, model)
    number = int(remote.save(later, model))

    assert same(remote.arrays(f"{model}@1"), tensors)
    assert same(remote.arrays(f"{model}@{number}"), later)
    remote.close()


def test_a_version_saved_over_http_is_the_version_that_a_local_save_makes(
    server: Served, remote: Remote, tmp_path: Path
) -> None:
    from lepton_ai import ModelManager

    first, second = network(), stepped(network(), 1)
    there = [
        remote.save(each, "same", message="a", metrics={"f1": 0.5}, tags=[tag])
        for each, tag in ((first, "x"), (second, "y"))
    ]
    with ModelManager(tmp_path / "home") as manager:
        plain = [{n: t.raw().view(np.float32).reshape(t.shape) for n, t in each.items()} for each in (first, second)]
        here = [manager.save_version(each, name="same", message="a", metrics={"f1": 0.5}) for each in plain]

    assert [version.digest for version in there] == [version.digest for version in here]
    assert server.manager.show("same@2").keyframe is False  # the server made the delta
    assert dict(server.manager.show("same@2").metrics) == {"f1": 0.5}


def test_only_chunks_that_are_missing_are_sent(server: Served, remote: Remote) -> None:
    before = noise(8, 1)
    remote.save(before, "frugal")
    raw = before["weight"].raw().copy()
    raw[3 * CHUNK] ^= 1
    with Between(server.url) as between:
        Remote(between.url).save({"weight": Array("uint8", raw.shape, raw)}, "frugal")

    assert CHUNK < between.there < 2 * CHUNK


def test_a_save_sent_again_under_its_key_is_the_version_that_it_made_and_uploads_no_tensor(
    server: Served, remote: Remote
) -> None:
    tensors = noise(4, 2)
    version = remote.save(tensors, "twice", key="twice-1")
    remote.save(noise(4, 3), "twice")
    with Between(server.url) as between:
        again = Remote(between.url).save(tensors, "twice", key="twice-1")

    assert again == version
    assert len(server.manager.log("twice")) == 2


def test_apply_reads_manifests_and_deltas_alone(server: Served) -> None:
    layer, model = torch.nn.Linear(700, 700), "applied"
    server.manager.save_version(layer, name=model)
    with torch.no_grad():
        layer.weight += 1e-4
    server.manager.save_version(layer, name=model)
    live = torch.nn.Linear(700, 700)
    first = Remote(server.url)
    first.versions.load(f"{model}@1", into=live)
    with Between(server.url) as between:
        remote = Remote(between.url)
        remote._origins.update(first._origins)
        steps = remote.versions.apply(f"{model}@2", live)
    delta = server.manager.show(f"{model}@2").delta

    assert len(steps) == 1
    assert torch.equal(live.weight, layer.weight)
    assert delta is not None
    assert between.back < delta["bytes"] + 64 * 1024 + 20_000  # its index is read twice, once to know what it is
    assert all("from=" in line for line in between.asked if "stored" in line)


def test_a_module_that_no_deltas_lead_from_is_written_whole(server: Served, remote: Remote) -> None:
    server.manager.save_version(torch.nn.Linear(3, 3), name="far")
    live = torch.nn.Linear(3, 3)

    assert remote.versions.apply("far@1", live) == ()
    assert torch.equal(live.weight, server.manager.load_tensors("far@1")["weight"])


def test_part_of_a_version_is_read_in_part(server: Served, remote: Remote) -> None:
    tensors = {"large": noise(30, 5)["weight"], "small": noise(1, 6)["weight"]}
    remote.save(tensors, "parts")
    with Between(server.url) as between:
        found = Remote(between.url).arrays("parts@1", ["small"])

    assert same(found, {"small": tensors["small"]})
    assert between.back < 2 * CHUNK


def test_bytes_damaged_on_the_way_raise_and_change_nothing_live(server: Served, remote: Remote) -> None:
    layer = torch.nn.Linear(900, 900)
    server.manager.save_version(layer, name="live")
    with torch.no_grad():
        layer.weight += 1e-4
    server.manager.save_version(layer, name="live")
    live = torch.nn.Linear(900, 900)
    remote.versions.load("live@1", into=live)
    before = live.weight.clone()

    def flipped(data: bytes) -> bytes:
        return (
            data
            if b"HTTP/1.1" in data or len(data) < 9_000
            else data[:8_000] + bytes((data[8_000] ^ 1,)) + data[8_001:]
        )

    with Between(server.url, flipped) as between:
        damaging = Remote(between.url)
        damaging._origins.update(remote._origins)
        with pytest.raises(Damaged):
            damaging.versions.apply("live@2", live)
        assert torch.equal(live.weight, before)
        with pytest.raises(Damaged):
            damaging.versions.load("live@2", into=live)
        assert torch.equal(live.weight, before)


def test_a_load_is_read_on_where_its_connection_was_cut(server: Served, remote: Remote) -> None:
    tensors = noise(24, 7)
    remote.save(tensors, "cut")
    with Between(server.url, most=3 << 20) as between:
        found = Remote(between.url).arrays("cut@1")

    assert same(found, tensors)
    assert between.back < 15 << 20  # not begun anew each time


def test_a_load_takes_one_long_request_for_a_delta_and_one_for_what_it_leads_from(
    server: Served, remote: Remote
) -> None:
    tensors = noise(64, 20)
    raw = tensors["weight"].raw().copy()
    raw[::3] += 1  # so much that the delta is long, too
    later = {"weight": Array("uint8", raw.shape, raw)}
    remote.save(tensors, "long")
    remote.save(later, "long")
    assert not server.manager.show("long@2").keyframe
    with Between(server.url) as between:
        found = Remote(between.url).arrays("long@2")

    assert same(found, later)
    assert len([line for line in between.asked if "/stored" in line]) <= 2 + 4  # beside manifests and a delta's index


@settings(max_examples=examples(10), deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_threads_that_ask_in_any_order_and_leave_some_out_get_the_bytes_that_they_ask_for(
    server: Served, data: st.DataObject
) -> None:
    remote = Remote(server.url)
    if "scrambled" not in server.manager.models():
        remote.save(noise(48, 21), "scrambled")
    connections = Connections(remote.client)
    facts = remote.client.get("/models/scrambled/versions/1/restoring")
    path, etag, size = "/models/scrambled/versions/1/stored", facts["stored"]["etag"], facts["stored"]["size"]
    whole = np.empty(size, np.uint8)
    connections.read_into(path, 0, whole.data, etag)
    starts = sorted(data.draw(st.sets(st.integers(0, size - 1), max_size=2)) | {0})
    read = InOrder(lambda start, stop: Download(connections, path, start, stop, etag), starts, size)
    cuts = sorted(data.draw(st.sets(st.integers(0, size), min_size=2, max_size=12)))
    spans = [span for span in pairwise(cuts) if data.draw(st.booleans())]

    def asked(span: tuple[int, int]) -> bool:
        into = np.empty(span[1] - span[0], np.uint8)
        read.read_into(span[0], into.data)
        return bool(np.array_equal(into, whole[span[0] : span[1]]))

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(asked, data.draw(st.permutations(spans))))
    connections.close()
    remote.close()


def test_files_come_back_and_those_that_are_known_are_not_sent_again(
    server: Served, remote: Remote, tmp_path: Path
) -> None:
    large = np.random.default_rng(8).integers(0, 256, 3 * CHUNK + 5, dtype=np.uint8).tobytes()
    (tmp_path / "large.bin").write_bytes(large)
    files = {"data/large.bin": tmp_path / "large.bin", "note.txt": b"hello", "empty": b""}
    remote.save(network(), "filed", files=files)
    with Between(server.url) as between:
        Remote(between.url).save(stepped(network(), 2), "filed", files=files)

    told = {"data/large.bin": large, "note.txt": b"hello", "empty": b""}
    assert remote.versions.files("filed@1") == remote.versions.files("filed@2") == told
    assert between.there < 2_500_000


def test_a_tensor_that_changes_while_it_is_uploaded_is_refused(server: Served, remote: Remote) -> None:
    class Restless(Array):
        def raw(self) -> np.ndarray:
            self.buffer[0] += 1
            return self.buffer.copy()

    with pytest.raises(Refused, match="changed while it was saved"):
        remote.save({"x": Restless("uint8", (10,), np.zeros(10, np.uint8))}, "restless")
    assert "restless" not in server.manager.models()


def test_a_model_of_another_is_neither_read_nor_known(server: Served, remote: Remote) -> None:
    secret = noise(2, 9)
    remote.save(secret, "secret")
    chunks = list(server.manager.transfer.tensors("secret@1").manifest.owner("weight").chunks)
    transfer = server.manager.acting("eve", Rights(frozenset(("write",)), ("open",))).transfer

    assert list(transfer.missing("open", chunks).chunks) == chunks
    with pytest.raises(UnknownRevision):
        transfer.missing("open", chunks, parents=["secret@1"])
    with pytest.raises(UnknownRevision):
        transfer.restorable("secret@1")
    with pytest.raises(MissingChunks) as lacking:
        commit_alone(remote, "open", secret)
    assert set(lacking.value.chunks) == set(chunks)


def test_the_server_killed_within_an_upload_keeps_what_arrived(tmp_path: Path) -> None:
    tensors, home = noise(96, 10), tmp_path / "home"
    with process(home) as (server, url), Between(url) as between:
        between.seen = lambda there: server.kill() if there > 20 << 20 and chunks_in(home) else None
        remote = Remote(between.url)
        with pytest.raises(Unavailable) as away:
            remote.save(tensors, "resumed", key="resumed-1")
    staged = chunks_in(home)
    with process(home) as (_, url), Between(url) as between:
        remote = Remote(between.url)
        version = remote.save(tensors, "resumed", key="resumed-1")
        found = remote.arrays(f"resumed@{version}")

    assert away.value.key == "resumed-1"
    assert staged
    assert between.there < (96 - len(staged)) * CHUNK + 2 * CHUNK
    assert same(found, tensors)
    assert not chunks_in(home)


def chunks_in(home: Path) -> list[Path]:
    """What is staged, without the part that a killed server was writing, which goes after a day."""
    return [path for path in (home / "incoming").rglob("*") if path.is_file() and not path.name.startswith(".")]


@contextmanager
def process(home: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server in a process of its own, and its address; it ends by being killed."""
    words = (sys.executable, "-c", "from lepton_ai.cli import main; main()")
    env = {**os.environ, "LEPTON_HOME": str(home), "LEPTON_LANG": "en"}
    with subprocess.Popen((*words, "serve", "--port", "0"), env=env, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            yield server, next(found[0] for line in server.stderr if (found := re.search(r"http://\S+", line)))
        finally:
            server.kill()


def commit_alone(remote: Remote, model: str, tensors: Mapping[str, Tensor]) -> None:
    """Ask for a version whose manifest alone was uploaded."""
    upload = Uploading(remote.client, model, tensors, {}, {})
    upload._send({part.digest for part in upload._head.parts})
    remote.client.post(f"/models/{model}/versions", {"manifest": upload._head.told()})


def test_a_chunked_answer_that_is_cut_within_a_chunk_is_gone_on_with() -> None:
    content = np.random.default_rng(3).integers(0, 256, 1000, dtype=np.uint8).tobytes()
    asked: list[bytes] = []

    def answers(listening: socket) -> None:
        for cut in (400, None):
            connection, _ = listening.accept()
            with connection, connection.makefile("rb") as head:
                lines = list(iter(head.readline, b"\r\n"))
                asked.append(next(line.strip() for line in lines if line.startswith(b"Range")))
                first, last = map(int, asked[-1].split(b"=")[1].split(b"-"))
                body = content[first : last + 1]
                span = f"Content-Range: bytes {first}-{last}/1000".encode()
                connection.sendall(b"HTTP/1.1 206 Partial\r\nTransfer-Encoding: chunked\r\n" + span + b"\r\n\r\n")
                for piece in (body[at : at + 200] for at in range(0, len(body) if cut is None else cut, 200)):
                    connection.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                connection.sendall(b"c8\r\nhalf" if cut else b"0\r\n\r\n")

    with socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        thread = Thread(target=answers, args=(listening,), daemon=True)
        thread.start()
        client = Client(named(f"http://127.0.0.1:{listening.getsockname()[1]}", {}))
        connections, into = Connections(client), bytearray(1000)
        connections.read_into("/any", 0, memoryview(into), "tag")
        connections.close()
        thread.join()

    assert bytes(into) == content
    assert asked == [b"Range: bytes=0-999", b"Range: bytes=400-999"]
