"""Warm starts: what earlier versions of a model tell a search before its first trial."""

from __future__ import annotations

from typing import Any

from optuna.study import Study
from optuna.trial import TrialState, create_trial

from ...domain.model.state import ModelState
from .definition import SearchDefinition
from .record import EARLIER


def tell_earlier(study: Study, definition: SearchDefinition, model: ModelState, most: int, digest: str | None) -> None:
    """Have a search begin with the newest versions of the model's class, as far as their hyperparameters lie in the
    space: with their figures where they learnt from the same rows, else to be tried again."""
    distributions = {each.name: each.distribution for each in definition.space.parameters}
    for number in sorted(model.versions, reverse=True):
        if most < 1:
            return
        event = model.version(number).event
        drawn = definition.space.known({**event.hyperparameters})
        if event.architecture.get("class") != definition.model_class or not drawn:
            continue
        most -= 1
        attributes: dict[str, Any] = {EARLIER: f"{model.name}@{number}"}
        figures = [event.metrics.get(metric) for metric in definition.metrics]
        if digest is None or None in figures or (event.data or {}).get("digest") != digest:
            study.enqueue_trial(drawn, {"from version": f"{model.name}@{number}"}, skip_if_exists=True)
            continue
        study.add_trial(
            create_trial(
                state=TrialState.COMPLETE,
                values=[float(figure) for figure in figures if figure is not None],
                params=drawn,
                distributions={name: distributions[name] for name in drawn},
                user_attrs=attributes,
            )
        )
