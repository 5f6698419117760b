"""How requests say which columns of rows that were sent hold what a model predicted elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from ...datasets.selection import selection
from ...versions.judging.predicted import PredictedColumns, predicted
from .rows_asked import Names, Reported, Value, uploaded

if TYPE_CHECKING:
    from ..caller import Caller

_COLUMNS = ("predictions", "labels", "probabilities", "data")


class PredictionsAsked(Reported):
    """Predictions that were made elsewhere, as columns of rows that were sent."""

    rows: str = Field(description="The id of rows that were sent (`POST /rows`).")
    predictions: str | Names
    labels: str | Names
    probabilities: str | Names | None = Field(None, description="A column, or one a class in the order of `classes`.")
    classes: list[Value] | None = None
    data: bool | Names | None = Field(None, description="The columns of the rows themselves; true: all others.")
    types: dict[str, str] | None = None
    name: str | None = None
    task: str | None = None
    better: dict[str, str] | None = None


def predictions_in(call: Caller, asked: PredictionsAsked) -> dict[str, Any]:
    """What `evaluate_predictions` takes."""
    columns = PredictedColumns(**{name: value for name in _COLUMNS if (value := getattr(asked, name)) is not None})
    rest = asked.given("rows", "types", *_COLUMNS)
    return predicted(uploaded(call, asked.rows), columns, selection(asked.types), rest)
