"""A pydantic model's fields as the rules of hyperparameters, in words, and as the ranges to search."""

from __future__ import annotations

import math
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, field_validator, model_validator

from lepton_ai import ModelManager
from lepton_ai.errors import Malformed
from lepton_ai.models import CreditScoringModel, Model
from lepton_ai.models.hyperparameter import Whole, check, defaults, search_space


class Fields(BaseModel):
    depth: int = Field(3, ge=1, le=9, json_schema_extra={"search": {}})
    rate: float = Field(0.1, gt=0, json_schema_extra={"search": {"low": 1e-5, "high": 1.0, "log": True}})
    steps: Whole = Field(10, ge=1)
    share: float = Field(0.5, gt=0, lt=1)
    optimiser: Literal["adam", "sgd"] = Field("adam", json_schema_extra={"search": {}})
    nesterov: bool = Field(False, json_schema_extra={"search": {}})
    weight: Annotated[float, Field(le=2)] | Literal["balanced"] | None = Field(
        None, json_schema_extra={"search": {"choices": ["balanced", 1.0]}}
    )
    sizes: list[Annotated[int, Field(ge=1)]] = [32]
    title: str = ""


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("depth", 10, "a whole number from 1 to 9"),
        ("depth", 1.0, "a whole number"),
        ("depth", True, "a whole number"),
        ("rate", 0, "a number above 0"),
        ("rate", float("nan"), "a number above 0"),
        ("steps", 2**60, "a whole number of at least 1"),
        ("share", 1, "a number above 0 and below 1"),
        ("optimiser", "lion", "one of 'adam', 'sgd'"),
        ("nesterov", 1, "True or False"),
        ("weight", 3, "a number of at most 2, or 'balanced', or None"),
        ("sizes", [0], "a list, each of it a whole number of at least 1"),
        ("title", 5, "a text"),
    ],
)
def test_a_value_against_its_field_is_refused_in_the_fields_words(name: str, value: object, words: str) -> None:
    with pytest.raises(Malformed) as refusal:
        check(Fields, name, value)  # type: ignore[arg-type]

    assert f"hyperparameter {name!r} must be {words}" in str(refusal.value)


def test_what_a_field_allows_is_allowed() -> None:
    for name, value in {"depth": 9, "rate": 5, "weight": "balanced", "sizes": [], "nesterov": True}.items():
        check(Fields, name, value)


def test_defaults_are_copies() -> None:
    defaults(Fields)["sizes"].append(1)  # type: ignore[union-attr]

    assert defaults(Fields)["sizes"] == [32]


def test_marked_fields_are_searched_as_optuna_writes_it() -> None:
    assert search_space(Fields) == {
        "depth": {"name": "IntDistribution", "attributes": {"low": 1, "high": 9, "log": False}},
        "rate": {"name": "FloatDistribution", "attributes": {"low": 1e-5, "high": 1.0, "log": True}},
        "optimiser": {"name": "CategoricalDistribution", "attributes": {"choices": ["adam", "sgd"]}},
        "nesterov": {"name": "CategoricalDistribution", "attributes": {"choices": [False, True]}},
        "weight": {"name": "CategoricalDistribution", "attributes": {"choices": ["balanced", 1.0]}},
    }


def test_a_search_without_bounds_is_refused() -> None:
    class Endless(BaseModel):
        steps: Whole = Field(10, ge=1, json_schema_extra={"search": {}})

    with pytest.raises(Malformed, match="'steps' has no bounds to search between"):
        search_space(Endless)


def test_credit_scoring_is_searched_within_its_rules() -> None:
    space = CreditScoringModel.search_space()

    assert set(space) == {"batch_size", "dropout_rate", "learning_rate", "weight_decay"}
    for name, distribution in space.items():
        for bound in ("low", "high"):
            check(CreditScoringModel.HYPERPARAMETERS, name, distribution["attributes"][bound])


class Solver(Enum):
    """How it is solved."""

    EXACT = "exact"
    FAST = "fast"


class Ordinary(BaseModel):
    """What data scientists write for other purposes too."""

    rate: float = Field(0.1, alias="learning_rate", le=1, json_schema_extra={"search": {"low": 0.01, "high": 1.0}})
    low: int = 1
    high: int = 3
    betas: tuple[float, float] = (0.9, 0.99)
    solver: Solver = Field(Solver.EXACT, json_schema_extra={"search": {}})
    folds: int
    bound: float = math.inf
    odd: int = 1

    @field_validator("odd")
    @classmethod
    def is_odd(cls, odd: int) -> int:
        if odd % 2 == 0:
            raise ValueError("even numbers draw")
        return odd

    @model_validator(mode="after")
    def in_order(self) -> Ordinary:
        if self.low > self.high:
            raise ValueError("low is above high")
        return self


class OfOrdinary(Model):
    HYPERPARAMETERS = Ordinary

    def train(self, data: object, labels: object, **more: object) -> OfOrdinary:  # type: ignore[override]
        return self

    def predict(self, data: object) -> object:  # type: ignore[override]
        return data


def test_defaults_are_json_and_a_required_field_has_none() -> None:
    assert OfOrdinary().hyperparameters == {
        "rate": 0.1, "low": 1, "high": 3, "betas": [0.9, 0.99], "solver": "exact", "bound": math.inf, "odd": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("rate", 0.5, 0.5),
        ("betas", (0.8, 1), [0.8, 1]),
        ("solver", Solver.FAST, "fast"),
        ("solver", "fast", "fast"),
        ("folds", 4, 4),
        ("low", 5, 5),
        ("odd", 3, 3),
    ],
)
def test_a_field_with_an_alias_a_tuple_an_enum_or_no_default_takes_its_values(
    name: str, value: Any, kept: object
) -> None:
    assert OfOrdinary().add_hyperparameter(name, value).hyperparameters[name] == kept


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("rate", 5.0, "'rate' must be a number of at most 1, not 5.0"),
        ("betas", [0.9], "'betas' must be a list of 2: a number, a number, not [0.9]"),
        ("solver", "slow", "'solver' must be one of 'exact', 'fast', not 'slow'"),
        ("folds", "many", "'folds' must be a whole number, not 'many'"),
        ("odd", 2, "'odd' cannot be 2: even numbers draw; give another value"),
    ],
)
def test_what_such_a_field_does_not_take_is_refused_in_its_words(name: str, value: Any, words: str) -> None:
    with pytest.raises(Malformed) as refusal:
        OfOrdinary().add_hyperparameter(name, value)

    assert f"hyperparameter {words}" in str(refusal.value)


def test_values_are_held_against_each_other_as_a_training_starts(home: Path) -> None:
    manager, model = ModelManager(home, actor="ada"), OfOrdinary()
    with pytest.raises(Malformed, match="hyperparameter 'folds' has no value; set it before training"):
        manager.train(model, [[1.0]], [1.0])

    model.add_hyperparameter("folds", 5).add_hyperparameter("low", 5)
    with pytest.raises(Malformed, match="do not go together: low is above high; change one"):
        manager.train(model, [[1.0]], [1.0])

    model.add_hyperparameter("high", 10).check_hyperparameters()


def test_fields_with_aliases_and_enums_are_searched_by_name_and_value() -> None:
    assert {name: each["attributes"] for name, each in OfOrdinary.search_space().items()} == {
        "rate": {"low": 0.01, "high": 1.0, "log": False},
        "solver": {"choices": ["exact", "fast"]},
    }


def test_types_that_only_a_function_knows_are_fields_as_any() -> None:
    class Shade(Enum):
        DARK = "dark"

    class Local(BaseModel):
        shade: Shade = Shade.DARK

    with pytest.raises(Malformed, match="'shade' must be"):
        check(Local, "shade", "light")
    check(Local, "shade", "dark")
