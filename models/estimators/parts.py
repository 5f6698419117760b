"""An estimator as tensors, and made of them again: `schema`, which skops wrote, and the arrays that it refers to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, cast

import numpy as np

from ...errors import LeptonError, Malformed, Refused
from ...plain import words_of
from . import lightgbm_model, xgboost_model
from .arrays import AnyArray, Arrays, KeptArrays
from .libraries import needed
from .neighbours import grow_trees, take_trees
from .sklearn_trees import check_trees
from .skops_tree import (
    Node,
    class_of,
    file_of,
    give_arrays,
    leave_out,
    members,
    nodes,
    parts_of,
    plain_node,
    take_arrays,
    tell_everywhere,
    tell_false,
    tell_once,
    value_of,
)
from .trust import check_trust, with_aliases, without_aliases

SCHEMA: Final = "schema"
"""The tensor that says how the others belong together, bytes of JSON."""
_GONE_ON_FROM: Final = "_Booster__init_predictor"
"""The attribute of LightGBM's boosters for the one that their training began with."""


def taken_apart(estimator: object) -> dict[str, AnyArray]:
    """The parameters of an estimator by name, and its schema.

    Raises `Refused` where it has a part of a class that is not trusted, or that skops cannot keep.
    """
    io = needed("skops.io")
    try:
        schema, held = members(io.dumps(estimator))
        take_trees(schema)
        _forget(schema)
        check_trust(schema, file_of(schema, held))
    except LeptonError:
        raise
    except RecursionError as error:
        raise Refused(f"{words_of(estimator)} holds itself, which cannot be kept; take that part out") from error
    except Exception as error:
        raise Refused(f"{words_of(estimator)} cannot be kept ({type(error).__name__}: {error})") from error
    tell_once(schema)
    with_aliases(schema)
    arrays = Arrays()
    _take_boosters(schema, held, arrays)
    take_arrays(schema, held, arrays)
    tensors, groups = arrays.told(SCHEMA)
    told = json.dumps({"arrays": groups, "skops": schema}, separators=(",", ":"))
    return {SCHEMA: np.frombuffer(told.encode(), np.uint8), **tensors}


def put_together(tensors: Mapping[str, AnyArray]) -> Any:
    """The estimator that tensors are of. No byte is unpickled, and no class imported that is not trusted.

    Raises `Refused` naming such a class or a library that is absent, `Malformed` where they are no estimator.
    """
    io = needed("skops.io")
    schema, kept = _read(tensors)
    try:
        tell_everywhere(schema)
        tell_false(schema)
        without_aliases(schema)
        check_trees(schema, kept)
        boosters = _give_boosters(schema, kept)
        held = give_arrays(schema, kept, lambda node: boosters.get(id(node)))
        file = file_of(schema, held)
        estimator = io.loads(file, trusted=check_trust(schema, file))
        grow_trees(estimator)
        return estimator
    except (LeptonError, MemoryError):
        raise
    except Exception as error:
        what = f"this estimator cannot be built here ({type(error).__name__}: {str(error)[:300]})"
        raise Refused(f"{what}; its libraries may be other ones than it was saved with") from error


def _read(tensors: Mapping[str, AnyArray]) -> tuple[Node, KeptArrays]:
    try:
        told: Any = json.loads(np.asarray(tensors[SCHEMA], np.uint8).tobytes())
        schema, groups = told["skops"], told["arrays"]
    except (LookupError, TypeError, ValueError, RecursionError) as error:
        raise Malformed("these tensors have no schema of an estimator; nothing was built") from error
    if not isinstance(schema, dict):
        raise Malformed("the schema of this estimator is none; nothing was built")
    return cast("Node", schema), KeptArrays(tensors, groups)


def _forget(schema: Node) -> None:
    """Leave out what is of this process alone: where words lie in its memory, and what a booster was trained on from.

    A booster's own trees hold what it went on from; a vectorizer that knows no such place checks its words again.
    """
    for _, node in list(nodes(schema)):
        if class_of(node).startswith("sklearn.feature_extraction."):
            leave_out(node, "_stop_words_id")
        if class_of(node) == lightgbm_model.CLASS:
            parts = parts_of(node)
            if _GONE_ON_FROM in parts:
                parts[_GONE_ON_FROM] = plain_node(None)


def _take_boosters(schema: Node, held: dict[str, bytes], arrays: Arrays) -> None:
    """Put skeletons of their own formats in the place of what XGBoost and LightGBM pickle."""
    for path, node in list(nodes(schema)):
        if class_of(node) == xgboost_model.CLASS:
            handle = _handle(node, "handle")
            try:
                handle["file"] = {"xgboost": xgboost_model.skeleton(held[handle["file"]], path, arrays)}
            except ValueError as error:
                what = f"this XGBoost writes its models in a way that is not known here ({error})"
                raise Refused(f"{what}; keep it as a file of a version") from error
        if class_of(node) == lightgbm_model.CLASS:
            handle = _handle(node, "_handle")
            handle["content"] = {"lightgbm": lightgbm_model.skeleton(value_of(handle), path, arrays)}


def _give_boosters(schema: Node, kept: KeptArrays) -> dict[int, bytes]:
    """Write the text of LightGBM's boosters, and give the bytes of XGBoost's by the node that they belong to."""
    made: dict[int, bytes] = {}
    written: set[int] = set()
    for node in {id(node): node for _, node in nodes(schema)}.values():
        if class_of(node) == xgboost_model.CLASS:
            handle = _handle(node, "handle")
            made[id(handle)] = xgboost_model.pickled(_told(handle.get("file"), "xgboost"), kept)
        if class_of(node) == lightgbm_model.CLASS and id(handle := _handle(node, "_handle")) not in written:
            text = lightgbm_model.text_of(_told(handle.get("content"), "lightgbm"), kept)
            handle["content"] = json.dumps(text)
            written.add(id(handle))
    return made


def _handle(node: Node, name: str) -> Node:
    handle = parts_of(node).get(name)
    if not isinstance(handle, dict):
        raise Refused(f"a {class_of(node)} has no model yet, or one that is not known here; fit it first")
    return cast("Node", handle)


def _told(part: Any, library: str) -> Any:
    match part:
        case dict() if library in part:
            return cast("dict[str, Any]", part)[library]
        case _:
            raise Malformed(f"a booster of {library} is not in its own format; nothing was built")
