"""Trees whose children and features are numbers in arrays, held to what their libraries index without looking.

scikit-learn, XGBoost and LightGBM follow such numbers unchecked, so that a crafted model could read or end a process.
"""

from __future__ import annotations

import numpy as np

from .arrays import AnyArray


def check_tree(left: AnyArray, right: AnyArray, feature: AnyArray, *, leaf: int, features: int) -> None:
    """Hold that each node is a leaf (both children are `leaf`) or leads to two further nodes of its tree by a feature
    that there is, and that no way comes back. Raises `ValueError` saying what is not so."""
    count = len(left)
    if not count:
        raise ValueError("it has no node")
    left, right, feature = (np.asarray(each).astype(np.int64) for each in (left, right, feature))
    inner = left != leaf
    if not np.array_equal(inner, right != leaf):
        raise ValueError("a node has one child")
    for child in (left[inner], right[inner]):
        if ((child < 0) | (child >= count)).any():
            raise ValueError("a child is no node of it")
    if ((feature[inner] < 0) | (feature[inner] >= features)).any():
        raise ValueError(f"a node asks for a feature that is none of {features}")
    places = np.arange(count)[inner]
    if ((left[inner] <= places) | (right[inner] <= places)).any():
        _check_ways(left, right, leaf)


def _check_ways(left: AnyArray, right: AnyArray, leaf: int) -> None:
    """Hold that from the root each node is met once, of a tree whose nodes stand in no order."""
    met = np.zeros(len(left), np.bool_)
    level = np.zeros(1, np.int64)
    while len(level):
        if met[level].any() or len(np.unique(level)) < len(level):
            raise ValueError("a way through it comes back")
        met[level] = True
        inner = level[left[level] != leaf]
        level = np.concatenate([left[inner], right[inner]])
