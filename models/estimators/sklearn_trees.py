"""The trees of scikit-learn in a schema, held to what scikit-learn indexes without looking."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from ...errors import Malformed
from .arrays import AnyArray, KeptArrays
from .skops_tree import Node, class_of, nodes, parts_of, value_of
from .trees import check_tree
from .trust import BOOSTED_TREE, TREE

_LEAF: Final = -1
_ASKING: Final = ("sklearn.ensemble._voting.", "sklearn.ensemble._stacking.")
"""Ensembles that ask their members as a user does, so that these look at the columns themselves."""


def check_trees(schema: Node, kept: KeptArrays) -> None:
    """Raises `Malformed` where a tree leads nowhere, or asks for columns that its estimator does not."""
    try:
        for _, node in nodes(schema):
            if node["__loader__"] == "TreeNode":
                _check_tree(node, kept)
            elif node["__loader__"] == "ObjectNode":
                _check_owner(node, kept)
    except (LookupError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise Malformed(f"a tree of this estimator leads nowhere ({error}); nothing was built") from error


def _check_tree(node: Node, kept: KeptArrays) -> None:
    features, classes, outputs = node["__reduce__"]["args"]["content"]
    held = parts_of(node)
    found, values = _array(held["nodes"], kept), _array(held["values"], kept)
    counts, outputs = _array(classes, kept), _whole(outputs, kept)
    if counts.shape != (outputs,) or (counts < 1).any() or found.ndim != 1:
        raise ValueError("it has another number of outputs")
    if _whole(held["node_count"], kept) != len(found) or values.shape != (len(found), outputs, int(counts.max())):
        raise ValueError("its arrays have several lengths")
    left, right, feature = (found[name] for name in ("left_child", "right_child", "feature"))
    check_tree(left, right, feature, leaf=_LEAF, features=_whole(features, kept))


def _check_owner(node: Node, kept: KeptArrays) -> None:
    """Hold that an estimator and its trees agree on the number of columns."""
    held = parts_of(node)
    if "tree_" in held and _features(held["tree_"], kept) != _whole(held["n_features_in_"], kept):
        raise ValueError("it asks for other columns than its estimator")
    if "estimators_" in held and not class_of(node).startswith(_ASKING):
        _check_forest(held, kept)
    if "_predictors" in held:
        _check_boosted(held, kept)


def _check_forest(held: dict[str, Any], kept: KeptArrays) -> None:
    trees = [parts_of(each)["tree_"] for each in _members(held["estimators_"]) if "tree_" in parts_of(each)]
    if not trees:
        return
    width, own = _whole(held["n_features_in_"], kept), held.get("estimators_features_")
    asked = [_array(each, kept).size for each in _members(own)] if own else [width] * len(trees)
    if [_features(each, kept) for each in trees] != asked:
        raise ValueError("a tree asks for other columns than its forest")


def _check_boosted(held: dict[str, Any], kept: KeptArrays) -> None:
    width = _whole(held["n_features_in_"], kept)
    for _, node in nodes(held["_predictors"]):
        if class_of(node) != BOOSTED_TREE:
            continue
        parts = parts_of(node)
        found = _array(parts["nodes"], kept)
        inner = found["is_leaf"] == 0
        left, right = (np.where(inner, found[name].astype(np.int64), _LEAF) for name in ("left", "right"))
        check_tree(left, right, found["feature_idx"], leaf=_LEAF, features=width)
        by_category = inner & (found["is_categorical"] != 0)
        if by_category.any():
            sets = min(len(_array(parts[name], kept)) for name in ("binned_left_cat_bitsets", "raw_left_cat_bitsets"))
            known = _array(parts_of(held["_bin_mapper"])["is_categorical_"], kept)
            if (found["bitset_idx"][by_category] >= sets).any() or not known[found["feature_idx"][by_category]].all():
                raise ValueError("a node asks for categories that it does not tell")


def _members(node: Any) -> list[Any]:
    """The objects in a list, or in an array of objects, whatever its shape."""
    return [each for item in node["content"] for each in (_members(item) if _is_list(item) else [item])]


def _is_list(node: Any) -> bool:
    return node["__loader__"] == "ListNode"


def _features(tree: Any, kept: KeptArrays) -> int:
    if tree["__loader__"] != "TreeNode" or class_of(tree) != TREE:
        raise ValueError("it is no tree of scikit-learn")
    return _whole(tree["__reduce__"]["args"]["content"][0], kept)


def _array(node: Any, kept: KeptArrays) -> AnyArray:
    if node["__loader__"] != "NdArrayNode":
        raise ValueError("it has no array where one must be")
    return kept.at(node["file"])


def _whole(node: Any, kept: KeptArrays) -> int:
    number: Any = kept.at(node["file"]) if "file" in node else value_of(node)
    if getattr(number, "ndim", 0):
        raise ValueError("it has several numbers where one must be")
    return int(number)
