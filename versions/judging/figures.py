"""Figures as answers tell them: by name, and the rows that each was measured on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...domain.model.figures import Figure, Rows


def told_rows(rows: Rows | None) -> dict[str, Any] | None:
    """Rows by their digest and number, as a fingerprint has them."""
    return None if rows is None else {"digest": rows.digest, "rows": rows.size}


def values(figures: Mapping[str, Figure]) -> dict[str, float]:
    """The figures by name."""
    return {name: figure.value for name, figure in figures.items()}


def rows_by_name(figures: Mapping[str, Figure]) -> dict[str, Any]:
    """The rows of each figure that are known, by the figure's name."""
    return {name: told_rows(figure.rows) for name, figure in figures.items() if figure.rows is not None}
