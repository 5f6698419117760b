"""What is an estimator, told without importing a library."""

from __future__ import annotations

from typing import Final

from ..registry import is_estimator_class

_BOOSTERS: Final = {("xgboost.core", "Booster"): "xgboost", ("lightgbm.basic", "Booster"): "lightgbm"}


def is_estimator(thing: object) -> bool:
    """Whether it is in scikit-learn's manner, or a booster of XGBoost or LightGBM."""
    return not isinstance(thing, type) and (is_booster(thing) or is_estimator_class(type(thing)))


def is_booster(thing: object) -> bool:
    """Whether it is a booster of XGBoost or LightGBM as their own `train` gives it."""
    return any((kind.__module__, kind.__qualname__) in _BOOSTERS for kind in type(thing).__mro__)


def library_of(thing: object) -> str:
    """The first name of the module that its class, or the first of those above it that a library has, is of."""
    roots = [kind.__module__.partition(".")[0] for kind in type(thing).__mro__]
    return next((root for root in roots if root in ("lightgbm", "sklearn", "xgboost")), roots[0])
