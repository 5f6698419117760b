"""What draws a trial's hyperparameters, and what ends a trial early: Optuna's samplers and pruners by name."""

from __future__ import annotations

import itertools
import math
import random
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner, SuccessiveHalvingPruner
from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, RandomSampler, TPESampler

from ...errors import Malformed, Refused
from .names import PRUNERS, SAMPLERS
from .space import SearchSpace

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

MOST_POINTS: Final = 100_000
"""Points of a grid."""
_STRIDE: Final = 1_000_003
"""Between the seeds of two searches, so that their trials' seeds are others."""


def check_names(sampler: str, pruner: str, objectives: int, space: SearchSpace) -> None:
    """Raise `Malformed` for a sampler or pruner that is none, or that cannot do what is asked."""
    if sampler not in SAMPLERS:
        raise Malformed(f"there is no sampler {sampler!r}; there are {', '.join(SAMPLERS)}")
    if pruner not in PRUNERS:
        raise Malformed(f"there is no pruner {pruner!r}; there are {', '.join(PRUNERS)}")
    if sampler == "cmaes" and find_spec("cmaes") is None:
        raise Refused("cmaes needs the extra: pip install 'lepton-ai-sdk[search]'")
    if objectives > 1 and sampler == "cmaes":
        raise Malformed("cmaes searches for one metric; take tpe, gp or random for several")
    if objectives > 1 and pruner != "none":
        raise Malformed("trials are pruned by one metric; take no pruner for several")
    if sampler == "grid":
        grid_size(space)


def sampler_of(name: str, space: SearchSpace, seed: int, trial: int, *, parallel: bool) -> BaseSampler:
    """What draws the hyperparameters of one trial: by the seed, the trial's number and the trials before it alone.

    So a search that is gone on with draws what it would have drawn without a break.
    """
    own = (seed * _STRIDE + trial) % 2**32
    match name:
        case "random":
            return RandomSampler(seed=own)
        case "grid":
            return GridOrder(space, seed, trial)
        case "gp":
            return GPSampler(seed=own)
        case "cmaes":
            return CmaEsSampler(seed=own, warn_independent_sampling=False)
        case _:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)  # of `group`, which conditions need
                conditional = any(each.when for each in space.parameters)
                return TPESampler(seed=own, constant_liar=parallel, group=conditional)


def pruner_of(name: str) -> BasePruner:
    """What ends trials that fall behind."""
    match name:
        case "median":
            return MedianPruner(n_startup_trials=4)
        case "hyperband":
            return HyperbandPruner()
        case "asha":
            return SuccessiveHalvingPruner()
        case _:
            return NopPruner()


def grid_size(space: SearchSpace) -> int:
    """How many points a space has on a grid. Raises `Malformed` where it has none, or too many."""
    if given := [each.name for each in space.parameters if each.when]:
        raise Malformed(f"a grid has no conditions; {given[0]!r} has one: take another sampler, or search it always")
    size = math.prod(len(_points(each.name, each.distribution)) for each in space.parameters)
    if size > MOST_POINTS:
        raise Malformed(f"the grid has {size:,} points of {MOST_POINTS:,}; give larger steps, or take another sampler")
    return size


class GridOrder(BaseSampler):
    """The points of a grid in an order that the seed makes: a trial's number is its place."""

    def __init__(self, space: SearchSpace, seed: int, trial: int) -> None:
        names = [each.name for each in space.parameters]
        points = [*itertools.product(*(_points(each.name, each.distribution) for each in space.parameters))]
        random.Random(seed).shuffle(points)  # noqa: S311 - no secret
        self._point = dict(zip(names, points[trial % len(points)], strict=True))

    def infer_relative_search_space(
        self,
        study: Study,  # noqa: ARG002 - Optuna's signature
        trial: FrozenTrial,  # noqa: ARG002
    ) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(
        self,
        study: Study,  # noqa: ARG002
        trial: FrozenTrial,  # noqa: ARG002
        search_space: dict[str, BaseDistribution],  # noqa: ARG002
    ) -> dict[str, Any]:
        return {}

    def sample_independent(
        self,
        study: Study,  # noqa: ARG002
        trial: FrozenTrial,  # noqa: ARG002
        param_name: str,
        param_distribution: BaseDistribution,  # noqa: ARG002
    ) -> Any:
        return self._point[param_name]


def _points(name: str, distribution: BaseDistribution) -> Sequence[Any]:
    match distribution:
        case CategoricalDistribution(choices=choices):
            return choices
        case IntDistribution(low=low, high=high, step=step, log=False):
            return range(low, high + 1, step)
        case FloatDistribution(low=low, high=high, step=float() as step):
            return [low + step * place for place in range(math.floor((high - low) / step + 1e-9) + 1)]
        case _:
            raise Malformed(f"a grid has no points of {name!r}; give it a step, or choices")
