"""How far versions lie apart, against numbers computed plainly; and the numbers of every dtype, against torch."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from lepton_ai.tensors.manifest import CHUNK
from lepton_ai.tensors.reals import numbers
from lepton_ai.tensors.tensor import KINDS, Array

from .past import Lineage, floats, network, stepped


def test_each_tensor_that_differs_is_measured(tmp_path: Path) -> None:
    lineage = Lineage(tmp_path)
    rng = np.random.default_rng(0)
    old = {"w": floats(rng.normal(0, 1, CHUNK // 4 * 3 + 7)), "same": floats([1])}
    new = {**old, "w": stepped({"w": old["w"]}, 1, size=0.1)["w"]}
    lineage.save(old)
    lineage.save(new, base=0)

    found = lineage.vault.norms(lineage.versions[0][0], lineage.versions[1][0], lineage.graph)

    a, b = (t["w"].raw().view(np.float32).astype(np.float64) for t in (old, new))
    (told,) = found.differing
    assert told.name == "w"
    assert told.changed == np.count_nonzero(a != b) / len(a)
    assert told.l2 == pytest.approx(np.linalg.norm(b - a))
    assert told.relative == pytest.approx(np.linalg.norm(b - a) / np.linalg.norm(a))
    assert told.cosine == pytest.approx(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    assert told.max_abs == np.abs(b - a).max()


def test_tensors_that_came_went_or_changed_shape_are_named(tmp_path: Path) -> None:
    lineage = Lineage(tmp_path)
    lineage.save({"gone": floats([1]), "turned": floats([[1, 2]]), "kept": floats([5])})
    lineage.save({"come": floats([1]), "turned": floats([[1], [2]]), "kept": floats([5])}, base=0)

    found = lineage.vault.norms(lineage.versions[0][0], lineage.versions[1][0], lineage.graph)

    assert (found.differing, found.added, found.removed, found.reshaped) == ((), ("come",), ("gone",), ("turned",))


def test_infinities_and_zeros_are_told_as_they_are(tmp_path: Path) -> None:
    lineage = Lineage(tmp_path)
    lineage.save({"zero": floats([0, 0]), "nan": floats([1, 1]), "sign": floats([0.0])})
    lineage.save({"zero": floats([0, 3]), "nan": floats([np.nan, 2]), "sign": floats([-0.0])})

    found = lineage.vault.norms(lineage.versions[0][0], lineage.versions[1][0], lineage.graph)

    told = {difference.name: difference for difference in found.differing}
    assert (told["zero"].l2, told["zero"].relative, told["zero"].changed) == (3, math.inf, 0.5)
    assert math.isnan(told["nan"].l2)
    assert math.isnan(told["nan"].max_abs)
    assert (told["sign"].changed, told["sign"].l2, told["sign"].relative) == (1, 0, 0)


def test_versions_of_a_whole_network_are_compared_whatever_their_way(tmp_path: Path) -> None:
    lineage = Lineage(tmp_path)
    tensors = network()
    lineage.save(tensors)
    for number in range(3):
        tensors = stepped(tensors, number)
        lineage.save(tensors, base=number)

    there = lineage.vault.norms(lineage.versions[0][0], lineage.versions[3][0], lineage.graph)
    back = lineage.vault.norms(lineage.versions[3][0], lineage.versions[0][0], lineage.graph)

    assert [d.name for d in there.differing] == ["body.bias", "body.weight", "embed.weight", "scale"]
    assert [d.l2 for d in there.differing] == pytest.approx([d.l2 for d in back.differing])


@pytest.mark.parametrize("dtype", sorted(KINDS.keys() - {"float4_e2m1fn_x2", "bcomplex32"}))
def test_the_numbers_of_a_dtype_are_those_that_torch_reads(dtype: str) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    raw = rng.integers(0, 256, 4096 * 16, dtype=np.uint8)
    if KINDS[dtype].itemsize == 1:
        raw = np.arange(256, dtype=np.uint8) if dtype != "bool" else np.array([0, 1], np.uint8)
    seen = torch.from_numpy(raw.copy()).view(getattr(torch, dtype))
    wide = torch.complex128 if seen.is_complex() else torch.float64

    found = numbers(dtype, raw)

    np.testing.assert_array_equal(found, seen.to(wide).numpy())


def test_packed_float4_holds_two_numbers_a_byte() -> None:
    found = numbers("float4_e2m1fn_x2", np.array([0x2F, 0x10], np.uint8))

    assert found.tolist() == [-6.0, 1.0, 0.0, 0.5]


def test_complex_differences_are_measured_by_modulus(tmp_path: Path) -> None:
    lineage = Lineage(tmp_path)
    lineage.save({"z": Array.from_numpy(np.array([1 + 1j, 2], np.complex64))})
    lineage.save({"z": Array.from_numpy(np.array([4 + 5j, 2], np.complex64))})

    (told,) = lineage.vault.norms(lineage.versions[0][0], lineage.versions[1][0], lineage.graph).differing

    assert (told.max_abs, told.l2, told.changed) == (5, 5, 0.5)
