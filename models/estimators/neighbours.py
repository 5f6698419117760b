"""The search trees of nearest neighbours: not kept, for they follow from the rows that their estimator keeps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast

import numpy as np

from .libraries import needed
from .skops_tree import Node, class_of, nodes, parts_of

_TREES: Final = ("sklearn.neighbors._kd_tree.KDTree", "sklearn.neighbors._ball_tree.BallTree")
_OTHERS: Final = ("builtins", "functools", "numpy", "scipy")
"""The modules of objects that hold no estimator."""
_MADE_BY: Final = {"kd_tree": "KDTree", "ball_tree": "BallTree"}


def take_trees(schema: Node) -> None:
    """Put nothing in the place of each tree whose rows stand beside it."""
    nothing = {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "content": "null"}
    for _, node in nodes(schema):
        held = parts_of(node)
        tree, rows = held.get("_tree"), held.get("_fit_X")
        if isinstance(tree, dict) and rows and class_of(cast("Node", tree)) in _TREES:
            held["_tree"] = {**nothing, "is_json": True}


def grow_trees(estimator: object) -> None:
    """Make the trees of an estimator and of its parts anew, as their `fit` made them."""
    for each in _parts(estimator, set()):
        kind = _MADE_BY.get(getattr(each, "_fit_method", ""))
        if kind is not None and getattr(each, "_tree", None) is None:
            grown = getattr(needed("sklearn.neighbors"), kind)
            told: Mapping[str, Any] = each.effective_metric_params_
            each._tree = grown(each._fit_X, each.leaf_size, metric=each.effective_metric_, **told)


def _parts(thing: Any, seen: set[int]) -> Iterator[Any]:
    """The objects of libraries of estimators that something holds, itself among them."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    held: Iterable[Any] = ()
    if isinstance(thing, Mapping):
        held = cast("Mapping[Any, Any]", thing).values()
    elif isinstance(thing, list | tuple | set):
        held = cast("Iterable[Any]", thing)
    elif isinstance(thing, np.ndarray):
        held = _objects(thing)
    elif not type(thing).__module__.startswith(_OTHERS) and hasattr(thing, "__dict__"):
        held = cast("dict[str, Any]", vars(thing)).values()
        yield thing
    for each in held:
        yield from _parts(each, seen)


def _objects(array: Any) -> Iterable[Any]:
    return array.ravel().tolist() if array.dtype.hasobject else ()
