"""A booster of LightGBM as its own text, the numbers of its trees as tensors: `trees.threshold`, `trees.leaf_value`.

A line of numbers becomes a tensor where these, written again, are the same text; any other line stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, cast

import numpy as np

from ...errors import Malformed
from .arrays import AnyArray, Arrays, KeptArrays, Path
from .trees import check_tree

CLASS: Final = "lightgbm.basic.Booster"
_TREE: Final = "Tree="
_SIZES: Final = "tree_sizes="
"""Where each tree begins: from these LightGBM reads them in threads, which end the process where one is wrong."""
_FORMATS: Final = ("%.17g", "%g")
_CATEGORICAL: Final = 1
"""The bit of a node's `decision_type` that says that its feature is one of categories."""


def skeleton(text: str, path: Path, arrays: Arrays) -> list[Any]:
    """The lines of a model's text, those of its trees' numbers as `[name, REF, format]`."""
    lines: list[Any] = []
    trees = 0
    for line in text.split("\n"):
        trees += line.startswith(_TREE)
        name, equals, values = line.partition("=")
        numbers = _numbers(values) if trees and equals and not line.startswith(_TREE) and " " in values else None
        if line == "end of trees":
            trees = 0
        if numbers is None:
            lines.append(line)
        else:
            array, form = numbers
            lines.append([name, arrays.add((*path, "trees", trees - 1, name), array), form])
    return lines


def text_of(lines: Any, kept: KeptArrays) -> str:
    """The text of a skeleton, its trees checked. Raises `Malformed` where it is none of LightGBM's."""
    if not isinstance(lines, list):
        raise Malformed("this LightGBM model has no text; nothing was built")
    text = "\n".join(_line(each, kept) for each in cast("list[Any]", lines))
    if any(end in text for end in "\r\0"):
        raise Malformed("this LightGBM model has ends of lines that are not checked; nothing was built")
    text = "\n".join(line for line in text.split("\n") if not line.startswith(_SIZES))
    _check(text)
    return text


def _numbers(values: str) -> tuple[AnyArray, str] | None:
    """Numbers of a line, and the format that writes them as they stand."""
    words = values.split(" ")
    try:
        whole = np.array([int(word) for word in words], np.int64)
        if _written(whole, "%d") == values:
            return whole, "%d"
    except (ValueError, OverflowError):
        pass
    try:
        real = np.array([float(word) for word in words], np.float64)
    except ValueError:
        return None
    return next(((real, form) for form in _FORMATS if _written(real, form) == values), None)


def _written(numbers: AnyArray, form: str) -> str:
    return " ".join(form % number for number in numbers.tolist())


def _line(line: Any, kept: KeptArrays) -> str:
    match line:
        case str():
            return line
        case [str(name), ref, str(form)] if form in ("%d", *_FORMATS):
            return f"{name}={_written(kept.at(ref), form)}"
        case _:
            raise Malformed(f"{str(cast('object', line))[:80]} is no line of a LightGBM model; nothing was built")


def _check(text: str) -> None:
    """Hold that its trees lead somewhere, which LightGBM does not look at."""
    head, *trees = text.partition("\nend of trees")[0].split(f"\n{_TREE}")
    try:
        features = int(_fields(head)["max_feature_idx"]) + 1
        for tree in trees:
            _check_tree(_fields(tree), features)
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise Malformed(f"a tree of this LightGBM model leads nowhere ({error}); nothing was built") from error


def _fields(section: str) -> dict[str, str]:
    return dict(_named(section))


def _named(section: str) -> Iterator[tuple[str, str]]:
    for line in section.split("\n"):
        name, equals, value = line.partition("=")
        if equals:
            yield name, value


def _check_tree(told: dict[str, str], features: int) -> None:
    leaves = int(told["num_leaves"])
    if len(told["leaf_value"].split()) != leaves or leaves < 1:
        raise ValueError("it has another number of leaves")
    if leaves == 1:
        return
    names = ("left_child", "right_child", "split_feature", "threshold", "decision_type")
    left, right, feature, threshold, kind = (np.array(told[name].split(), np.float64) for name in names)
    if {len(each) for each in (left, right, feature, threshold, kind)} != {leaves - 1}:
        raise ValueError("its lines have several lengths")
    nodes = [np.where(child < 0, leaves - 2 - child, child) for child in (left, right)]  # leaves stand behind the rest
    outer = np.full(leaves, -1)
    check_tree(
        np.append(nodes[0], outer),
        np.append(nodes[1], outer),
        np.append(feature, outer * 0),
        leaf=-1,
        features=features,
    )
    categorical = (kind.astype(np.int64) & _CATEGORICAL) == _CATEGORICAL
    if categorical.any():
        bounds = np.array(told["cat_boundaries"].split(), np.int64)
        words = len(told["cat_threshold"].split())
        places = threshold[categorical].astype(np.int64)
        if ((places < 0) | (places >= len(bounds) - 1)).any() or (np.diff(bounds) < 0).any() or bounds[-1] > words:
            raise ValueError("a node asks for categories that it does not tell")
    if told.get("is_linear", "0").strip() != "0":
        asked = np.array(told.get("leaf_features", "").split(), np.int64)
        if ((asked < 0) | (asked >= features)).any():
            raise ValueError(f"a leaf asks for a feature that is none of {features}")
