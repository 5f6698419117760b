"""Estimators as tensors: each kind comes back bit for bit, and nothing comes back that a stranger crafted."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from lepton_ai.errors import LeptonError, Malformed, Refused
from lepton_ai.models import register
from lepton_ai.models.estimators.arrays import Arrays, KeptArrays
from lepton_ai.models.estimators.parts import SCHEMA, put_together, taken_apart
from lepton_ai.models.registry import _classes

from ...examples import examples
from .fitted import NAMES, X, Y, answers, fitted, fitted_rows

Node = dict[str, Any]


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype and one[name].tobytes() == other[name].tobytes() for name in one
    )


@pytest.mark.parametrize("name", NAMES)
def test_an_estimator_of_each_kind_comes_back_bit_for_bit(name: str) -> None:
    kind = fitted()[name]

    tensors = taken_apart(kind.estimator)
    again = put_together(tensors)

    assert type(again) is type(kind.estimator)
    assert same(answers(again, kind.rows), answers(kind.estimator, kind.rows))
    assert same(taken_apart(again), tensors)  # saved again it is the same version


def test_tensors_bear_the_names_of_attributes() -> None:
    names = {name: {*taken_apart(fitted()[name].estimator)} for name in ("logistic", "forest", "pipeline", "xgboost")}

    assert names["logistic"] == {SCHEMA, "coef_", "intercept_", "classes_", "n_iter_"}
    assert {"estimators_.tree_.nodes.threshold", "estimators_.tree_.values"} <= names["forest"]
    assert {"steps.forward.coef_", "steps.train.transformers_.float.steps.standardscaler.mean_"} <= names["pipeline"]
    assert {"_Booster.trees.split_conditions", "_Booster.trees.left_children"} <= names["xgboost"]
    assert {"_Booster.trees.threshold", "_Booster.trees.leaf_value"} <= {*taken_apart(fitted()["lightgbm"].estimator)}


def test_keys_that_are_true_or_false_come_back_as_they_were() -> None:
    weighted = put_together(taken_apart(fitted()["truths-weighted"].estimator))
    numbers = LogisticRegression(class_weight={np.False_: 20, np.True_: 1}).fit(X, Y.astype(bool))

    assert weighted.class_weight == {False: 20, True: 1}
    assert put_together(taken_apart(numbers)).class_weight == {False: 20, True: 1}


@pytest.mark.parametrize("kind", [CountVectorizer, TfidfVectorizer, HashingVectorizer])
def test_where_words_lie_in_memory_is_no_part_of_an_estimator(kind: Any) -> None:
    words = [chr(97 + n) * 3 for n in range(9)]
    one, other = (make_pipeline(kind(stop_words=[*words[:2]]), LogisticRegression()).fit(words, Y[:9]) for _ in "ab")

    assert same(taken_apart(one), taken_apart(other))
    before = taken_apart(one)
    one.predict(words)
    assert same(taken_apart(one), before)


@pytest.mark.parametrize("name", ["lightgbm", "lightgbm-booster", "lightgbm-linear", "lightgbm-categories"])
def test_any_number_of_lightgbms_trees_may_be_another_and_nothing_ends_the_process(name: str) -> None:
    tensors = taken_apart(fitted()[name].estimator)
    for each in (each for each in tensors if ".trees." in each or each.startswith("trees.")):
        for value in (0, 1, 0.123456789, -5, 1e30):
            changed = {key: np.array(array) for key, array in tensors.items()}
            if changed[each].size:
                changed[each].reshape(-1)[0] = min(value, 1 << 30) if changed[each].dtype.kind in "iu" else value
            with suppress(LeptonError):
                answers(put_together(changed), fitted_rows(name))


def test_sizes_of_trees_are_not_read_wherever_they_stand() -> None:
    def hide(told: Node) -> None:
        lines = lightgbm_lines(told)
        place = next(place for place, line in enumerate(lines) if str(line).startswith("tree_sizes="))
        lines[place - 1] += "\ntree_sizes=7 7 7 7"

    again = put_together(crafted("lightgbm", hide))

    assert same(answers(again, X), answers(fitted()["lightgbm"].estimator, X))


def test_two_fits_of_one_seed_are_the_same_tensors() -> None:
    forests = [RandomForestClassifier(3, random_state=0).fit(X, Y) for _ in range(2)]

    assert same(*map(taken_apart, forests))


DTYPES = st.one_of(
    arrays_of.scalar_dtypes(),
    st.sampled_from([np.dtype("<U3"), np.dtype("S2"), np.dtype([("a", "i2"), ("b", "f8")], align=True)]),
).filter(lambda dtype: dtype.itemsize > 0)


@given(st.data(), DTYPES, st.integers(1, 3), st.booleans())
@settings(max_examples=examples(30), deadline=None)
def test_arrays_of_any_dtype_shape_and_order_come_back_bit_for_bit(
    data: st.DataObject, dtype: Any, count: int, fortran: bool
) -> None:
    shapes = data.draw(st.lists(arrays_of.array_shapes(min_dims=0, min_side=0, max_side=3), min_size=1, max_size=count))
    given_arrays = [
        np.array(data.draw(arrays_of.arrays(dtype, shape)), order="F" if fortran else "C") for shape in shapes
    ]
    gathered = Arrays()
    refs = [gathered.add(("trees", place, "values"), each) for place, each in enumerate(given_arrays)]
    tensors, groups = gathered.told(SCHEMA)

    kept = KeptArrays(tensors, json.loads(json.dumps(groups)))

    for ref, array in zip(refs, given_arrays, strict=True):
        back = kept.at(ref)
        assert (back.dtype, back.shape, back.flags.f_contiguous) == (array.dtype, array.shape, array.flags.f_contiguous)
        names = array.dtype.names or (None,)
        assert all(
            (back if name is None else back[name]).tobytes() == (array if name is None else array[name]).tobytes()
            for name in names
        )


# ── what a stranger crafts ───────────────────────────────────────────────────────────────────────────────────────────


def crafted(name: str, change: Callable[[Node], None]) -> dict[str, Any]:
    """The tensors of an estimator with another schema."""
    tensors = taken_apart(fitted()[name].estimator)
    told = json.loads(tensors[SCHEMA].tobytes())
    change(told)
    return {**tensors, SCHEMA: np.frombuffer(json.dumps(told).encode(), np.uint8)}


def attributes(told: Node) -> Node:
    return told["skops"]["content"]["content"]


def plain(value: Any) -> Node:
    return {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "content": json.dumps(value)}


def node(loader: str, kind: str, **more: Any) -> Node:
    module, _, name = kind.rpartition(".")
    return {"__class__": name, "__module__": module, "__loader__": loader, **more}


def many(loader: str, *items: Node) -> Node:
    kind = {"TupleNode": "tuple", "ListNode": "list"}[loader]
    return node(loader, f"builtins.{kind}", content=list(items))


COMMAND = many("TupleNode", plain("touch crafted"))
SYSTEM = node("FunctionNode", f"{os.name}.system")
HOSTILE: dict[str, Node] = {
    "function": SYSTEM,
    "type": node("TypeNode", "builtins.eval"),
    "object": node("ObjectNode", "subprocess.Popen", content=plain(None)),
    "called by reduce": node("ConstructorFromReduceNode", "subprocess.Popen", content=COMMAND),
    "method": node(
        "MethodNode",
        "sklearn.linear_model._logistic.LogisticRegression",
        content={"func": "fit", "obj": node("ObjectNode", "sklearn.linear_model._logistic.LogisticRegression")},
    ),
    "operator": node("OperatorFuncNode", "operator.methodcaller", attrs=COMMAND),
    "partial": node(
        "PartialNode",
        "functools.partial",
        content={"func": SYSTEM, "args": COMMAND, "kwds": plain({}), "namespace": plain(None)},
    ),
    "booster that reads a file": node(
        "ConstructorFromReduceNode",
        "xgboost.core.Booster",
        content=many("TupleNode", plain(None), plain([]), plain("/etc/passwd")),
    ),
    "booster of another form": node("ListNode", "lightgbm.basic.Booster", content=[plain("x")]),
    "booster without a model": node("ObjectNode", "xgboost.core.Booster", content=plain({})),
    "tree without checks": node("ObjectNode", "sklearn.tree._tree.Tree", content=plain(None)),
    "stub of nothing": node("CachedNode", "builtins.list", __id__=99),
    "unregistered": node("ObjectNode", "lepton_ai.register.my-transformer", content=plain({})),
    "no loader": node("NoSuchNode", "builtins.list"),
    "loss": node("LossNode", "os.system", __reduce__={"args": COMMAND}, content=plain({})),
    "random generator": node(
        "RandomGeneratorNode",
        "numpy.random._generator.Generator",
        content={
            "bit_generator": node(
                "DictNode",
                "builtins.dict",
                key_types=many("ListNode"),
                content={"bit_generator": plain("seed")},
            ),
            "seed_seq": plain({}),
        },
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_part_of_a_class_that_is_not_trusted_is_refused_and_nothing_runs(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tensors = crafted("logistic", lambda told: attributes(told).update(crafted=copy.deepcopy(HOSTILE[what])))

    with pytest.raises(Refused) as refusal:
        put_together(tensors)

    assert "\n" not in str(refusal.value)
    assert list(tmp_path.iterdir()) == []


def retold(name: str, tensor: str, change: Callable[[Any], None]) -> dict[str, Any]:
    """The tensors of an estimator, one of them changed."""
    tensors = {each: np.array(array) for each, array in taken_apart(fitted()[name].estimator).items()}
    change(tensors[tensor])
    return tensors


def set_first(value: Any) -> Callable[[Any], None]:
    return lambda array: array.__setitem__(0, value)


CROOKED: dict[str, Callable[[], dict[str, Any]]] = {
    "child far away": lambda: retold("forest", "estimators_.tree_.nodes.left_child", set_first(1 << 40)),
    "child before all": lambda: retold("forest", "estimators_.tree_.nodes.right_child", set_first(-7)),
    "a way that comes back": lambda: retold("forest", "estimators_.tree_.nodes.left_child", set_first(0)),
    "a feature that is none": lambda: retold("forest", "estimators_.tree_.nodes.feature", set_first(4)),
    "boosted child": lambda: retold("boosted", "_predictors.nodes.left", set_first(10_000)),
    "boosted feature": lambda: retold("boosted", "_predictors.nodes.feature_idx", set_first(99)),
    "xgboost child": lambda: retold("xgboost", "_Booster.trees.left_children", set_first(999)),
    "xgboost feature": lambda: retold("xgboost", "_Booster.trees.split_indices", set_first(999)),
    "xgboost cycle": lambda: retold("xgboost", "_Booster.trees.right_children", set_first(0)),
    "a leaf without weights": lambda: retold(
        "xgboost-classes-at-once", "_Booster.trees.right_children", lambda array: array.__setitem__(array == 0, 999)
    ),
    "lightgbm child": lambda: retold("lightgbm", "_Booster.trees.left_child", set_first(500)),
    "lightgbm leaf": lambda: retold("lightgbm", "_Booster.trees.right_child", set_first(-500)),
    "lightgbm feature": lambda: retold("lightgbm", "_Booster.trees.split_feature", set_first(500)),
    "a wider forest": lambda: crafted("forest", lambda told: attributes(told).update(n_features_in_=plain(3))),
    "a forest without a width": lambda: crafted("forest", lambda told: attributes(told).pop("n_features_in_")),
    "an array that is none": lambda: crafted("logistic", lambda told: attributes(told)["coef_"].update(file=[0, 5])),
    "rows below none": lambda: crafted("logistic", lambda told: told["arrays"][0].update(rows=[-1])),
    "objects": lambda: crafted("logistic", lambda told: told["arrays"][0].update(dtype="|O")),
    "records of nothing": lambda: crafted(
        "logistic", lambda told: told["arrays"][0].update(dtype=[["", "|V1000000000000"], ["a", "<f8"]])
    ),
    "another dtype": lambda: crafted("logistic", lambda told: told["arrays"][0].update(dtype="<f2")),
    "plain text of a booster": lambda: crafted(
        "lightgbm", lambda told: attributes(attributes_of(told, "_Booster"))["_handle"].update(content='"tree"')
    ),
    "a line that ends as others do not": lambda: crafted(
        "lightgbm", lambda told: lightgbm_lines(told).insert(1, "a=1\rtree_sizes=7 7 7 7")
    ),
    "no schema": lambda: {"coef_": np.zeros(3)},
    "a schema that is none": lambda: {SCHEMA: np.frombuffer(b"[1]", np.uint8)},
    "nested without end": lambda: {SCHEMA: np.frombuffer(b'{"skops":' + b"[" * 100_000, np.uint8)},
}


def lightgbm_lines(told: Node) -> list[Any]:
    return attributes(attributes_of(told, "_Booster"))["_handle"]["content"]["lightgbm"]


def attributes_of(told: Node, name: str) -> Node:
    return {"skops": attributes(told)[name]}


@pytest.mark.parametrize("what", CROOKED)
def test_arrays_that_would_be_followed_nowhere_are_refused(what: str) -> None:
    with pytest.raises(LeptonError) as refusal:
        put_together(CROOKED[what]())

    assert "\n" not in str(refusal.value)


def test_stubs_that_multiply_without_end_are_refused() -> None:
    def multiply(told: Node) -> None:
        held = attributes(told)
        for level in range(64):
            stub = node("CachedNode", "builtins.list", __id__=level)
            inner = [stub, copy.deepcopy(stub)] if level else [plain(0), plain(0)]
            held[f"level{level}"] = {**many("ListNode", *inner), "__id__": level + 1}

    with pytest.raises(Malformed, match="more than"):
        put_together(crafted("logistic", multiply))


def test_a_part_of_itself_is_refused() -> None:
    def hold_itself(told: Node) -> None:
        told["skops"]["__id__"] = 1
        attributes(told)["own"] = node("CachedNode", "builtins.list", __id__=1)

    with pytest.raises(Malformed, match="stands for one that is not there"):
        put_together(crafted("logistic", hold_itself))


# ── classes of a user's own ──────────────────────────────────────────────────────────────────────────────────────────


class Doubling(TransformerMixin, BaseEstimator):
    """A transformer of a user's own."""

    def fit(self, rows: Any, labels: Any = None) -> Doubling:
        self.width_ = rows.shape[1]
        return self

    def transform(self, rows: Any) -> Any:
        return rows * 2


def test_a_class_of_a_users_own_comes_back_where_it_is_registered_and_nowhere_else() -> None:
    own = make_pipeline(Doubling(), LogisticRegression()).fit(X, Y)
    with pytest.raises(Refused, match=r"test_parts\.Doubling is none of the classes .*lepton_ai\.register"):
        taken_apart(own)
    register("own/doubling")(Doubling)
    try:
        tensors = taken_apart(own)
        assert same(answers(put_together(tensors), X), answers(own, X))
        assert b"Doubling" not in tensors[SCHEMA].tobytes()  # it may move to another module
    finally:
        _classes.pop("own/doubling")
    with pytest.raises(Refused, match=r"class 'own/doubling' is not registered in this process"):
        put_together(tensors)


@pytest.mark.parametrize(
    ("estimator", "named"),
    [
        (FunctionTransformer(os.getcwd), "getcwd"),
        (KernelDensity(), "choose another setting, or another estimator"),
        (FunctionTransformer(kw_args={"a": np.array(None, dtype=object)}), "cannot be kept"),
    ],
)
def test_what_cannot_come_back_is_refused_as_it_is_saved(estimator: Any, named: str) -> None:
    with pytest.raises(Refused, match=named):
        taken_apart(estimator.fit(X, Y))
