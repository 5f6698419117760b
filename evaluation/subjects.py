"""Subjects: whatever predicts, asked for the outcomes of labelled rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import LeptonError, Malformed, Refused
from ..plain import words_of
from ..results import TaskPerformance
from .outcomes import Outcomes
from .predictions import outcomes_of_predictions
from .resampling import Sampling


def outcomes_of(
    subject: Any, data: Any, labels: Any, task: str | None = None, sampling: Sampling | None = None
) -> Outcomes:
    """What each labelled row is and what a model says of it: any object with `predict`, as scikit-learn has it.

    Probabilities are asked for where it gives some, classes are its `classes_`. Without a task it is the one that its
    class declares, else what labels and predictions seem to be.
    Raises `Refused` where it predicts nothing or raises, `Malformed` where what it says does not fit the labels.
    """
    declared = getattr(subject, "TASK", None) or None
    if task is not None and declared not in (None, task):
        raise Malformed(f"{words_of(subject)} predicts for the task {declared}, and is to be judged for {task}")
    if callable(own := getattr(subject, "outcomes", None)):
        return _answered(subject, lambda: own(data, labels, sampling))
    predict, predict_proba = (getattr(subject, name, None) for name in ("predict", "predict_proba"))
    if not callable(predict):
        raise Refused(f"{words_of(subject)} has no predict(data); judge what it predicted by evaluate_predictions")
    called = _answered(subject, lambda: predict(data))
    chances = None
    if callable(predict_proba) and (task or declared) not in ("regression", "forecasting"):
        chances = _answered(subject, lambda: predict_proba(data))
    classes = getattr(subject, "classes_", None)
    return outcomes_of_predictions(task or declared, labels, called, chances, classes, sampling)


def own_performance(subject: Any, data: Any, labels: Any) -> TaskPerformance | None:
    """How a model says that it does whose class judges itself, without a word on each row; None where it does not."""
    lineage: tuple[type, ...] = type(subject).__mro__
    owners: dict[str, int] = {}
    for place, each in enumerate(lineage):
        for name in ("evaluate", "outcomes"):
            if name in vars(each):
                owners.setdefault(name, place)
    if "evaluate" not in owners or owners.get("outcomes", len(lineage)) <= owners["evaluate"]:
        return None
    performance = _answered(subject, lambda: subject.evaluate(data, labels))
    return performance if isinstance(performance, TaskPerformance) else None


def _answered(subject: Any, ask: Callable[[], Any]) -> Any:
    """What a model of somebody's own answers; what it raises is told in one sentence."""
    try:
        return ask()
    except LeptonError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".partition("\n")[0][:200]
        raise Refused(f"{words_of(subject)} does not predict these rows ({reason}); give rows as it learnt") from error
