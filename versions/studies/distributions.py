"""Optuna's distributions as events have them: a kind with its bounds, or choices in order."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from json import dumps, loads
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from ...errors import Malformed


def told_distribution(distribution: BaseDistribution) -> dict[str, Any]:
    """A distribution as an event has it."""
    match distribution:
        case FloatDistribution() | IntDistribution():
            kind = "float" if isinstance(distribution, FloatDistribution) else "int"
            bounds = {"low": distribution.low, "high": distribution.high}
            return {"kind": kind, **bounds, "step": distribution.step, "log": distribution.log}
        case CategoricalDistribution():
            return {"kind": "categorical", "choices": list(distribution.choices)}
        case _:
            raise Malformed(f"a ledger keeps no {type(distribution).__name__}; draw from float, int or categorical")


def known_distribution(told: Mapping[str, Any]) -> BaseDistribution:
    """The distribution that an event has; equal ones are one object."""
    return _made(dumps(dict(told)))


@lru_cache(4096)
def _made(told: str) -> BaseDistribution:
    fields = loads(told)
    kind = fields.pop("kind")
    if kind == "categorical":
        return CategoricalDistribution(fields["choices"])
    return FloatDistribution(**fields) if kind == "float" else IntDistribution(**fields)
