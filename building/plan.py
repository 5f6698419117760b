"""How a training goes: hyperparameters that the models of all families share."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator

from ..models.hyperparameter import Whole

Precision = Literal["auto", "float32", "bfloat16", "float16"]
RateSchedule = Literal["constant", "linear", "cosine"]
PredictedTask = Literal["binary", "multiclass", "regression"]


class TrainingPlan(BaseModel):
    """How long, how hard and on what to learn."""

    accumulate: Whole = Field(1, ge=1, description="batches whose gradients make one step; a whole number from 1")
    batch_size: Whole = Field(128, ge=1, json_schema_extra={"search": {"low": 16, "high": 512, "log": True}})
    clip: Annotated[float, Field(gt=0)] | None = Field(1.0, description="the longest gradient, above 0, or None")
    compiled: bool = Field(False, description="true for kernels that torch.compile makes of the net, or false")
    device: str = Field("auto", min_length=1, description="'auto' or a torch device such as 'cpu' or 'cuda:0'")
    devices: Whole = Field(1, ge=1, le=64, description="processes that learn together, on CUDA each on its own device")
    epochs: Whole = Field(100, ge=1)
    held_out: float = Field(0.2, gt=0, lt=0.9, description="the share of rows that stop the fit, where none are given")
    learning_rate: float = Field(
        0.001, ge=1e-7, le=1, json_schema_extra={"search": {"low": 1e-5, "high": 0.01, "log": True}}
    )
    nodes: Whole = Field(1, ge=1, le=64, description="machines of a Ray cluster, each with so many 'devices'")
    patience: Whole = Field(16, ge=1)
    precision: Precision = "auto"
    schedule: RateSchedule = "constant"
    sharded: bool = Field(False, description="true for parameters in parts, one on each device (FSDP2), or false")
    seed: Whole = Field(0, ge=0)
    warmup: float = Field(0.0, ge=0, le=0.9, description="the share of all steps in which the learning rate rises")
    weight_decay: float = Field(0.01, ge=0, le=100, json_schema_extra={"search": {"low": 1e-5, "high": 1, "log": True}})

    @property
    def processes(self) -> int:
        """How many learn together."""
        return self.nodes * self.devices

    def rate(self, step: int, steps: int) -> float:
        """The learning rate of a step, from 0, of all steps: warmed up linearly, then as `schedule` says."""
        rising = round(self.warmup * steps)
        if step < rising:
            return self.learning_rate * (step + 1) / rising
        gone = (step - rising) / max(1, steps - rising)
        share = {"constant": 1.0, "linear": 1.0 - gone, "cosine": (1.0 + math.cos(math.pi * gone)) / 2}[self.schedule]
        return self.learning_rate * share


class SplitChoice(BaseModel):
    """What else rows are held out by than a seed."""

    split_groups: str | None = Field(
        None, min_length=1, description="a column whose values are held out whole and which is not learnt, or None"
    )
    split_time: str | None = Field(
        None,
        min_length=1,
        description="a column whose latest rows are held out and which is not learnt, or None",
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.split_groups is not None and self.split_time is not None:
            raise ValueError("split_groups and split_time exclude each other; set one of them")
        return self


class LabelChoice(BaseModel):
    """What labels mean."""

    class_weight: Literal["balanced"] | None = None
    positive_label: float | str | None = Field(None, description="a number, a text or None")
    task: PredictedTask | Literal["auto"] = "auto"
    threshold: Annotated[float, Field(ge=0, le=1)] | None = None


class SplitPlan(SplitChoice, TrainingPlan):
    """How long and how hard, and what else rows are held out by than a seed."""


class SupervisedHyperparameters(LabelChoice, SplitPlan):
    """What a user may choose of any model that learns from labelled examples."""
