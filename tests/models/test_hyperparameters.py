"""A pydantic model's fields as the rules of hyperparameters, in words, and as the ranges to search."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from lepton_ai.errors import Malformed
from lepton_ai.models import CreditScoringModel
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
