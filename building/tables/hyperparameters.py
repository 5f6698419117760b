"""What may be chosen of a model of tables; whoever only asks for a training reads it without torch."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias, get_args

from pydantic import Field, model_validator

from ...models.hyperparameter import Whole
from ..plan import SupervisedHyperparameters

Family: TypeAlias = Literal["mlp", "resnet", "ft-transformer", "tabm"]


class TableHyperparameters(SupervisedHyperparameters):
    """What a user may choose of a model of tables, and how it is searched."""

    blocks: Whole = Field(2, ge=1, le=64, json_schema_extra={"search": {"low": 1, "high": 6}})
    dropout_rate: float = Field(0.1, ge=0, le=0.95, json_schema_extra={"search": {"high": 0.5}})
    epochs: Whole = Field(1_000, ge=1)
    family: Family = Field("tabm", json_schema_extra={"search": {"choices": [*get_args(Family)]}})
    max_levels: int = Field(64, ge=1, le=65_536)
    members: int = Field(16, ge=1, le=1024, description="nets side by side in tabm; a whole number from 1 to 1024")
    rows_at_once: Annotated[Whole, Field(ge=1)] | None = Field(
        None, description="rows of a Parquet file that are in memory at once, or None for all"
    )
    width: Whole = Field(128, ge=8, le=8_192, json_schema_extra={"search": {"low": 32, "high": 512, "log": True}})

    @model_validator(mode="after")
    def _one_process(self) -> Self:
        if self.rows_at_once is not None and (self.processes > 1 or self.sharded):
            raise ValueError("rows_at_once is for one process; leave devices, nodes and sharded out")
        return self
