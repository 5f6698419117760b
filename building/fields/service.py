"""Customer service: what somebody wants, and how they feel about it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel

from ...models.registry import register
from ..text.model import TextModel
from .hyperparameters import IntentHyperparameters, SentimentHyperparameters


@register("intent-model")
class IntentModel(TextModel):
    """Predicts what somebody wants by a text, or by the last turns of a dialogue."""

    HYPERPARAMETERS: ClassVar[type[BaseModel]] = IntentHyperparameters


@register("sentiment-model")
class SentimentModel(TextModel):
    """Predicts how somebody feels by a text."""

    HYPERPARAMETERS: ClassVar[type[BaseModel]] = SentimentHyperparameters
