"""What may be chosen of an estimator that Lepton trains; whoever only asks for a training reads it without torch."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from pydantic import Field

from ...models.hyperparameter import Whole
from ..plan import LabelChoice, SplitChoice

EstimatorFamily: TypeAlias = Literal["hist-gradient-boosting", "lightgbm", "linear", "random-forest", "xgboost"]


class EstimatorHyperparameters(LabelChoice, SplitChoice):
    """What a user may choose of an estimator, and how it is searched. What a family has no word for it leaves aside."""

    columns_share: float = Field(
        0.7,
        gt=0,
        le=1,
        description="the share of the columns that each tree, or each split, chooses from",
        json_schema_extra={"search": {"low": 0.3, "high": 1.0}},
    )
    family: EstimatorFamily = Field(
        "hist-gradient-boosting", json_schema_extra={"search": {"choices": [*get_args(EstimatorFamily)]}}
    )
    held_out: float = Field(
        0.2, ge=0, lt=0.9, description="the share of rows that figures and threshold are of; with 0 nothing is measured"
    )
    l2: float = Field(1.0, ge=0, le=1e6, json_schema_extra={"search": {"low": 1e-3, "high": 100.0, "log": True}})
    learning_rate: float = Field(0.1, gt=0, le=1, json_schema_extra={"search": {"low": 0.01, "high": 0.3, "log": True}})
    leaves: Whole = Field(31, ge=2, le=65_536, json_schema_extra={"search": {"low": 4, "high": 256, "log": True}})
    max_levels: Whole = Field(64, ge=1, le=254)
    min_rows: Whole = Field(
        5,
        ge=1,
        description="the fewest rows of a leaf; a whole number from 1",
        json_schema_extra={"search": {"low": 1, "high": 100, "log": True}},
    )
    rounds: Whole = Field(
        200,
        ge=1,
        le=100_000,
        description="trees, of several classes for each of them; a whole number from 1 to 100000",
        json_schema_extra={"search": {"low": 50, "high": 1000, "log": True}},
    )
    seed: Whole = Field(0, ge=0, le=2**31 - 1)
