"""How candidates are judged: what labels ask, and by which folds; whoever only asks for it reads it without torch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..plan import PredictedTask

MOST_FOLDS = 20


class FoldPlan(BaseModel):
    """What is predicted, and the folds by which it is judged."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    task: PredictedTask | Literal["auto"] = "auto"
    positive_label: int | float | str | None = None
    count: Annotated[int, Field(ge=1, le=MOST_FOLDS)] = 5
    """How many; 1 is a fifth of the rows held out once."""
    groups: str | None = None
    """A column whose values are held out whole and which is not learnt."""
    time: str | None = None
    """A column by which rows are judged by earlier ones, and which is not learnt."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0


def usual_folds(rows: int) -> int:
    """How many folds so many rows are judged by: the more rows, the less another fold tells."""
    return 5 if rows <= 10_000 else 3 if rows <= 100_000 else 1
