"""Finance: who pays back, who defaults, what a price will be."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from lepton_ai.datasets.windows import windows
from lepton_ai.evaluation.outcomes import Outcomes
from lepton_ai.models import CreditScoringModel, ForecastModel, RiskModel

from .judged import Desk, FieldTask, Pair, crossed, fitted_by
from .sets import table

PAST = 30
"""Trading days of a window."""
FROM = 2021
"""The first year of prices that are judged."""


def credit(desk: Desk) -> Pair:
    """1,000 applicants, 1 a bad risk."""
    rows = table("german")
    labels = (rows.pop("class") == 2).to_numpy().astype(np.int64)
    logistic = fitted_by(lambda: make_pipeline(_encoded(), LogisticRegression(max_iter=5000)), (0, 1))
    splits = StratifiedKFold(5, shuffle=True, random_state=0).split(rows, labels)
    return crossed(desk, "credit", rows, labels, splits, CreditScoringModel, logistic, task="binary", classes=(0, 1))


def risk(desk: Desk) -> Pair:
    """30,000 card holders, 1 a default in the next month."""
    rows = table("taiwan").drop(columns="ID")
    labels = rows.pop("default payment next month").to_numpy()
    boosting = fitted_by(
        lambda: HistGradientBoostingClassifier(max_iter=200, learning_rate=0.05, random_state=0), (0, 1)
    )
    splits = StratifiedKFold(5, shuffle=True, random_state=0).split(rows, labels)
    return crossed(desk, "risk", rows, labels, splits, RiskModel, boosting, task="binary", classes=(0, 1))


def price(desk: Desk, series: str) -> Pair:
    """The next trading day's price, beside the price of today."""
    days = table("oil").query("series == @series")
    past, came = windows(days["Price"], PAST)
    year = np.array([day.year for day in days["Date"]])[PAST:]
    model = desk.learnt(f"price-{series.lower()}", ForecastModel(), past[year < FROM], came[year < FROM])
    later = past[year >= FROM], came[year >= FROM]
    ours: Any = model.outcomes(*later)
    same = Outcomes("forecasting", ours.truth, later[0][:, -1, 0].astype(np.float64))
    held = f"an interval of 95 % held {ours.performance.coverage:.1%} of them"
    return Pair(ours, same, held)


def _encoded() -> Any:
    words = make_column_selector(dtype_exclude="number")
    numbers = make_column_selector(dtype_include="number")
    return make_column_transformer((OneHotEncoder(handle_unknown="ignore"), words), (StandardScaler(), numbers))


TASKS = {
    "credit": FieldTask(
        "finance", "credit assessment", ("german",), "credit-scoring-model",
        "lepton train credit-scoring-model german.csv --label class --set positive_label=2",
        "roc_auc", "5 folds", "logistic regression, one-hot", credit,
    ),
    "risk": FieldTask(
        "finance", "risk management", ("taiwan",), "risk-model",
        "lepton train risk-model credit-default-taiwan.parquet --label 'default payment next month' --drop ID",
        "roc_auc", "5 folds", "histogram gradient boosting, 200 × 0.05", risk,
    ),
    "price-wti": FieldTask(
        "finance", "price forecasting, WTI", ("oil",), "forecast-model",
        "manager.train(ForecastModel(), *windows(prices, 30))",
        "rmse", "2021 to 2025 by what was before", "yesterday's price", lambda desk: price(desk, "WTI"),
    ),
    "price-brent": FieldTask(
        "finance", "price forecasting, Brent", ("oil",), "forecast-model",
        "manager.train(ForecastModel(), *windows(prices, 30))",
        "rmse", "2021 to 2025 by what was before", "yesterday's price", lambda desk: price(desk, "Brent"),
    ),
}  # fmt: skip
