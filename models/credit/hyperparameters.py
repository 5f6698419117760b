"""What may be chosen of a credit scoring model; whoever only asks for a training reads it without torch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from ..hyperparameter import Whole


class CreditScoringHyperparameters(BaseModel):
    """What a user may choose of a credit scoring model, and how it is searched."""

    batch_size: Whole = Field(128, ge=1, json_schema_extra={"search": {"low": 32, "high": 512, "log": True}})
    device: str = Field("auto", min_length=1, description="'auto' or a torch device such as 'cpu' or 'cuda:0'")
    dropout_rate: float = Field(0.2, ge=0, le=0.95, json_schema_extra={"search": {"high": 0.6}})
    epochs: Whole = Field(200, ge=1)
    hidden: list[Annotated[int, Field(ge=1, le=65_536)]] = Field(
        [32], description="a list of whole numbers from 1 to 65536"
    )
    learning_rate: float = Field(
        0.005, ge=1e-7, le=1, json_schema_extra={"search": {"low": 1e-4, "high": 0.1, "log": True}}
    )
    max_levels: int = Field(32, ge=1, le=65_536)
    members: int = Field(8, ge=1, le=1024)
    patience: Whole = Field(15, ge=1)
    positive_label: float | str | None = Field(None, description="a number, a text or None")
    positive_weight: Annotated[float, Field(ge=0.001, le=1000)] | Literal["balanced"] = 1.0
    seed: Whole = Field(0, ge=0)
    threshold: Annotated[float, Field(ge=0, le=1)] | None = None
    weight_decay: float = Field(0.01, ge=0, le=100, json_schema_extra={"search": {"low": 1e-5, "high": 1, "log": True}})
