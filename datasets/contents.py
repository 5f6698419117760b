"""The contents of a file of rows at a glance: how many rows, and what each of its columns seems to hold."""
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false
# (pyarrow ships no types)

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ..errors import Malformed
from .read import SEPARATORS, as_it_stands, kind_of
from .types import guessed, is_date, is_text


def contents(path: str) -> tuple[int, list[dict[str, str]]]:
    """The number of rows, and each column by name and type: number, text, date, else its Arrow type.

    All of the file is read and checked. Raises what `read.labelled` does.
    """
    table, is_delimited = as_it_stands(path), kind_of(path) in SEPARATORS
    types = [_seeming(name, table.column(place), guess=is_delimited) for place, name in enumerate(table.column_names)]
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
