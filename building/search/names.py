"""The names of samplers and pruners, for whoever needs no Optuna to list them."""

from __future__ import annotations

from typing import Final, Literal

SamplerName = Literal["tpe", "random", "grid", "gp", "cmaes"]
PrunerName = Literal["none", "median", "hyperband", "asha"]
SAMPLERS: Final[tuple[SamplerName, ...]] = ("tpe", "random", "grid", "gp", "cmaes")
PRUNERS: Final[tuple[PrunerName, ...]] = ("none", "median", "hyperband", "asha")
