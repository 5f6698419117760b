"""Law 2: what is restored is what was saved, bit for bit, whatever the dtype, along any path of the graph."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lepton_ai.errors import Damaged
from lepton_ai.tensors.graph import Graph
from lepton_ai.tensors.manifest import CHUNK
from lepton_ai.tensors.tensor import KINDS, Array, nbytes_of

from ..examples import examples
from .past import Lineage, same

LAW = settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))
NAMES = ("a", "b", "c", "d.weight", "ß 名")
# Bit patterns that arithmetic would not survive: signalling and quiet NaNs with payloads, −0.0, denormals, all ones.
PATTERNS = (0x7FA0_0001, 0xFFC1_2345, 0x8000_0000, 0x0000_0001, 0xFFFF_FFFF, 0x7F80_0000)


@st.composite
def arrays(draw: st.DrawFn) -> Array:
    """A tensor of any dtype: empty, scalar, some kilobytes or more than one chunk, of bits without meaning."""
    dtype = draw(st.sampled_from(sorted(KINDS)))
    shape = draw(st.sampled_from([(), (0,), (3, 0, 2), (1,), (7, 5), (33, 65), (CHUNK // KINDS[dtype].itemsize + 9,)]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    raw = rng.integers(0, 256, nbytes_of(dtype, shape), dtype=np.uint8)
    for _ in range(min(5, raw.nbytes // 4)):
        at = int(rng.integers(0, raw.nbytes // 4)) * 4
        raw[at : at + 4] = np.frombuffer(int(rng.choice(PATTERNS)).to_bytes(4, "little"), np.uint8)
    return Array(dtype, shape, raw)


@st.composite
def successors(draw: st.DrawFn, tensors: dict[str, Array]) -> dict[str, Array]:
    """The next version: each tensor kept, nudged, redrawn, dropped, tied to another or cut loose."""
    made: dict[str, Array] = {}
    for name in NAMES:
        old = tensors.get(name)
        change = draw(st.sampled_from(["keep", "nudge", "nudge", "nudge", "tie", "copy", "drop", "new"]))
        if old is None or change == "new":
            if draw(st.integers(0, 3)) == 0:
                made[name] = draw(arrays())
        elif change == "tie" and made:
            made[name] = made[draw(st.sampled_from(sorted(made)))]
        elif change == "nudge":
            made[name] = nudged(old, draw(st.integers(0, 2**32)))
        elif change == "copy":
            made[name] = Array(old.dtype, old.shape, old.buffer.copy())
        elif change == "keep":
            made[name] = old
    return made


def nudged(old: Array, seed: int) -> Array:
    """Some bytes of a tensor moved a little, so that a delta is worth its while."""
    rng = np.random.default_rng(seed)
    raw = old.buffer.copy()
    places = rng.integers(0, max(1, raw.nbytes), raw.nbytes // 8 + 1 if raw.nbytes else 0)
    raw[places] += rng.integers(-3, 4, len(places), dtype=np.int8).view(np.uint8)
    return Array(old.dtype, old.shape, raw)


@LAW
@given(st.data())
def test_every_version_comes_back_bit_for_bit_along_every_path(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lineage = Lineage(Path(folder))
        versions = [{name: data.draw(arrays()) for name in NAMES}]
        lineage.save(versions[0])
        for number in range(1, 5):
            base = data.draw(st.integers(0, number - 1))
            versions.append(data.draw(successors(versions[base])))
            lineage.save(versions[-1], base=base)

        vault, graph = lineage.fresh(), lineage.graph
        for manifest, tensors in lineage.versions:
            assert same(vault.restore(manifest.digest, graph), tensors)
            at_hand = lineage.versions[data.draw(st.integers(0, 4))]
            assert same(vault.restore(manifest.digest, graph, at_hand=at_hand), tensors)
            names = data.draw(st.sets(st.sampled_from(sorted(tensors)))) if tensors else set()
            assert same(vault.restore(manifest.digest, graph, names=names), {name: tensors[name] for name in names})


@LAW
@given(st.data())
def test_deltas_lead_from_any_version_to_any_that_they_connect_in_both_directions(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lineage = Lineage(Path(folder))
        tensors = {name: data.draw(arrays().filter(lambda array: array.nbytes > 1000)) for name in NAMES[:3]}
        lineage.save(tensors)
        for number in range(1, 6):
            base = data.draw(st.integers(0, number - 1))
            old = lineage.versions[base][1]
            lineage.save({name: nudged(old[name], data.draw(st.integers(0, 2**32))) for name in old}, base=base)

        vault = lineage.fresh()
        for start in lineage.versions:
            only = Graph({}, tuple(lineage.edges))  # no keyframe: the deltas alone must do
            for manifest, wanted in lineage.versions:
                try:
                    only.cheapest(manifest.digest, (start[0].digest,))
                except Damaged:
                    continue
                assert same(vault.restore(manifest.digest, only, at_hand=start), wanted)


@pytest.mark.parametrize("dtype", sorted(KINDS))
def test_a_delta_of_every_dtype_leads_there_and_back(dtype: str, tmp_path: Path) -> None:
    lineage = Lineage(tmp_path)
    rng = np.random.default_rng(1)
    shape = (3 * CHUNK // KINDS[dtype].itemsize // 2, 1)
    old = Array(dtype, shape, rng.integers(0, 256, nbytes_of(dtype, shape), dtype=np.uint8))
    lineage.save({"x": old})
    kept = lineage.save({"x": nudged(old, 2)}, base=0)

    assert kept.delta is not None
    assert kept.delta.two_way
    backwards = Graph({kept.manifest.digest: 1}, tuple(lineage.edges))
    last = lineage.versions[1]
    assert same(lineage.vault.restore(last[0].digest, lineage.graph), last[1])
    assert same(lineage.vault.restore(lineage.versions[0][0].digest, backwards, at_hand=last), {"x": old})
