"""The Merkle tree over the log's leaves, as RFC 9162 section 2.1 defines it.

A *frontier* is what is needed to append: the roots of the perfect subtrees that the leaves fall into, largest first,
one for each bit set in the number of leaves. A *tile* is the root of a perfect subtree of 256, 65,536, ... leaves;
kept as rows, tiles make proofs cost O(log n).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from ..errors import Damaged

TILE_HEIGHT = 8
EMPTY_ROOT = sha256(b"").digest()


class Tile(NamedTuple):
    """The root of the `place`th perfect subtree of 256^(level + 1) leaves."""

    level: int
    place: int
    hash: bytes


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf: 32 bytes. Its prefix keeps a leaf from passing for a node."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node: 32 bytes."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """What of the tree an append needs: `size` leaves, and the roots of their perfect subtrees, largest first."""

    size: int = 0
    nodes: tuple[bytes, ...] = ()

    @classmethod
    def decode(cls, size: int, packed: bytes) -> Frontier:
        """The frontier from its stored form: the nodes one after the other, 32 bytes each; else `Damaged`."""
        if len(packed) != 32 * size.bit_count():
            raise Damaged(
                "the head's frontier",
                expected=f"{size.bit_count()} nodes for {size} leaves",
                found=f"{len(packed)} bytes",
            )
        return cls(size, tuple(packed[i : i + 32] for i in range(0, len(packed), 32)))

    def encode(self) -> bytes:
        """The nodes one after the other, 32 bytes each."""
        return b"".join(self.nodes)

    def extended(self, hashes: Iterable[bytes], subtree: int = 0) -> tuple[Frontier, tuple[Tile, ...]]:
        """This frontier after more leaf hashes, and the tiles that were filled by them.

        Where `subtree` is a height, the hashes are roots of perfect subtrees of 2^subtree leaves, which divides the
        size.
        """
        size, nodes, tiles = self.size, list(self.nodes), list[Tile]()
        for each in hashes:
            nodes.append(each)
            height = subtree
            while size >> height & 1:
                right = nodes.pop()
                nodes[-1] = node_hash(nodes[-1], right)
                height += 1
                if height % TILE_HEIGHT == 0:
                    tiles.append(Tile(height // TILE_HEIGHT - 1, size >> height, nodes[-1]))
            size += 1 << subtree
        return Frontier(size, tuple(nodes)), tuple(tiles)

    def root(self) -> bytes:
        """The root of the whole tree: 32 bytes."""
        if not self.nodes:
            return EMPTY_ROOT
        *rest, root = self.nodes
        for node in reversed(rest):
            root = node_hash(node, root)
        return root
