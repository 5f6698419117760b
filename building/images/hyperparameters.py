"""What may be chosen of a model of pictures; whoever only asks for a training reads it without torch."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from pydantic import Field

from ...models.hyperparameter import Whole
from ..plan import SplitPlan, SupervisedHyperparameters

Augment: TypeAlias = Literal["none", "shift", "flip"]
FAMILIES: Final = ("cnn", "resnet", "vit")


class ImageHyperparameters(SupervisedHyperparameters):
    """What a user may choose of a model of pictures, and how it is searched."""

    augment: Augment = Field("shift", json_schema_extra={"search": {}})
    batch_size: Whole = Field(64, ge=1, json_schema_extra={"search": {"low": 16, "high": 256, "log": True}})
    blocks: Whole = Field(3, ge=1, le=24, json_schema_extra={"search": {"low": 2, "high": 6}})
    dropout_rate: float = Field(0.1, ge=0, le=0.95, json_schema_extra={"search": {"high": 0.5}})
    family: str = Field(
        "cnn", pattern=r"^(cnn|resnet|vit|timm:[\w.]+)$", description="cnn, resnet, vit or timm:NAME",
        json_schema_extra={"search": {"choices": [*FAMILIES]}},
    )  # fmt: skip
    pretrained: bool = Field(False, description="true for the published weights of timm:NAME, or false")
    width: Whole = Field(32, ge=8, le=1_024, json_schema_extra={"search": {"low": 16, "high": 128, "log": True}})


class SegmentationHyperparameters(SplitPlan):
    """What a user may choose of a model of masks, and how it is searched."""

    augment: Augment = Field("flip", json_schema_extra={"search": {}})
    batch_size: Whole = Field(16, ge=1, json_schema_extra={"search": {"low": 4, "high": 64, "log": True}})
    blocks: Whole = Field(3, ge=1, le=6, json_schema_extra={"search": {"low": 2, "high": 5}})
    dropout_rate: float = Field(0.1, ge=0, le=0.95, json_schema_extra={"search": {"high": 0.5}})
    width: Whole = Field(16, ge=4, le=256, json_schema_extra={"search": {"low": 8, "high": 64, "log": True}})
