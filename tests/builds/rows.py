"""Small tables with a question each, quick to fit and clear in their answer."""

from __future__ import annotations

from typing import Any

import numpy as np


def applicants(rows: int = 240, seed: int = 0) -> dict[str, Any]:
    """Two classes in a column `default`, told by a line through two of the columns and by a category."""
    rng = np.random.default_rng(seed)
    income, debt = rng.normal(size=rows), rng.normal(size=rows)
    housing = rng.choice(["own", "rent", "free"], rows)
    risk = debt - income + (housing == "rent") + 0.7 * rng.normal(size=rows)
    gaps = np.where(rng.random(rows) < 0.05, np.nan, income)
    return {"income": gaps, "debt": debt, "housing": housing.tolist(), "default": (risk > 0.6).astype(int)}


def houses(rows: int = 200, seed: int = 0) -> dict[str, Any]:
    """A number in a column `price`, told by a bend that no line follows."""
    rng = np.random.default_rng(seed)
    area, age = rng.uniform(20, 200, rows), rng.uniform(0, 80, rows)
    price = 3 * area + 40 * np.sin(age / 8) + rng.normal(size=rows)
    return {"area": area, "age": age, "price": price}


def flowers(rows: int = 150, seed: int = 0) -> dict[str, Any]:
    """Three classes that are text in a column `kind`."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 3, rows)
    petal = kind + 0.4 * rng.normal(size=rows)
    return {"petal": petal, "sepal": rng.normal(size=rows), "kind": [("setosa", "virginica", "iris")[k] for k in kind]}


def without(table: dict[str, Any], label: str) -> tuple[dict[str, Any], Any]:
    """The columns to learn from, and the labels."""
    return {name: values for name, values in table.items() if name != label}, table[label]
