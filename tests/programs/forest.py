"""A user's own class with a card, registered for as long as a test needs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import BaseModel, Field

from lepton_ai.models import LibraryCard, Model, register, registry
from lepton_ai.models.registry import own_classes

CARD = LibraryCard(
    reads="rows of numbers",
    sources={"Breiman 2001": "https://doi.org/10.1023/A:1010933404324"},
    packages=("not_there_at_all",),
)


class ForestHyperparameters(BaseModel):
    depth: int = Field(3, ge=1, le=9, json_schema_extra={"search": {}})
    rate: float


class Forest(Model):
    HYPERPARAMETERS = ForestHyperparameters
    TASK = "binary"
    CARD = CARD

    def train(self, data: Any, labels: Any, *, validation: Any = None, on_epoch: Any = None) -> Forest:
        raise NotImplementedError

    def predict(self, data: Any) -> Any:
        raise NotImplementedError


@contextmanager
def registered_forest() -> Iterator[type[Model]]:
    """The class under its name `own/forest`, and no other but Lepton's own."""
    others = own_classes()
    for name in others:
        del registry._classes[name]
    try:
        yield register("own/forest")(Forest)
    finally:
        del registry._classes["own/forest"]
        registry._classes.update(others)
