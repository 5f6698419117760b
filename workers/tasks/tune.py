"""Tune: a search whose trials are jobs. It needs the ledger, so it is no worker's: who gives jobs out runs it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from ...domain.job.kinds import SEARCH, BranchName, Directions, LabelledRows, declare
from ...events.event import Hyperparameters


class Tune(LabelledRows):
    """What a search is asked with."""

    kind: Literal["tune"] = SEARCH
    model_class: Annotated[str, Field(alias="class")]
    study: str = ""
    """The study's name; the model's where it is left out."""
    metric: tuple[str, ...] = ()
    better: Directions = {}
    trials: Annotated[int, Field(ge=1)] | None = None
    budget: Annotated[float, Field(gt=0)] | None = None
    """Seconds after which no trial begins."""
    workers: Annotated[int, Field(ge=1)] = 1
    """Trials at a time."""
    space: dict[str, Any] | None = None
    hyperparameters: Hyperparameters = {}
    sampler: str = "tpe"
    pruner: str = "none"
    seed: Annotated[int, Field(ge=0)] = 0
    warm: Annotated[int, Field(ge=0)] = 0
    keep: Annotated[int, Field(ge=0)] = 1
    branch: BranchName = "main"
    limits: dict[str, Any] = {}
    """Of its trials: pool, needs, memory, seconds, retries."""


declare(Tune)
