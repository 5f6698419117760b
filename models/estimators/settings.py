"""What an estimator was set to, as hyperparameters of its version."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from ...errors import Malformed
from ...plain import plain_value
from ..hyperparameter import Json
from .kinds import is_booster, library_of


def settings_of(estimator: Any) -> dict[str, Json]:
    """What `get_params` tells, nested estimators by their parts (`logisticregression__C`); of an object its class.

    Of a booster what its library tells of its training.
    """
    if not is_booster(estimator):
        return _plain(estimator.get_params(deep=True).items())
    if library_of(estimator) == "lightgbm":
        return _plain(estimator.params.items())
    learner = json.loads(estimator.save_config())["learner"]
    told: dict[str, Any] = {"objective": learner["learner_train_param"]["objective"]}
    for part in cast("dict[str, Any]", learner["gradient_booster"]).values():
        held = cast("dict[str, Any]", part) if isinstance(part, dict) else {}
        told |= {name: _read(value) for name, value in held.items()}
    return _plain(told.items())


def _read(text: Any) -> Any:
    """A number that XGBoost wrote as text."""
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return text


def _plain(items: Iterable[tuple[str, Any]]) -> dict[str, Json]:
    held = dict(items)
    return {name: _value(value) for name, value in sorted(held.items()) if not _told_by_parts(name, value, held)}


def _told_by_parts(name: str, value: Any, held: Mapping[str, Any]) -> bool:
    """Whether it is a list of steps, each of which stands beside it by its own name."""
    if not isinstance(value, list | tuple) or not value:
        return False
    items, owner = cast("list[Any]", value), name[: name.rfind("__") + 2] if "__" in name else ""
    return all(isinstance(each, tuple) and f"{owner}{cast('tuple[Any, ...]', each)[0]}" in held for each in items)


def _value(value: Any) -> Json:
    """A value as JSON has it; of what has no such form the class, or its name."""
    if _is_estimator(value):
        return _named(cast("object", type(value)))
    try:
        return cast("Json", plain_value(value, "a parameter"))
    except Malformed:
        return _named(cast("object", value if isinstance(value, Callable) else type(value)))


def _is_estimator(value: object) -> bool:
    return callable(getattr(value, "get_params", None)) and not isinstance(value, type)


def _named(thing: object) -> str:
    known = thing if hasattr(thing, "__qualname__") else type(thing)
    module = cast("Any", getattr(known, "__module__", None)) or "builtins"  # methods of built-in types have none
    return f"{module}.{cast('Any', known).__qualname__}"
