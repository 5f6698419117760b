"""How requests say on which rows: named data, or rows that were sent before; never a file or an address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from ...domain.names import DATA_PREFIX, checked_data
from ...errors import Malformed

if TYPE_CHECKING:
    from ..caller import Caller

Value = str | float | int | bool | None
"""What a row has in a column."""
Names = list[str]


class RequestBody(BaseModel):
    """The body of a request: what it does not name is left to the SDK."""

    model_config = ConfigDict(extra="forbid", strict=True)

    def given(self, *without: str) -> dict[str, Any]:
        """What was said, by the SDK's names, but for some fields."""
        told = {name: getattr(self, name) for name in type(self).model_fields if name not in without}
        return {name: value for name, value in told.items() if value is not None}


class RowsAsked(RequestBody):
    """Rows to judge on, and their labels."""

    data: str | None = Field(None, description="Named data, `NAME` or `NAME@2`.")
    rows: str | None = Field(None, description="The id of rows that were sent (`POST /rows`).")
    labels: str | None = Field(None, description="The column of the labels; named data may know theirs.")


class Chosen(RequestBody):
    """Which columns are learnt from, and what they hold, where a version recorded nothing."""

    types: dict[str, str] | None = Field(None, description="number, text or date, by column.")
    drop: Names | None = None
    columns: Names | None = None


class Sampled(RequestBody):
    """How rows depend on each other, and how sure a test or an interval is."""

    groups: str | list[Value] | None = Field(None, description="A column, or values, one a row.")
    block: int | None = None
    stratified: bool | None = None
    draws: int | None = None
    level: float | None = None
    seed: int | None = None


class Reported(Sampled):
    """What a report is asked with."""

    slices: bool | Names | dict[str, list[Value]] | None = None
    sensitive: Names | dict[str, list[Value]] | None = None
    costs: dict[str, float] | None = None
    cost_matrix: dict[str, dict[str, float]] | None = None
    metrics: Names | None = None
    outputs: str | None = None
    keep_outcomes: bool | None = None


ROWS: Final = ("data", "rows", "labels")
"""The fields of `RowsAsked`, which `rows_in` reads."""


def rows_in(call: Caller, asked: RowsAsked) -> tuple[Any, str | None]:
    """Data and labels as the SDK takes them. Raises `Malformed` without any, `UnknownRevision` on what is not there."""
    if (asked.data is None) == (asked.rows is None):
        raise Malformed('nothing, or two things, say which rows; give one of "data", a name, and "rows", an id')
    if asked.data is not None:
        return named(asked.data), asked.labels
    if asked.labels is None:
        raise Malformed('nothing says which column of the rows holds the labels; name it as "labels"')
    return uploaded(call, str(asked.rows)), asked.labels


def rows_if_any(call: Caller, asked: RowsAsked) -> dict[str, Any]:
    """As `rows_in` by the SDK's names; nothing where the request has no rows."""
    if asked.data is None and asked.rows is None and asked.labels is None:
        return {}
    data, labels = rows_in(call, asked)
    return {"data": data, "labels": labels}


def named(words: str) -> str:
    """Named data as the SDK takes it: by a name that no file is taken for. Raises `Malformed` on what is no name."""
    checked_data(words.removeprefix(DATA_PREFIX).partition("@")[0])
    return DATA_PREFIX + words.removeprefix(DATA_PREFIX)


def uploaded(call: Caller, name: str) -> Any:
    """Rows that the caller sent. Raises `UnknownRevision`, also where they are another's."""
    return call.service.uploads.file(name, call.visitor.actor)
