"""The estimators by family, set as a plan has it, for numbers in front and codes of categories behind them."""

from __future__ import annotations

from typing import Any, Final

from ...models.encoding import Layout
from ...models.estimators.libraries import needed
from .hyperparameters import EstimatorFamily, EstimatorHyperparameters
from .threads import threads_for

_STRONGEST: Final = 1e12
"""What scikit-learn takes for no penalty at all."""


def fitted_family(
    plan: EstimatorHyperparameters, layout: Layout, rows: Any, targets: Any, weights: Any, *, classes: bool
) -> Any:
    """An estimator of the family that was chosen, fitted: to codes of `classes`, or to numbers."""
    makers = {
        "hist-gradient-boosting": _boosted,
        "lightgbm": _lightgbm,
        "linear": _linear,
        "random-forest": _forest,
        "xgboost": _xgboost,
    }
    family: EstimatorFamily = plan.family
    estimator, told = makers[family](plan, layout, classes)
    word = "model__sample_weight" if family == "linear" else "sample_weight"
    with threads_for(rows.size):
        fitted = estimator.fit(rows, targets, **told, **({} if weights is None else {word: weights}))
    # asked by several threads, a forest would add its trees' numbers up in whatever order these end
    return fitted.set_params(n_jobs=None) if family == "random-forest" else fitted


def _boosted(plan: EstimatorHyperparameters, layout: Layout, classes: bool) -> tuple[Any, dict[str, Any]]:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind: Any = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    return kind(
        max_iter=plan.rounds,
        learning_rate=plan.learning_rate,
        max_leaf_nodes=plan.leaves,
        min_samples_leaf=plan.min_rows,
        l2_regularization=plan.l2,
        max_features=plan.columns_share,
        categorical_features=_codes(layout) or None,
        early_stopping=False,
        random_state=plan.seed,
    ), {}


def _forest(plan: EstimatorHyperparameters, layout: Layout, classes: bool) -> tuple[Any, dict[str, Any]]:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    del layout
    kind: Any = RandomForestClassifier if classes else RandomForestRegressor
    return kind(
        n_estimators=plan.rounds,
        min_samples_leaf=plan.min_rows,
        max_features=plan.columns_share,
        n_jobs=-1,
        random_state=plan.seed,
    ), {}


def _linear(plan: EstimatorHyperparameters, layout: Layout, classes: bool) -> tuple[Any, dict[str, Any]]:
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    gaps = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    numbers = Pipeline([("gaps", gaps), ("scale", StandardScaler())])
    columns = [
        ("numbers", numbers, [*range(layout.numbers)]),
        ("categories", OneHotEncoder(handle_unknown="ignore"), _codes(layout)),
    ]
    strength = 1 / plan.l2 if plan.l2 else _STRONGEST
    model = LogisticRegression(C=strength, max_iter=1000) if classes else Ridge(alpha=plan.l2)
    return Pipeline([("columns", ColumnTransformer(columns)), ("model", model)]), {}


def _lightgbm(plan: EstimatorHyperparameters, layout: Layout, classes: bool) -> tuple[Any, dict[str, Any]]:
    library = needed("lightgbm")
    kind = library.LGBMClassifier if classes else library.LGBMRegressor
    return kind(
        n_estimators=plan.rounds,
        learning_rate=plan.learning_rate,
        num_leaves=plan.leaves,
        min_child_samples=plan.min_rows,
        reg_lambda=plan.l2,
        colsample_bytree=plan.columns_share,
        n_jobs=0,  # as many as `threads_for` allows; None is LightGBM's own count of cores
        random_state=plan.seed,
        deterministic=True,
        verbose=-1,
    ), {"categorical_feature": _codes(layout)}


def _xgboost(plan: EstimatorHyperparameters, layout: Layout, classes: bool) -> tuple[Any, dict[str, Any]]:
    library = needed("xgboost")
    kind = library.XGBClassifier if classes else library.XGBRegressor
    return kind(
        n_estimators=plan.rounds,
        learning_rate=plan.learning_rate,
        max_leaves=plan.leaves,
        max_depth=0,
        grow_policy="lossguide",
        min_child_weight=plan.min_rows,
        reg_lambda=plan.l2,
        colsample_bytree=plan.columns_share,
        tree_method="hist",
        enable_categorical=True,
        feature_types=["q"] * layout.numbers + ["c"] * len(layout.levels),
        random_state=plan.seed,
    ), {}


def _codes(layout: Layout) -> list[int]:
    """The places of categories among the columns."""
    return [*range(layout.numbers, layout.numbers + len(layout.levels))]
