"""Proofs over the Merkle tree as RFC 9162 has them: inclusion of a leaf (2.1.3), consistency of two sizes (2.1.4).

Leaves count from 0 here, events from 1. What makes a proof reads the roots of perfect subtrees, O(log n) of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from ..events.merkle import EMPTY_ROOT, node_hash


class Tree(Protocol):
    """Where the hashes of a tree are read."""

    def subtree(self, height: int, place: int) -> bytes:
        """The root of the `place`th perfect subtree of 2^height leaves: 32 bytes."""
        ...


def range_root(tree: Tree, first: int, last: int) -> bytes:
    """The root over the leaves from `first` to before `last`: a range into which the tree's own definition splits it.

    Such a range begins at a multiple of its size, rounded up to a power of two.
    """
    size = last - first
    if size == 0:
        return EMPTY_ROOT
    if size.bit_count() == 1:
        return tree.subtree(size.bit_length() - 1, first // size)
    split = _split(first, last)
    return node_hash(range_root(tree, first, split), range_root(tree, split, last))


def inclusion(tree: Tree, index: int, size: int) -> list[bytes]:
    """The audit path of leaf `index` in a tree of `size` leaves, from the leaf upwards: PATH of section 2.1.3.1."""
    path, first, last = list[bytes](), 0, size
    while last - first > 1:
        split = _split(first, last)
        if index < split:
            path.append(range_root(tree, split, last))
            last = split
        else:
            path.append(range_root(tree, first, split))
            first = split
    return path[::-1]


def consistency(tree: Tree, old: int, size: int) -> list[bytes]:
    """What proves that the first `old` of `size` leaves are a tree signed before: PROOF of section 2.1.4.1.

    Nothing needs to be told of an empty tree, nor of one of the same size.
    """
    path, first, last = list[bytes](), 0, size
    if not 0 < old < size:
        return path
    whole = True  # whether the range begins at the first leaf: its root is known to who holds the old one
    while old < last:
        split = _split(first, last)
        if old <= split:
            path.append(range_root(tree, split, last))
            last = split
        else:
            path.append(range_root(tree, first, split))
            first, whole = split, False
    if not whole:
        path.append(range_root(tree, first, last))
    return path[::-1]


class PathStep(NamedTuple):
    """A step up the tree: the hash that stands beside, on which side, and the node over both."""

    beside: bytes
    is_left: bool
    node: bytes


def steps_of_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> list[PathStep] | None:
    """The steps that an audit path takes from a leaf to the root, None where it is no path of that leaf."""
    steps, node, at, last = list[PathStep](), leaf, index, size - 1
    for each in path:
        if last == 0:
            return None
        is_left = bool(at & 1) or at == last
        node = node_hash(each, node) if is_left else node_hash(node, each)
        steps.append(PathStep(each, is_left, node))
        while is_left and at and not at & 1:
            at, last = at >> 1, last >> 1
        at, last = at >> 1, last >> 1
    return steps if last == 0 and 0 <= index < size else None


def root_of_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that an audit path leads to, None where it is no path of that leaf: section 2.1.3.2."""
    steps = steps_of_inclusion(leaf, index, size, path)
    if steps is None:
        return None
    return steps[-1].node if steps else leaf


def roots_of_consistency(old: int, size: int, old_root: bytes, path: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """The roots over the first `old` and all `size` leaves that a path leads to, None where it is none of these sizes:
    section 2.1.4.2, for 0 < old < size."""
    nodes = [old_root, *path] if old.bit_count() == 1 else list(path)
    if not nodes or not 0 < old < size:
        return None
    at, last = old - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old_node = node = nodes[0]
    for each in nodes[1:]:
        if last == 0:
            return None
        if at & 1 or at == last:
            old_node, node = node_hash(each, old_node), node_hash(each, node)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            node = node_hash(node, each)
        at, last = at >> 1, last >> 1
    return (old_node, node) if last == 0 else None


def _split(first: int, last: int) -> int:
    """Where a range of two leaves or more is split: behind the largest power of two below its size."""
    return first + (1 << (last - first - 1).bit_length() - 1)
