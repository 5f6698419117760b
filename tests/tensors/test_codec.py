"""One chunk's payload: exact in both directions, small where it can be, and never trusted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_ai.errors import Damaged
from lepton_ai.tensors.codec import DELTA, MASKED, STORED, apply_delta, check, decode_full, encode_delta, encode_full
from lepton_ai.tensors.tensor import Bytes

from ..examples import examples

WORDS = st.sampled_from([1, 2, 4, 8])
QUICK = settings(max_examples=examples(150), deadline=None)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[int, Bytes, Bytes]:
    """A word and two chunks of one length: unrelated, near, sparsely different or equal."""
    word, count = draw(WORDS), draw(st.sampled_from([1, 2, 3, 100, 1000, 5003]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    base = rng.integers(0, 256, word * count, dtype=np.uint8)
    match draw(st.sampled_from(["unrelated", "near", "sparse", "equal", "zero"])):
        case "unrelated":
            new = rng.integers(0, 256, base.nbytes, dtype=np.uint8)
        case "near":
            new = (base.view(f"u{word}") + rng.integers(-99, 99, count).astype(f"i{word}").view(f"u{word}")).view(
                np.uint8
            )
        case "sparse":
            new = base.copy()
            new[rng.integers(0, base.nbytes, 1 + base.nbytes // 50)] ^= 0x81
        case "equal":
            new = base.copy()
        case _:
            new = np.zeros_like(base)
    return word, base, new


@QUICK
@given(pairs())
def test_a_full_payload_is_the_chunk_again(pair: tuple[int, Bytes, Bytes]) -> None:
    word, base, new = pair
    for chunk in (base, new):
        assert np.array_equal(decode_full(encode_full(chunk, word)), chunk)


@QUICK
@given(pairs())
def test_one_delta_leads_both_ways(pair: tuple[int, Bytes, Bytes]) -> None:
    word, base, new = pair
    live = base.copy()
    payload = encode_delta(base, new, word).payload

    apply_delta(payload, live, 1)
    assert np.array_equal(live, new)
    apply_delta(payload, live, -1)
    assert np.array_equal(live, base)


@QUICK
@given(pairs(), st.data())
def test_a_payload_cut_or_changed_anywhere_is_damaged_or_gives_other_bytes(
    pair: tuple[int, Bytes, Bytes], data: st.DataObject
) -> None:
    word, base, new = pair
    for payload in (encode_full(new, word), encode_delta(base, new, word).payload):
        broken = bytearray(payload)
        at = data.draw(st.integers(0, len(payload) - 1))
        if data.draw(st.booleans()):
            broken[at] ^= 1 << data.draw(st.integers(0, 7))
        else:
            del broken[at:]
        live = base.copy()
        try:
            decode_full(bytes(broken), live) if payload[0] < DELTA else apply_delta(bytes(broken), live, 1)
        except Damaged:
            assert np.array_equal(live, base)  # what is no payload touches nothing


@settings(max_examples=examples(300), deadline=None)
@given(st.binary(max_size=200), st.sampled_from([0x01, 0x02, 0x11, 0x12]))
def test_bytes_from_anywhere_never_raise_anything_but_damaged(noise: bytes, tag: int) -> None:
    for payload in (noise, bytes((tag,)) + noise, bytes((tag, 4, 0, 64, 0, 0, 0)) + noise):
        try:
            check(payload)
        except Damaged:
            continue


def test_a_payload_that_claims_gigabytes_is_refused_before_they_are_allocated() -> None:
    import tracemalloc

    claims = [
        bytes((0x02, 4, 0)) + (2**32 - 4).to_bytes(4, "little") + bytes(8),
        # A plane that is a zstd frame which says that it unfolds to 2^40 bytes.
        bytes((0x11, 1, 0, 64, 0, 0, 0, 2, 20, 0, 0, 0))
        + b"\x28\xb5\x2f\xfd\xe0"
        + (2**40).to_bytes(8, "little")
        + bytes(7),
    ]
    tracemalloc.start()
    for payload in claims:
        with pytest.raises(Damaged):
            check(payload)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 1 << 20


def test_what_is_equal_costs_nothing_and_noise_costs_a_byte() -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, 1 << 19, dtype=np.uint8)

    assert len(encode_delta(noise, noise, 4).payload) < 16
    assert encode_full(noise, 1)[0] == STORED
    assert len(encode_full(noise, 1)) == noise.nbytes + 1


def test_a_training_step_takes_less_than_the_published_ratios() -> None:
    rng = np.random.default_rng(0)
    weights = rng.normal(0, 0.02, 1 << 17).astype(np.float32)
    after = weights + rng.normal(0, 5e-4, 1 << 17).astype(np.float32)
    half = [(w.view(np.uint32) >> 16).astype(np.uint16).view(np.uint8) for w in (weights, after)]

    assert len(encode_full(weights.view(np.uint8), 4)) / weights.nbytes < 0.84
    assert len(encode_delta(weights.view(np.uint8), after.view(np.uint8), 4).payload) / weights.nbytes < 0.70
    assert len(encode_full(half[0], 2)) / half[0].nbytes < 0.67
    assert len(encode_delta(half[0], half[1], 2).payload) / half[0].nbytes < 0.40


def test_a_sparse_change_is_kept_behind_a_mask() -> None:
    base = np.random.default_rng(0).integers(0, 256, 1 << 19, dtype=np.uint8)
    new = base.copy()
    new[::4000] += 1

    payload = encode_delta(base, new, 4).payload

    assert payload[0] == MASKED
    assert len(payload) < 1500


def test_memory_that_is_not_aligned_is_read_and_written_all_the_same() -> None:
    rng = np.random.default_rng(0)
    base, new = (rng.integers(0, 256, 8001, dtype=np.uint8)[1:] for _ in range(2))
    live = np.concatenate([np.zeros(1, np.uint8), base])[1:]

    apply_delta(encode_delta(base, new, 8).payload, live, 1)

    assert np.array_equal(live, new)
