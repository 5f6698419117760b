"""Buckets, beyond what every store holds to: a network that fails, a store that is dead, closed or not there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from lepton_ai.errors import Malformed, Refused, Unavailable
from lepton_ai.tensors import cloud
from lepton_ai.tensors.address import objects_at
from lepton_ai.tensors.cloud import PART, CloudStore

from ..asking import PATIENCE
from ..buckets import S3, SECRET, Azure, Wire
from ..servers import free_port

WAIT = 4.0
"""Seconds for a store that will not answer; one that will has as many as it needs."""


def store_at(url: str, wait: float = PATIENCE) -> CloudStore:
    store = objects_at(url, "main", wait=wait)
    assert isinstance(store, CloudStore)
    return store


@pytest.fixture(params=["s3", "azure"])
def store(request: pytest.FixtureRequest) -> CloudStore:
    return store_at(request.getfixturevalue(request.param))


@pytest.fixture
def wire(s3_server: S3, s3: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """A wire to S3, which the environment takes for S3 from now on."""
    wire = Wire(s3_server.port)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{wire.port}")
    yield wire
    wire.close()


@pytest.fixture
def paused(s3_server: S3) -> Iterator[Callable[[], None]]:
    """Makes S3 silent for the rest of the test."""
    yield s3_server.pause
    s3_server.resume()


def large(parts: int = 3, at_end: Callable[[], None] = lambda: None) -> Iterator[bytes]:
    """The pieces of an object of some parts."""
    for _ in range(parts * 16):
        yield b"x" * (PART // 16)
    at_end()
    yield b"end"


def test_a_wire_cut_in_the_middle_of_a_put_leaves_nothing_visible_and_a_claim(
    s3: str, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind = store_at(s3, WAIT)
    wire.cut("there", after=2 * PART, for_good=True)

    with pytest.raises(Unavailable, match="object packs/x cannot be reached"):
        behind.put("packs/x", large())

    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{wire.server_port}")
    store = store_at(s3)
    assert list(store.list("")) == []
    assert store.leftovers() == [".lepton-claims/packs/x"]


def test_a_wire_cut_in_the_middle_of_a_get_is_unavailable(s3: str, wire: Wire) -> None:
    store_at(s3).put("packs/x", large())
    wire.cut("back", after=PART, for_good=True)

    with pytest.raises(Unavailable, match="object packs/x cannot be reached"):
        store_at(s3, WAIT).get("packs/x")


def test_a_wire_that_is_whole_again_is_asked_again_and_nobody_notices(s3: str, wire: Wire) -> None:
    store = store_at(s3)
    for number, way in enumerate(("there", "back")):
        wire.cut(way, after=2 * PART if way == "there" else 0, for_good=False)
        assert store.put(f"packs/{number}", large()) == 3 * PART + 3
    wire.cut("back", after=PART, for_good=False)

    assert store.get("packs/0") == b"x" * 3 * PART + b"end"
    assert store.leftovers() == []


def test_a_put_whose_answer_was_lost_is_no_refusal_of_its_own_work(s3: str, wire: Wire) -> None:
    store = store_at(s3)
    wire.cut("back", after=0, for_good=False)

    assert store.put("x", [b"small"]) == 5
    assert store.get("x") == b"small"


def test_a_store_that_takes_calls_and_answers_none_is_unavailable_in_time(s3: str, paused: Callable[[], None]) -> None:
    store_at(s3).put("x", [b"1"])
    store = store_at(s3, WAIT)
    paused()

    calls: tuple[Callable[[], object], ...] = (
        lambda: store.put("y", [b"1"]),
        lambda: store.put("y", large()),
        lambda: store.get("x"),
        lambda: store.size("x"),
        lambda: list(store.list("")),
        lambda: store.delete("x"),
    )
    for call in calls:
        begun = time.monotonic()
        with pytest.raises(Unavailable):
            call()
        assert time.monotonic() - begun < 10 * WAIT


def test_a_store_that_falls_silent_in_the_middle_of_a_put_is_unavailable_in_time(
    s3: str, s3_server: S3, paused: Callable[[], None]
) -> None:
    store = store_at(s3, WAIT)
    begun: list[float] = []

    def fall_silent() -> None:
        paused()
        begun.append(time.monotonic())

    with pytest.raises(Unavailable):
        store.put("x", large(at_end=fall_silent))
    assert time.monotonic() - begun[0] < 10 * WAIT
    s3_server.resume()
    assert list(store.list("")) == []


def test_where_what_a_writer_began_cannot_even_be_thrown_away_that_is_unavailable_too(
    s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Torn:
        """A writer as `obstore` has them where a part fails and then the request that gives it up: an OSError."""

        def write(self, data: bytes) -> int:
            return len(data)

        def close(self) -> None:
            raise OSError("Generic S3 error: Error performing DELETE http://host/x: HTTP error: error sending request")

        def __exit__(self, *_: object) -> None:
            self.close()

    monkeypatch.setattr("obstore.open_writer", lambda *_, **__: Torn())

    with pytest.raises(Unavailable, match=r"object x cannot be reached \(no answer\)"):
        store_at(s3).put("x", large())


@pytest.mark.parametrize("url", ["s3://nobody-made-it", "az://nobody-made-it"])
def test_a_bucket_that_is_not_there_is_no_damage(url: str, s3: str, azure: str) -> None:
    store = store_at(url)
    for call in (
        lambda: store.put("x", [b"1"]),
        lambda: store.put("x", large()),
        lambda: store.get("x"),
        lambda: store.size("x"),
        lambda: list(store.list("")),
    ):
        with pytest.raises(Unavailable):
            call()


def test_a_store_that_does_not_know_us_is_unavailable_and_says_why(azure: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_KEY")
    monkeypatch.setenv("AZURE_STORAGE_SAS_KEY", f"sv=2021-08-06&sp=rl&sig={SECRET}")
    monkeypatch.delenv("AZURE_STORAGE_USE_EMULATOR")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "devstoreaccount1")
    monkeypatch.setenv("AZURE_ENDPOINT", f"{os.environ['AZURITE_BLOB_STORAGE_URL']}/devstoreaccount1")
    monkeypatch.setenv("AZURE_ALLOW_HTTP", "true")

    with pytest.raises(Unavailable, match=r"closed to us .*; check the credentials"):
        store_at(azure).size("x")


def test_no_message_tells_a_host_a_bucket_or_a_secret(s3: str, wire: Wire, azure_server: Azure, azure: str) -> None:
    store = store_at(s3, WAIT)
    wire.close()
    told: list[BaseException] = []
    for call in (
        lambda: store.put("x", [b"1"]),
        lambda: store.get("x"),
        lambda: store_at("az://nobody", WAIT).get("x"),
    ):
        with pytest.raises(Unavailable) as caught:
            call()
        told.append(caught.value)

    for error in told:
        for word in ("127.0.0.1", str(wire.port), S3.bucket, "nobody", SECRET):
            assert word not in str(error)
        assert error.__suppress_context__


def test_an_object_of_more_parts_than_a_bucket_takes_is_refused(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud, "PARTS", 2)
    store = store_at(s3)

    with pytest.raises(Refused, match="more than 2 parts"):
        store.put("x", large())
    assert (list(store.list("")), store.leftovers()) == ([], [])


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run((sys.executable, "-c", code, *arguments), capture_output=True, text=True, check=False)


BOUNDED = """
import resource, sys
from lepton_ai.tensors.address import objects_at
store = objects_at(sys.argv[1], "main", wait=30)
store.put("warm", [b"x" * 20_000_000])
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before = peak()
written = store.put("packs/x", (bytes([n % 251]) * 500_000 for n in range(320)))
print(written, peak() - before)
"""


def test_an_object_of_160_megabytes_goes_through_bounded_memory(
    store: CloudStore, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue(request.node.callspec.params["store"])

    done = run(BOUNDED, url)

    assert done.returncode == 0, done.stderr
    written, grown = map(int, done.stdout.split())
    assert written == store.size("packs/x") == 160_000_000
    assert grown < 48


KILLED = """
import sys
from lepton_ai.tensors.address import objects_at
def pieces():
    yield b"x" * 20_000_000
    yield b"y" * 20_000_000
    print("half", flush=True)
    sys.stdin.read()
objects_at(sys.argv[1], "main", wait=30).put("packs/x", pieces())
"""


def test_a_writer_killed_in_the_middle_leaves_no_object_and_a_claim_told_apart(
    store: CloudStore, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue(request.node.callspec.params["store"])
    command = (sys.executable, "-c", KILLED, url)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"half\n"
        writer.send_signal(signal.SIGKILL)
        writer.wait()

    assert list(store.list("")) == []
    assert store.leftovers() == [".lepton-claims/packs/x"]
    with pytest.raises(Refused, match="take a fresh key"):
        store.put("packs/x", large())
    store.put("packs/y", large())
    assert list(store.list("")) == ["packs/y"]


FORKED = """
import os, sys
from lepton_ai.errors import Refused
from lepton_ai.tensors.address import objects_at
store = objects_at(sys.argv[1], "main", wait=30)
store.put("x", [b"1"])
if os.fork() == 0:
    for call in (lambda: store.get("x"), lambda: objects_at(sys.argv[1], "main", wait=30)):
        try:
            call()
        except Refused as error:
            print(error, flush=True)
    os._exit(0)
os.wait()
print(store.get("x"))
"""


def test_a_forked_child_is_refused_and_does_not_wait_for_ever(s3: str) -> None:
    done = run(FORKED, s3)

    assert done.stdout.splitlines() == [
        *["a forked process cannot reach a bucket that its parent has reached; start it by spawn"] * 2,
        "b'1'",
    ]


def test_without_the_extra_it_is_refused_with_the_command_that_helps() -> None:
    done = run(
        "import sys; sys.modules['obstore'] = None\n"
        "from lepton_ai.tensors.address import objects_at\n"
        "objects_at('s3://bucket', 'main', wait=1)"
    )

    assert done.stderr.endswith("Refused: s3:// needs the extra: pip install 'lepton-ai-sdk[cloud]'\n")


@pytest.mark.parametrize(
    "url",
    [
        "s3://", "s3:///prefix", "s3://b", "s3://bucket/a b", "s3://bucket//a", "s3://bucket/../a", "s3://bucket:9/a",
        f"s3://key:{SECRET}@bucket", f"s3://bucket?secret={SECRET}", "gs://bucket#x", "az://[", "ftp://bucket",
        "objects", "file://host/objects", "",
    ],
)  # fmt: skip
def test_a_url_that_names_no_store_is_malformed_and_not_quoted(url: str) -> None:
    with pytest.raises(Malformed) as caught:
        objects_at(url, "main", wait=1)
    assert "LEPTON_OBJECTS" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_an_environment_that_cannot_be_used_is_refused_without_its_content(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT", f"/{SECRET}.json")
    for url, letters in (("gs://bucket/a", "GOOGLE_"), ("az://bucket/a", "AZURE_")):
        with pytest.raises(Refused, match=letters) as caught:
            objects_at(url, "main", wait=1)
        assert SECRET not in str(caught.value)


def test_google_is_asked_with_the_same_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = dict.fromkeys(("client_email", "private_key", "private_key_id"), "")
    account = json.dumps({"gcs_base_url": f"http://127.0.0.1:{free_port()}", "disable_oauth": True} | nobody)
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", account)
    monkeypatch.setenv("GOOGLE_ALLOW_HTTP", "true")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    with pytest.raises(Unavailable, match=r"cannot be reached \(no answer\)"):
        store_at("gs://bucket/prefix").put("x", [b"1"])
