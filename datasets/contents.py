"""The contents of a table of rows at a glance: how many rows, and what each of its columns seems to hold."""
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false
# (pyarrow ships no types)

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ..errors import Malformed
from .types import guessed, is_date, is_text


def contents(table: Any, *, guess: bool) -> tuple[int, list[dict[str, str]]]:
    """The number of rows, and each column by name and type: number, text, date, else its Arrow type.

    `guess` is for texts, whose types are what they would be read as.
    """
    types = [_seeming(name, table.column(place), guess=guess) for place, name in enumerate(table.column_names)]
    return table.num_rows, [{"name": name, "type": kind} for name, kind in zip(table.column_names, types, strict=True)]


def _seeming(name: str, column: Any, *, guess: bool) -> str:
    import pyarrow as pa

    kind = column.type
    if guess:
        with suppress(Malformed):  # whoever reads it must say what it is
            kind = guessed(name, column.combine_chunks()).type
    types = pa.types
    numbers = (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal, types.is_null)
    if any(of(kind) for of in numbers):
        return "number"
    return "text" if is_text(kind) else "date" if is_date(kind) else str(kind)
