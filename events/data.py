"""The events of one named data set: which rows its name stands for."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from .bounds import Count, Ordinal
from .event import Digest, Event, Fingerprint, Json, Sealed, unsaid


class DataNamed(Event):
    """Rows were given a name, of which they are the first version, the next, or the same in another place."""

    free_text: ClassVar = ("source", "message")
    type: Literal["lepton.data.named.v1"] = "lepton.data.named.v1"
    version: Ordinal = Field(description="which rows the name stands for, counted from 1; other rows are the next")
    data: Fingerprint
    label: str | None = Field(default=None, exclude_if=unsaid, description="the column that holds the labels")
    selection: Json = Field(
        default={}, description="types, drop, columns: what the rows are read by, where it was said"
    )
    profile: Json = Field(
        default={}, description="counts, rounded quantiles and common levels a column; never the value of one row"
    )
    source: Sealed = Field(
        default="", exclude_if=unsaid, description="where the rows lie, where they are not kept; sealed in the log"
    )
    kept: Digest | None = Field(
        default=None, exclude_if=unsaid, description="manifest of the one tensor whose bytes are the rows as Parquet"
    )
    bytes: Count = Field(default=0, exclude_if=unsaid, description="what is kept of them, as Parquet")
    message: Sealed = Field(default="", exclude_if=unsaid, description="what the rows are for, sealed")
