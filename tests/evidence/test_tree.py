"""Proofs over the tree, against published vectors and by the laws that RFC 9162 gives them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_ai.errors import Damaged
from lepton_ai.events.actor import Actor
from lepton_ai.events.merkle import Frontier, leaf_hash
from lepton_ai.events.sql.store import Store
from lepton_ai.evidence.tree import consistency, inclusion, range_root, root_of_inclusion, roots_of_consistency
from lepton_ai.ledger import Ledger, Request

from ..asking import commit, note

PUBLISHED_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
L0 = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
L1 = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
L4 = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
L6 = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
N01 = "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
N23 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
N67 = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
N03 = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
N47 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
"""Hashes of the tree of 8 leaves with which Certificate Transparency tests its implementations."""

INCLUSION = {(0, 1): [], (0, 8): [L1, N23, N47], (5, 8): [L4, N67, N03], (2, 3): [N01], (1, 5): [L0, N23, L4]}
CONSISTENCY = {(1, 1): [], (1, 8): [L1, N23, N47], (6, 8): [L6, N67, N03], (2, 5): [N23, L4]}
"""Paths as Certificate Transparency publishes them, by leaf and size and by old size and size. L6 is the root over
leaves 4 and 5."""

LARGEST = 70
LEAVES = [leaf_hash(str(n).encode()) for n in range(LARGEST)]


class Leaves:
    """A tree whose leaf hashes are all at hand."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.leaves = leaves

    def subtree(self, height: int, place: int) -> bytes:
        some = self.leaves[place << height : place + 1 << height]
        assert len(some) == 1 << height, "it asks for what is not there"
        return Frontier().extended(some)[0].root()


TREE = Leaves(LEAVES)
ROOTS = [Frontier().extended(LEAVES[:size])[0].root() for size in range(LARGEST + 1)]


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_paths_are_the_published_ones(index: int, size: int) -> None:
    leaves = [leaf_hash(bytes.fromhex(each)) for each in PUBLISHED_LEAVES]
    path = [bytes.fromhex(each) for each in INCLUSION[index, size]]

    assert inclusion(Leaves(leaves), index, size) == path
    root = Frontier().extended(leaves[:size])[0].root()
    assert root_of_inclusion(leaves[index], index, size, path) == root


@pytest.mark.parametrize(("old", "size"), CONSISTENCY)
def test_paths_between_sizes_are_the_published_ones(old: int, size: int) -> None:
    leaves = [leaf_hash(bytes.fromhex(each)) for each in PUBLISHED_LEAVES]

    assert [each.hex() for each in consistency(Leaves(leaves), old, size)] == CONSISTENCY[old, size]


def test_every_leaf_of_every_tree_is_proved() -> None:
    for size in range(1, LARGEST + 1):
        assert range_root(TREE, 0, size) == ROOTS[size]
        for index in range(size):
            path = inclusion(TREE, index, size)
            assert len(path) <= (size - 1).bit_length()
            assert root_of_inclusion(LEAVES[index], index, size, path) == ROOTS[size]


def test_every_size_is_proved_to_begin_every_larger_one() -> None:
    for size in range(2, LARGEST + 1):
        for old in range(1, size):
            path = consistency(TREE, old, size)
            assert len(path) <= (size - 1).bit_length() + 1
            assert roots_of_consistency(old, size, ROOTS[old], path) == (ROOTS[old], ROOTS[size])


def flipped(hashes: list[bytes], bit: int) -> list[bytes]:
    place, at = divmod(bit, 256)
    changed = bytearray(hashes[place])
    changed[at // 8] ^= 1 << at % 8
    return [*hashes[:place], bytes(changed), *hashes[place + 1 :]]


sizes = st.integers(2, LARGEST)


@given(st.data(), sizes)
def test_no_changed_bit_and_no_other_place_gives_the_root(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    path = inclusion(TREE, index, size)
    changed = flipped([LEAVES[index], *path], data.draw(st.integers(0, 256 * (len(path) + 1) - 1)))
    elsewhere = data.draw(st.integers(0, size - 1).filter(lambda other: other != index))

    assert root_of_inclusion(changed[0], index, size, changed[1:]) != ROOTS[size]
    assert root_of_inclusion(LEAVES[index], elsewhere, size, path) != ROOTS[size]
    assert root_of_inclusion(LEAVES[index], index, size, path[:-1]) != ROOTS[size]
    assert root_of_inclusion(LEAVES[index], index, size, [*path, path[0]]) != ROOTS[size]


@given(st.data(), sizes)
def test_no_changed_bit_proves_that_one_size_begins_another(data: st.DataObject, size: int) -> None:
    old = data.draw(st.integers(1, size - 1))
    path = consistency(TREE, old, size)
    changed = flipped(path, data.draw(st.integers(0, 256 * len(path) - 1)))

    assert roots_of_consistency(old, size, ROOTS[old], changed) != (ROOTS[old], ROOTS[size])
    assert roots_of_consistency(old, size, ROOTS[old], path[:-1]) != (ROOTS[old], ROOTS[size])
    assert roots_of_consistency(old, size, ROOTS[old], [*path, path[0]]) != (ROOTS[old], ROOTS[size])
    assert roots_of_consistency(old, size, ROOTS[size], path) != (ROOTS[size], ROOTS[size])


def test_a_store_tells_the_roots_of_its_subtrees_from_few_rows(store: Store, actor: Actor) -> None:
    ledger = Ledger(store)
    ledger.admit(commit(1), actor)
    ledger.admit_all(Request(note(n), actor) for n in range(600))
    leaves = [row.leaf for row in store.read(0, 1000)]

    for height in range(10):
        for place in range(len(leaves) >> height):
            assert store.subtree(height, place) == Leaves(leaves).subtree(height, place)
    for size in (1, 255, 256, 257, 512, 600):
        assert range_root(store, 0, size) == store.frontier(size).root()
    with pytest.raises(Damaged, match="the tree over events 513 to 1024 is damaged"):
        store.subtree(9, 1)
