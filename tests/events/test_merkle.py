"""The Merkle tree, against RFC 9162 written out once more and against published roots."""

from __future__ import annotations

from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_ai.errors import Damaged
from lepton_ai.events.merkle import EMPTY_ROOT, Frontier, Tile, leaf_hash

LEAVES = [leaf_hash(str(n).encode()) for n in range(2001)]

PUBLISHED = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""Roots over the first 1 to 8 of the leaves below: the test vectors of Certificate Transparency."""

PUBLISHED_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]


def tree_hash(leaves: list[bytes], known: dict[tuple[int, int], bytes], start: int, end: int) -> bytes:
    """MTH of RFC 9162 section 2.1.1, as it is written there, over leaf hashes."""
    if start == end:
        return sha256(b"").digest()
    if end - start == 1:
        return leaves[start]
    if (start, end) not in known:
        split = 1 << (end - start - 1).bit_length() - 1
        left = tree_hash(leaves, known, start, start + split)
        known[start, end] = sha256(b"\x01" + left + tree_hash(leaves, known, start + split, end)).digest()
    return known[start, end]


def test_the_roots_are_the_published_ones() -> None:
    leaves = [leaf_hash(bytes.fromhex(each)) for each in PUBLISHED_LEAVES]

    for size, root in enumerate(PUBLISHED, 1):
        assert Frontier().extended(leaves[:size])[0].root().hex() == root
    assert Frontier().root() == EMPTY_ROOT == sha256(b"").digest()


def test_the_roots_of_sizes_0_to_2000_are_those_of_the_rfc() -> None:
    known: dict[tuple[int, int], bytes] = {}
    frontier = Frontier()

    for size in range(2001):
        assert frontier.root() == tree_hash(LEAVES, known, 0, size)
        assert len(frontier.nodes) == size.bit_count()
        frontier, _ = frontier.extended([LEAVES[size]])


@given(st.lists(st.integers(0, 2000), min_size=2).map(sorted))
def test_the_tree_is_the_same_however_its_leaves_come_in(ends: list[int]) -> None:
    frontier = Frontier().extended(LEAVES[: ends[0]])[0]
    tiles: tuple[Tile, ...] = ()
    for start, end in pairwise(ends):
        frontier, more = Frontier.decode(frontier.size, frontier.encode()).extended(LEAVES[start:end])
        tiles += more

    whole, all_tiles = Frontier().extended(LEAVES[: ends[-1]])
    assert frontier == whole
    assert tiles == tuple(tile for tile in all_tiles if (tile.place + 1) * 256 > ends[0])


def test_tiles_are_the_roots_of_perfect_subtrees() -> None:
    known: dict[tuple[int, int], bytes] = {}
    leaves = [leaf_hash(n.to_bytes(4)) for n in range(65_536 + 300)]

    _, tiles = Frontier().extended(leaves)

    assert [tile.place for tile in tiles if tile.level == 0] == list(range(257))
    assert [tile.place for tile in tiles if tile.level == 1] == [0]
    for tile in tiles:
        width = 256 ** (tile.level + 1)
        assert tile.hash == tree_hash(leaves, known, tile.place * width, (tile.place + 1) * width)


@pytest.mark.parametrize(("size", "packed"), [(0, b"x"), (3, bytes(32)), (1, bytes(31)), (4, bytes(64))])
def test_a_frontier_that_does_not_fit_its_size_is_damaged(size: int, packed: bytes) -> None:
    with pytest.raises(Damaged, match="the head's frontier"):
        Frontier.decode(size, packed)
