"""Models ready to train, and the way to make your own classes known to Lepton.

It imports datasets, evaluation, tensors, results, plain and errors; never the ledger. Begin at `model.py`, then
`credit/model.py`; `state.py` is where torch meets tensors.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..building.images.model import ImageModel
    from ..building.series.model import SeriesModel
    from ..building.tables.model import TableModel
    from ..building.text.model import TextModel
    from .card import LibraryCard
    from .credit.model import CreditScoringModel
    from .model import Model
    from .registry import register

__all__ = [
    "CreditScoringModel", "ImageModel", "LibraryCard", "Model", "SeriesModel", "TableModel", "TextModel", "register",
]  # fmt: skip

_HOMES = {
    "CreditScoringModel": ".credit.model",
    "ImageModel": "..building.images.model",
    "LibraryCard": ".card",
    "Model": ".model",
    "SeriesModel": "..building.series.model",
    "TableModel": "..building.tables.model",
    "TextModel": "..building.text.model",
    "register": ".registry",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name], __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
