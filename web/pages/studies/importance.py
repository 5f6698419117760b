"""How important hyperparameters were for what the trials of a study came to, as Optuna evaluates it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple
from warnings import catch_warnings

from ....errors import Refused
from ....results.work.studies import StudyRecord
from ....versions.studies import check_installed
from ....versions.workspace import Workspace
from ..html import translated

FEWEST: Final = 4
"""Trials with values, from which on importances say something."""


class Importances(NamedTuple):
    """By hyperparameter its share, the greatest first; where there are none, `sentence` says why."""

    shares: Mapping[str, float]
    sentence: str = ""


def importances(workspace: Workspace, study: StudyRecord, objective: int) -> Importances:
    """The shares of the hyperparameters, for one objective, by PED-ANOVA (Watanabe et al. 2023).

    Optuna is imported here, when a page first asks.
    """
    try:
        check_installed()
    except Refused:
        return Importances({}, translated("Importances need Optuna where the server is, which lacks the extra search."))
    if len(study.ranked) < FEWEST:
        return Importances({}, translated("Importances are told from {count} complete trials on.", count=FEWEST))
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
    from optuna.trial import FrozenTrial

    from ....versions.studies.opened import OpenStudy

    sign = -1.0 if study.directions[objective] == "maximize" else 1.0

    def cost(trial: FrozenTrial) -> float:
        return sign * trial.values[objective]

    opened, evaluator = OpenStudy(workspace, study.study).study, PedAnovaImportanceEvaluator()
    with catch_warnings(category=UserWarning, action="ignore"):  # that low costs are what is looked for
        try:
            shares = get_param_importances(opened, evaluator=evaluator, target=cost)
        except (ValueError, RuntimeError):
            shares = {}
    if not shares:
        return Importances(
            {}, translated("Nothing tells the best of these trials from the others, so there are no importances.")
        )
    return Importances(shares)
