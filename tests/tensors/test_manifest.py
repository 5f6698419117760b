"""The manifest: canonical bytes, one digest, and nothing in it that cannot be."""

from __future__ import annotations

import json

import numpy as np
import pytest
import rfc8785
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_ai.errors import Damaged, Malformed
from lepton_ai.tensors.canonical import canonical
from lepton_ai.tensors.manifest import CHUNK, Manifest, TensorEntry, describe
from lepton_ai.tensors.tensor import Array, nbytes_of

from ..examples import examples
from .past import floats, network


@settings(max_examples=examples(30), deadline=None)
@given(
    st.dictionaries(
        st.text(st.characters(max_codepoint=127)),
        st.recursive(
            st.text(st.characters(exclude_categories=("Cs",))) | st.integers(1 - 2**53, 2**53 - 1) | st.booleans(),
            lambda inner: st.lists(inner),
            max_leaves=8,
        ),
    )
)
def test_what_holds_no_floats_is_written_as_the_standard_says(document: dict[str, object]) -> None:
    assert canonical(document) == rfc8785.dumps(document)


def test_each_tensor_is_named_by_the_hash_of_its_bytes_and_each_chunk_by_its_own() -> None:
    raw = np.random.default_rng(0).integers(0, 256, 2 * CHUNK + 16, dtype=np.uint8)

    entry = describe({"x": Array("float64", (raw.nbytes // 8,), raw)}).owner("x")

    assert entry.digest == f"blake3:{blake3(raw.tobytes()).hexdigest()}"
    assert entry.chunks == tuple(
        f"blake3:{blake3(raw[start : start + CHUNK].tobytes()).hexdigest()}" for start in range(0, raw.nbytes, CHUNK)
    )


def test_the_canonical_bytes_are_the_same_for_ever() -> None:
    one = floats([1.0, -0.0])
    manifest = describe({"b": one, "a": one, "empty": floats([])})

    one_digest = "blake3:" + blake3(np.array([1.0, -0.0], np.float32).tobytes()).hexdigest()
    none_digest = "blake3:" + blake3(b"").hexdigest()
    assert (
        manifest.encoded
        == (
            '{"format":"lepton.manifest.v1","tensors":['
            f'{{"digest":"{one_digest}","dtype":"float32","name":"a","shape":[2]}},'
            f'{{"digest":"{one_digest}","dtype":"float32","name":"b","same_as":"a","shape":[2]}},'
            f'{{"digest":"{none_digest}","dtype":"float32","name":"empty","shape":[0]}}]}}'
        ).encode()
    )
    assert manifest.digest == "blake3:" + blake3(manifest.encoded).hexdigest()


def test_the_order_of_names_and_the_layout_of_memory_change_nothing() -> None:
    tensors = network()
    turned = dict(reversed(tensors.items()))
    columns = np.asfortranarray(tensors["body.weight"].raw().view(np.float32).reshape(300, 1200))

    assert describe(tensors) == describe(turned)
    assert describe({"w": Array.from_numpy(columns)}).owner("w").digest == describe(tensors).owner("body.weight").digest


def test_shared_names_are_counted_once() -> None:
    manifest = describe(network())

    assert manifest.owner("head.weight").name == "embed.weight"
    assert manifest.parameters == 300 + 300 * 1200 + 50 * 300 + 1
    assert manifest.size == 4 * manifest.parameters


def test_equal_content_in_two_objects_is_not_shared() -> None:
    assert describe({"a": floats([1]), "b": floats([1])}).owner("b").name == "b"


def test_what_was_encoded_is_decoded() -> None:
    manifest = describe({**network(), "large": floats(np.zeros(CHUNK // 2))})

    assert Manifest.decode(manifest.encoded) == manifest


@settings(max_examples=examples(300), deadline=None)
@given(st.data())
def test_bytes_that_are_not_exactly_canonical_are_damaged(data: st.DataObject) -> None:
    encoded = describe({"b": floats([1, 2]), "a": floats([3])}).encoded
    at = data.draw(st.integers(0, len(encoded) - 1))
    broken = bytearray(encoded)
    broken[at] ^= 1 << data.draw(st.integers(0, 7))
    cut = data.draw(st.sampled_from([bytes(broken), encoded[:at], encoded + b" ", b" " + encoded]))

    try:
        found = Manifest.decode(cut)
    except Damaged:
        return
    assert found.encoded == cut  # another manifest, well formed: its digest is another too


@pytest.mark.parametrize(
    "data",
    [b"", b"null", b"[]", b"{}", b'{"tensors":[]}', b"[" * 100_000, b'{"format":"lepton.manifest.v1","tensors":[1]}'],
)
def test_other_json_is_damaged(data: bytes) -> None:
    with pytest.raises(Damaged):
        Manifest.decode(data)


def test_another_order_of_keys_is_damaged() -> None:
    document = json.loads(describe(network()).encoded)

    with pytest.raises(Damaged, match="manifest"):
        Manifest.decode(json.dumps(document).encode())


DIGEST = "blake3:" + "0" * 64


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([TensorEntry("", "bool", (), DIGEST, (DIGEST,))], "1 to 4096 characters"),
        ([TensorEntry("\ud800", "bool", (), DIGEST, (DIGEST,))], "Unicode"),
        ([TensorEntry("a", "float33", (), DIGEST, (DIGEST,))], "float33"),
        ([TensorEntry("a", "bool", (-1,), DIGEST)], "absurd"),
        ([TensorEntry("a", "bool", (2**50, 2), DIGEST)], "absurd"),
        ([TensorEntry("a", "bool", (1,) * 65, DIGEST, (DIGEST,))], "absurd"),
        ([TensorEntry("a", "bool", (), "sha256:00", ("sha256:00",))], "digest"),
        ([TensorEntry("a", "bool", (), DIGEST)], "1 chunk digests"),
        ([TensorEntry("a", "bool", (0,), DIGEST)] * 2, "sorted and differ"),
        ([TensorEntry(name, "bool", (0,), DIGEST) for name in "ba"], "sorted and differ"),
        ([TensorEntry("a", "bool", (0,), DIGEST, (), "b"), TensorEntry("b", "bool", (0,), DIGEST)], "no tensor before"),
        ([TensorEntry("a", "bool", (0,), DIGEST), TensorEntry("b", "int8", (0,), DIGEST, (), "a")], "differs from it"),
    ],
)
def test_what_cannot_be_is_malformed(entries: list[TensorEntry], reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        Manifest(tuple(entries))


def test_an_unknown_dtype_is_named() -> None:
    with pytest.raises(Malformed, match="quint8"):
        nbytes_of("quint8", (1,))


def test_a_tensor_whose_bytes_are_not_its_shape_is_malformed() -> None:
    class Liar:
        dtype, shape, nbytes = "float32", (3,), 12

        def raw(self) -> np.ndarray:
            return np.zeros(8, np.uint8)

    with pytest.raises(Malformed, match="'x' gives 8 bytes"):
        describe({"x": Liar()})


def test_each_tensor_is_asked_for_its_bytes_once() -> None:
    class Counted:
        dtype, shape, nbytes, asked = "float32", (3,), 12, 0

        def raw(self) -> np.ndarray:
            self.asked += 1
            return np.zeros(12, np.uint8)

    counted = Counted()
    describe({"x": counted, "y": counted})

    assert counted.asked == 1
