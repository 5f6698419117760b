"""Of which classes the parts of an estimator may be: those that skops trusts, a few more here, and registered ones.

skops trusts neither the trees of scikit-learn, since their nodes are followed unchecked, nor other libraries. Here the
nodes are checked (`trees.py`), and each class is let in as the one sort of node that it is written as.
"""

from __future__ import annotations

import re
from typing import Final

from ...errors import Refused
from ..registry import own_classes
from . import lightgbm_model, xgboost_model
from .skops_tree import Node, class_of, nodes

TREE: Final = "sklearn.tree._tree.Tree"
BOOSTED_TREE: Final = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"
ALIAS: Final = "lepton_ai.register"
"""The module that registered classes are written under, by the name that they were registered with."""

_OWN: Final = {"table-estimator": ("lepton_ai.building.estimators.table_estimator", "TableEstimator")}
"""Lepton's own, by the names that they are written under."""
_KERNELS: Final = (
    "CompoundKernel", "ConstantKernel", "DotProduct", "ExpSineSquared", "Exponentiation", "Matern", "PairwiseKernel",
    "Product", "RBF", "RationalQuadratic", "Sum", "WhiteKernel",
)  # fmt: skip
_SPLITS: Final = (
    "GroupKFold", "GroupShuffleSplit", "KFold", "LeaveOneOut", "RepeatedKFold", "RepeatedStratifiedKFold",
    "ShuffleSplit", "StratifiedGroupKFold", "StratifiedKFold", "StratifiedShuffleSplit", "TimeSeriesSplit",
)  # fmt: skip
_CHECKING: Final = "sklearn.utils.validation.check_array"
"""What gradient boosting over categories calls of its other columns, with arguments of its own."""
_OBJECTS: Final = (
    BOOSTED_TREE,
    xgboost_model.CLASS,
    lightgbm_model.CLASS,
    *(f"xgboost.sklearn.XGB{each}" for each in ("Classifier", "RFClassifier", "RFRegressor", "Ranker", "Regressor")),
    *(f"lightgbm.sklearn.LGBM{each}" for each in ("Classifier", "Ranker", "Regressor")),
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.calibration._TemperatureScaling",
    *(f"sklearn.neural_network._stochastic_optimizers.{each}Optimizer" for each in ("Adam", "SGD")),
    *(f"sklearn.metrics._scorer.{each}" for each in ("_PassthroughScorer", "_Scorer")),
    *(f"sklearn.gaussian_process.kernels.{each}" for each in _KERNELS),
    *(f"sklearn.model_selection._split.{each}" for each in _SPLITS),
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    *(f"sklearn._loss.loss.HalfTweedieLoss{each}" for each in ("", "Identity")),
    "sklearn.multiclass._ConstantPredictor",
)
_FUNCTIONS: Final = (
    *(f"sklearn.feature_selection._univariate_selection.{each}" for each in ("chi2", "f_classif", "f_regression")),
    *(f"sklearn.feature_selection._mutual_info.mutual_info_{each}" for each in ("classif", "regression")),
    _CHECKING,
)
_METRICS: Final = re.compile(r"sklearn\.metrics\._(?:classification|ranking|regression)\.(\w+)")
ADDED: Final = {
    **dict.fromkeys(_OBJECTS, "ObjectNode"),
    **dict.fromkeys(_FUNCTIONS, "FunctionNode"),
    TREE: "TreeNode",
    "collections.OrderedDict": "TypeNode",
    "functools.partial": "PartialNode",
    "numpy.dtype": "DTypeNode",
    "sklearn.utils._bunch.Bunch": "DictNode",
}
"""What is trusted beside what skops trusts, and the one sort of node that it may be of."""


def check_trust(schema: Node, file: bytes) -> list[str]:
    """The types of a file of skops that are trusted beside its own. Raises `Refused` naming one that is not."""
    from skops.io import get_untrusted_types

    own = {_path(kind) for kind in own_classes().values()} | {".".join(path) for path in _OWN.values()}
    let_in: set[str] = set()
    for _, node in nodes(schema):
        kind, loader = class_of(node), node["__loader__"]
        wanted = "ObjectNode" if kind in own else "FunctionNode" if _is_metric(kind) else ADDED.get(kind)
        if wanted == loader and (loader != "PartialNode" or class_of(node["content"]["func"]) == _CHECKING):
            let_in.add(kind)
        elif wanted is not None and (kind, loader) != ("collections.OrderedDict", "DictNode"):
            raise Refused(f"{kind} stands as a {loader}, which no estimator writes so; nothing was built")
    if unknown := [each for each in get_untrusted_types(data=file) if each not in let_in]:
        raise _untrusted(unknown[0])
    return sorted(let_in)


def _untrusted(kind: str) -> Refused:
    fact = f"{kind} is none of the classes that an estimator may be made of here"
    if kind.partition(".")[0] in ("numpy", "scipy", "sklearn"):
        return Refused(f"{fact}; choose another setting, or another estimator, in place of what has it")
    return Refused(
        fact,
        python="put @lepton_ai.register('a-name') on it, if it is a class of yours that you trust",
        cli="name the module that registers it with --import, or in LEPTON_IMPORT, if you trust it",
    )


def _is_metric(kind: str) -> bool:
    """Whether it is a function of `sklearn.metrics`, which compares arrays and does nothing else."""
    from sklearn import metrics

    match = _METRICS.fullmatch(kind)
    return match is not None and match[1] in metrics.__all__


def with_aliases(schema: Node) -> None:
    """Write registered classes by their names, so that they are found wherever they are defined next time."""
    names = {_path(kind): name for name, kind in own_classes().items()}
    names |= {".".join(path): name for name, path in _OWN.items()}
    for _, node in nodes(schema):
        if node["__loader__"] == "ObjectNode" and (name := names.get(class_of(node))) is not None:
            node["__module__"], node["__class__"] = ALIAS, name


def without_aliases(schema: Node) -> None:
    """Name registered classes as they are here. Raises `Refused` where one is not registered in this process."""
    known = {name: (kind.__module__, kind.__qualname__) for name, kind in own_classes().items()} | _OWN
    for _, node in nodes(schema):
        if node.get("__module__") != ALIAS:
            continue
        name = str(node.get("__class__"))
        if name not in known:
            raise Refused(
                f"class {name!r} is not registered in this process",
                python=f"put @lepton_ai.register({name!r}) on it",
                cli="name the module that registers it with --import, or in LEPTON_IMPORT",
            )
        node["__module__"], node["__class__"] = known[name]


def _path(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
