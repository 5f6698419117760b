"""A user's own class with a card, registered for as long as a test needs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydantic import BaseModel, Field

from lepton_ai.models import LibraryCard, Model, register, registry

CARD = LibraryCard(
    reads="rows of numbers",
    sources={"Breiman 2001": "https://doi.org/10.1023/A:1010933404324"},
    packages=("not_there_at_all",),
)


class ForestHyperparameters(BaseModel):
    depth: int = Field(3, ge=1, le=9, json_schema_extra={"search": {}})
    rate: float


@contextmanager
def registered_forest(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Model]]:
    """The class under its name `own/forest`."""
    with monkeypatch.context() as patch:
        patch.setattr(registry, "_classes", dict(registry._classes))

        @register("own/forest")
        class Forest(Model):
            HYPERPARAMETERS = ForestHyperparameters
            TASK = "binary"
            CARD = CARD

            def train(self, data: Any, labels: Any, *, validation: Any = None, on_epoch: Any = None) -> Forest:
                raise NotImplementedError

            def predict(self, data: Any) -> Any:
                raise NotImplementedError

        yield Forest
