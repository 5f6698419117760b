"""How far the views are, and how many events they cannot hold, without bringing them up to date."""

# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from ...errors import LeptonError, Unavailable
from ..projector import Projection
from ..schema import schema
from .client import Question, ReadModel
from .query import query

_SQL: Final = """
    SELECT
        (SELECT coalesce(max(seq), 0) FROM store.position) AS events,
        (SELECT count(*) FROM unprojected) AS unprojected
"""


class Standing(NamedTuple):
    """The last event that the views hold, and how many events they set aside; see the view `unprojected`."""

    events: int
    unprojected: int


def standing_of(read_model: ReadModel) -> Standing | None:
    """As a projector that runs beside us says; None where it does not answer in time."""
    try:
        (row,) = read_model.sql(Question(_SQL, timeout=5.0), wait_for=0).to_pylist()
    except Unavailable:
        return None
    return Standing(**row)


def standing_in(folder: Path, ledger: str, opened: Callable[[], Projection]) -> Standing | None:
    """As the file in `folder` says; None where there is none yet, or another process holds it, or it is damaged."""
    if not (folder / f"{ledger}-{schema().fingerprint}.duckdb").is_file():
        return None
    try:
        with opened() as projection:
            (row,) = query(projection, _SQL, timeout=5.0).to_pylist()
    except LeptonError:
        return None
    return Standing(**row)
