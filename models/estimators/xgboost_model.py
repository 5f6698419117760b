"""A booster of XGBoost as its own model format, its trees as tensors: `trees.split_conditions`, `trees.left_children`.

What XGBoost pickles has its model and, beside it, a configuration of the machine that trained it. Only the model is
kept, which is the format that XGBoost promises to read in later versions.
"""

from __future__ import annotations

from typing import Any, Final, cast

import numpy as np

from ...errors import Malformed, Refused
from .arrays import AnyArray, Arrays, KeptArrays, Path
from .trees import check_tree
from .ubj import UbjReader, written

CLASS: Final = "xgboost.core.Booster"
_WAY: Final = ("learner", "gradient_booster", "model")


def skeleton(handle: bytes, path: Path, arrays: Arrays) -> Any:
    """The model in what a booster is pickled as, its arrays gathered. Raises `ValueError` where it has another form."""
    plain = UbjReader(handle, lambda _path, array: array).read()
    if not isinstance(plain, dict) or "Model" not in plain:
        raise ValueError("it has no model")
    model = written(plain["Model"], lambda array: array)
    if model not in handle:
        raise ValueError("it is written in another way")
    return UbjReader(model, lambda way, array: arrays.add((*path, *_short(way)), array)).read()


def pickled(told: Any, kept: KeptArrays) -> bytes:
    """What XGBoost reads as a booster's pickled state, of a skeleton whose trees were checked."""
    from xgboost import Booster
    from xgboost.core import XGBoostError

    for tree in _trees(told):
        _check(tree, _features(told), kept)
    booster = Booster()
    try:
        booster.load_model(bytearray(written(told, kept.at)))
    except (XGBoostError, ValueError) as error:
        what = f"XGBoost does not read this model ({str(error).strip().splitlines()[0][:200]})"
        raise Refused(f"{what}; a newer XGBoost may") from error
    return bytes(cast("Any", booster).__getstate__()["handle"])


def _short(way: Path) -> Path:
    rest = tuple(each for each in way if each not in ("gbtree", "model"))  # of dart, whose trees lie one deeper
    return rest[2:] if way[:2] == _WAY[:2] else rest


def _trees(told: Any) -> list[Any]:
    booster = told["learner"]["gradient_booster"]
    model = booster.get("gbtree", booster).get("model", {})
    return list(model.get("trees", ["["])[1:])


def _features(told: Any) -> int:
    return int(told["learner"]["learner_model_param"]["num_feature"])


def _without_weights(left: AnyArray, right: AnyArray, weights: int, targets: int) -> AnyArray:
    """The right children of a tree of several targets, whose leaves have there which weights are theirs."""
    leaves = left == -1
    if targets < 1 or ((right[leaves] < 0) | ((right[leaves] + 1) * targets > weights)).any():
        raise ValueError("a leaf has weights that are not there")
    return np.where(leaves, -1, right)


def _check(tree: Any, features: int, kept: KeptArrays) -> None:
    try:
        held = {name: kept.at(part[2]) for name, part in tree.items() if isinstance(part, list) and part[0] == "$"}
        left, right, split = (held[name] for name in ("left_children", "right_children", "split_indices"))
        nodes = int(tree["tree_param"]["num_nodes"])
        sizes: list[AnyArray] = [held[each] for each in ("parents", "split_conditions", "default_left") if each in held]
        if any(len(each) != nodes for each in (left, right, split, *sizes)):
            raise ValueError("its arrays have several lengths")
        if "leaf_weights" in held:
            targets = int(tree["tree_param"]["size_leaf_vector"])
            right = _without_weights(left, right, len(held["leaf_weights"]), targets)
        check_tree(left, right, split, leaf=-1, features=features)
    except (LookupError, TypeError, ValueError) as error:
        raise Malformed(f"a tree of this XGBoost model leads nowhere ({error}); nothing was built") from error
