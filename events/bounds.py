"""How large the numbers and times of new events may be: what every column that keeps them holds."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final, cast

from pydantic import (
    AfterValidator,
    AwareDatetime,
    Field,
    FiniteFloat,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from ..plain import FREE

STORED: Final = "stored"
"""The validation context of events that stand in the log: what was admitted before a bound existed is still read."""

SMALL: Final = 2**31 - 1
"""The largest INTEGER of SQL, which keeps positions in streams, formats and attempts."""
LARGE: Final = 2**63 - 1
"""The largest BIGINT of SQL and DuckDB."""
SIGNED: Final = (-(2**63), LARGE)
"""The whole numbers that a BIGINT holds."""
OUT_OF_BOUNDS: Final = ("too_large", "too_small")
"""What pydantic calls the errors of values outside their bounds."""
LONGEST: Final = 2.0**31
"""The longest time that a job may be given, in seconds: 68 years."""


@dataclass(frozen=True, slots=True)
class Within:
    """The least and the greatest value that a new event may hold; one that is stored already is read whatever it is."""

    least: float | None
    greatest: float

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        least = {} if self.least is None else {"minimum": self.least}
        return {**handler(schema), **least, "maximum": self.greatest}

    def _checked(self, value: float, info: ValidationInfo) -> float:
        if info.context != STORED:
            check_within(value, self.least, self.greatest)
        return value


def check_within(value: float, least: float | None, greatest: float) -> None:
    """Raise what pydantic reports where a value lies outside its bounds; it is not quoted, for it may be very long."""
    if value > greatest:
        raise PydanticCustomError("too_large", "it is above {most}, the most that is kept", {"most": greatest})
    if least is not None and value < least:
        raise PydanticCustomError("too_small", "it is below {least}, the least that is kept", {"least": least})


def _utc(value: datetime, info: ValidationInfo) -> datetime:
    """A new event's time in UTC, which every reader can hold; near the ends of the calendar other zones cannot."""
    if info.context == STORED:
        return value
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("time", "it lies before the year 1 or behind the year 9999 in UTC") from None


def _free(value: Any, info: ValidationInfo) -> Any:
    if info.context != STORED:
        check_free(value)
    return value


def check_free(value: Any) -> None:
    """Raise what pydantic reports where free JSON holds, at any depth, a whole number of more than 64 bits."""
    if isinstance(value, int):
        check_within(value, *FREE)
    elif isinstance(value, dict):
        for each in cast("dict[str, Any]", value).values():
            check_free(each)
    elif isinstance(value, list | tuple):
        for each in cast("list[Any]", value):
            check_free(each)


Small = Annotated[int, Field(ge=0), Within(None, SMALL)]
Count = Annotated[int, Field(ge=0), Within(None, LARGE)]
Finite = Annotated[FiniteFloat, Field(ge=-sys.float_info.max, le=sys.float_info.max)]
"""A number that is neither NaN nor infinite."""
Ordinal = Annotated[int, Field(ge=1), Within(None, LARGE)]
SmallOrdinal = Annotated[int, Field(ge=1), Within(None, SMALL)]
Step = Annotated[int, Within(*SIGNED)]
Seconds = Annotated[float, Field(gt=0), Within(None, LONGEST)]
Moment = Annotated[AwareDatetime, AfterValidator(_utc)]
Free = AfterValidator(_free)
Whole = Annotated[int, WithJsonSchema({"type": "integer", "minimum": FREE[0], "maximum": FREE[1]})]
"""One of several kinds that a value may be; `Free` around them holds the bound, for a union would make it a float."""
