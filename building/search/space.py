"""A space of hyperparameters: what each is drawn from, and under which conditions it is drawn at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final, Protocol, cast

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from pydantic import BaseModel

from ...errors import Malformed
from ...models.hyperparameter import check, schemas, search_space
from ...plain import plain

MOST: Final = 100
"""Hyperparameters of a space."""
_FIELDS: Final = ("low", "high", "step", "log", "choices", "when")
Choices = tuple[Any, ...]


class Suggests(Protocol):
    """What of a trial draws a value."""

    def suggest_float(self, name: str, low: float, high: float, *, step: float | None, log: bool) -> float: ...
    def suggest_int(self, name: str, low: int, high: int, *, step: int, log: bool) -> int: ...
    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any: ...


@dataclass(frozen=True, slots=True)
class SearchedParameter:
    """One hyperparameter of a space."""

    name: str
    distribution: BaseDistribution
    when: Mapping[str, Choices]
    """By another hyperparameter the values of it for which this one is drawn; always, where there is none."""

    def drawn(self, trial: Suggests) -> Any:
        """A value that a trial is given."""
        match self.distribution:
            case FloatDistribution(low=low, high=high, step=step, log=log):
                return trial.suggest_float(self.name, low, high, step=step, log=log)
            case IntDistribution(low=low, high=high, step=step, log=log):
                return trial.suggest_int(self.name, low, high, step=step, log=log)
            case CategoricalDistribution(choices=choices):
                return trial.suggest_categorical(self.name, choices)
            case _:
                raise TypeError(f"nothing is drawn from {self.distribution}")


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """Hyperparameters to search, each behind those that it depends on."""

    parameters: tuple[SearchedParameter, ...]

    def drawn(self, trial: Suggests) -> dict[str, Any]:
        """What a trial tries: the hyperparameters whose conditions hold."""
        chosen: dict[str, Any] = {}
        for each in self.parameters:
            if all(chosen.get(name, _Nothing) in values for name, values in each.when.items()):
                chosen[each.name] = each.drawn(trial)
        return chosen

    def told(self) -> dict[str, Any]:
        """The space as JSON, by which another run of the same search is known."""
        return {each.name: _told(each) for each in self.parameters}

    def known(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Those of some hyperparameters that lie in the space."""
        return {
            each.name: values[each.name]
            for each in self.parameters
            if each.name in values and _holds(each.distribution, values[each.name])
        }


class _Nothing:
    """The value of a hyperparameter that is not drawn."""


def space_of(fields: type[BaseModel], given: Mapping[str, Any] | None, fixed: Mapping[str, Any]) -> SearchSpace:
    """The space of a model's hyperparameters: what its fields say, or what is given; without those that are `fixed`.

    Given is by name a mapping (low, high, step, log, or choices; when), a list of choices, or true for what the field
    says. Raises `Malformed` for a space that is empty, contradicts itself or holds what the model does not take.
    """
    own = {name: _from_field(each) for name, each in search_space(fields).items()}
    asked: dict[str, Any] = dict(own) if given is None else plain(given, "space")
    if given is not None and (both := sorted(asked.keys() & fixed.keys())):
        raise Malformed(f"hyperparameter {both[0]!r} is both fixed and searched; leave one of the two out")
    wanted = {name: each for name, each in asked.items() if name not in fixed}
    if not wanted:
        raise Malformed("the search space is empty; give at least one hyperparameter to search")
    if len(wanted) > MOST:
        raise Malformed(f"a search space has {MOST} hyperparameters at most, and this one has {len(wanted)}")
    made = {name: _parameter(fields, name, each, own) for name, each in wanted.items()}
    for each in made.values():
        _check_conditions(each, made)
    try:
        order = [*TopologicalSorter({name: [*each.when] for name, each in made.items()}).static_order()]
    except CycleError as error:
        circle = " → ".join(map(str, error.args[1]))
        raise Malformed(f"the conditions of a search space go in a circle: {circle}; leave one out") from None
    return SearchSpace(tuple(made[name] for name in order))


def _parameter(fields: type[BaseModel], name: str, given: Any, own: Mapping[str, Any]) -> SearchedParameter:
    if name not in fields.model_fields:
        raise Malformed(
            f"the model takes no hyperparameter {name!r}; it takes {', '.join(sorted(fields.model_fields))}"
        )
    if given is True:
        if name not in own:
            raise Malformed(f"nothing says between what {name!r} is searched; give its low and high, or its choices")
        given = own[name]
    told = {"choices": cast("list[Any]", given)} if isinstance(given, list) else given
    if not isinstance(told, dict):
        raise Malformed(f"{name!r} is searched by {given!r}; give a mapping with low and high, or a list of choices")
    spec = cast("dict[str, Any]", told)
    if unknown := [each for each in spec if each not in _FIELDS]:
        raise Malformed(f"the search of {name!r} has no {unknown[0]!r}; it has {', '.join(_FIELDS)}")
    when = _conditions(name, spec.get("when", {}))
    if "choices" in spec:
        return SearchedParameter(name, _categorical(fields, name, spec), when)
    return SearchedParameter(name, _numerical(fields, name, spec), when)


def _categorical(fields: type[BaseModel], name: str, spec: Mapping[str, Any]) -> CategoricalDistribution:
    if beside := [each for each in ("low", "high", "step", "log") if each in spec]:
        raise Malformed(f"the search of {name!r} has choices and {beside[0]!r} too; give one of the two")
    choices: Any = spec["choices"]
    several = cast("list[Any]", choices) if isinstance(choices, list) else []
    if not several:
        raise Malformed(f"the choices of {name!r} are {choices!r}; give a list of one or more")
    if len({f"{type(each).__name__} {each}" for each in several}) < len(several):
        raise Malformed(f"the choices of {name!r} have one of them twice; leave it out")
    for each in several:
        check(fields, name, each)
    return CategoricalDistribution(several)


def _numerical(fields: type[BaseModel], name: str, spec: Mapping[str, Any]) -> BaseDistribution:
    whole = schemas(fields)[name].get("type") == "integer"
    low, high, step, log = spec.get("low"), spec.get("high"), spec.get("step"), spec.get("log", False)
    if low is None or high is None:
        raise Malformed(f"the search of {name!r} lacks {'low' if low is None else 'high'}; give both, or choices")
    for each in (low, high, *(() if step is None else (step,))):
        if isinstance(each, bool) or not isinstance(each, int if whole else int | float):
            raise Malformed(
                f"{name!r} is searched between numbers{' without a fraction' if whole else ''}, not {each!r}"
            )
    if low > high:
        raise Malformed(f"{name!r} is searched from {low} to {high}, which is empty; give a low that is below the high")
    if not isinstance(log, bool):
        raise Malformed(f"log of {name!r} is true or false, not {log!r}")
    if log and step is not None:
        raise Malformed(f"the search of {name!r} has a log scale and a step; give one of the two")
    if log and low <= 0:
        raise Malformed(f"{name!r} is searched on a log scale from {low}; give a low above 0")
    if step is not None and step <= 0:
        raise Malformed(f"the step of {name!r} is {step}; give one above 0")
    for each in (low, high):
        check(fields, name, each)
    if whole:
        return IntDistribution(low, high, log=log, step=step or 1)
    return FloatDistribution(float(low), float(high), log=log, step=step)


def _conditions(name: str, when: Any) -> dict[str, Choices]:
    if not isinstance(when, dict):
        raise Malformed(f"the condition of {name!r} is {when!r}; give a mapping such as {{'family': ['mlp']}}")
    told = cast("dict[str, Any]", when)
    return {other: _several(values) for other, values in told.items()}


def _several(values: Any) -> Choices:
    return tuple(cast("list[Any]", values)) if isinstance(values, list) else (values,)


def _check_conditions(parameter: SearchedParameter, all_of_them: Mapping[str, SearchedParameter]) -> None:
    for other, values in parameter.when.items():
        if (upon := all_of_them.get(other)) is None:
            raise Malformed(f"{parameter.name!r} depends on {other!r}, which is not searched; search it too")
        if lost := [value for value in values if not _holds(upon.distribution, value)]:
            raise Malformed(f"{parameter.name!r} is searched where {other!r} is {lost[0]!r}, which it never is")


def _holds(distribution: BaseDistribution, value: Any) -> bool:
    if isinstance(distribution, CategoricalDistribution):
        return any(type(each) is type(value) and each == value for each in distribution.choices)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return distribution._contains(distribution.to_internal_repr(value))  # pyright: ignore[reportPrivateUsage]


def _from_field(told: Mapping[str, Any]) -> dict[str, Any]:
    attributes = dict(told["attributes"])
    return {name: value for name, value in attributes.items() if name in _FIELDS}


def _told(parameter: SearchedParameter) -> dict[str, Any]:
    match parameter.distribution:
        case CategoricalDistribution(choices=choices):
            told: dict[str, Any] = {"choices": list(choices)}
        case (
            FloatDistribution(low=low, high=high, step=step, log=log)
            | IntDistribution(low=low, high=high, step=step, log=log)
        ):
            told = {"low": low, "high": high, "step": step, "log": log}
        case _:
            raise TypeError(f"nothing is drawn from {parameter.distribution}")
    return told | ({"when": {name: list(values) for name, values in parameter.when.items()}} if parameter.when else {})
