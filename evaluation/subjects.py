"""Subjects: whatever predicts, asked for the outcomes of labelled rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np

from ..datasets.tables import read_labels
from ..errors import LeptonError, Malformed, Refused
from ..plain import words_of
from ..results import TaskPerformance
from .answers.outputs import outcomes_of_outputs
from .outcomes import Outcomes
from .predictions import outcomes_of_predictions
from .resampling import Sampling

T = TypeVar("T")


def outcomes_of(
    subject: Any,
    data: Any,
    labels: Any = None,
    task: str | None = None,
    sampling: Sampling | None = None,
    outputs: str | None = None,
) -> Outcomes:
    """What each labelled row is and what a model says of it.

    A model is any object with `predict`, as scikit-learn has it (probabilities are asked for where it gives some,
    classes are its `classes_`; a Hugging Face pipeline's answers are read too), or with `forward`, as torch has it:
    `answers.forward` says what data may be, `answers.outputs` how its outputs are read. Its class may
    declare `TASK`, `OUTPUTS` and `classes_`. `outputs` says what its numbers are: logits, probabilities or values.
    Without a task it is the one that its class declares, else what labels and predictions seem to be.
    Raises `Refused` where it predicts nothing or raises, `Malformed` where what it says does not fit the labels.
    """
    declared = getattr(subject, "TASK", None) or _estimates(subject)
    if task is not None and declared not in (None, task) and (task, declared) != ("forecasting", "regression"):
        raise Malformed(f"{words_of(subject)} predicts for the task {declared}, and is to be judged for {task}")
    if callable(own := getattr(subject, "outcomes", None)):
        return cast("Outcomes", answered(words_of(subject), lambda: own(data, labels, sampling)))
    outputs = outputs or getattr(subject, "OUTPUTS", None)
    if callable(getattr(subject, "predict", None)):
        return _predicted(subject, data, labels, task or declared, sampling, outputs)
    if _has_forward(subject):
        return _forward(subject, data, labels, task or declared, sampling, outputs)
    what = f"{words_of(subject)} has no predict(data) and no forward(inputs)"
    raise Refused(f"{what}; judge what it predicted by evaluate_predictions")


def _predicted(
    subject: Any, data: Any, labels: Any, task: str | None, sampling: Sampling | None, outputs: str | None
) -> Outcomes:
    classes = getattr(subject, "classes_", None)
    called = answered(words_of(subject), lambda: subject.predict(data))
    if outputs is not None:
        return outcomes_of_outputs(np.asarray(called, np.float64), labels, task, outputs, classes, sampling)
    if _is_labelled(called):
        return _of_labelled(subject, called, labels, sampling)
    chances = None
    if callable(predict_proba := getattr(subject, "predict_proba", None)) and task not in ("regression", "forecasting"):
        chances = answered(words_of(subject), lambda: predict_proba(data))
    if task is None and chances is None and classes is None:
        _check_no_chances(subject, called, labels)
    return outcomes_of_predictions(task, labels, called, chances, classes, sampling)


def _forward(
    subject: Any, data: Any, labels: Any, task: str | None, sampling: Sampling | None, outputs: str | None
) -> Outcomes:
    from .answers.forward import outputs_of

    values, kind, own = outputs_of(subject, data)
    if labels is None and own is None:
        raise Malformed("there are no labels; give one a row, or batches of (inputs, labels)")
    if labels is not None and own is not None:
        given, came = read_labels(labels, len(values)), read_labels(own, len(values))
        if given.labels() != came.labels():
            raise Malformed("the batches' own labels are not those given, as where a loader shuffles; leave labels out")
    labels = own if labels is None else labels
    return outcomes_of_outputs(values, labels, task, outputs or kind, getattr(subject, "classes_", None), sampling)


def _estimates(subject: Any) -> str | None:
    """The task of an estimator that says it is a regressor, as scikit-learn's and XGBoost's do."""
    tags = getattr(subject, "__sklearn_tags__", None)
    if isinstance(subject, type) or not callable(tags):
        return None
    kind = getattr(answered(words_of(subject), tags), "estimator_type", None)
    return "regression" if kind == "regressor" else None


def _is_labelled(called: Any) -> bool:
    """Whether answers are a Hugging Face pipeline's: {"label", "score"} a row, or one such a class."""
    first: Any = called
    while isinstance(first, list) and first:
        first = cast("list[Any]", first)[0]
    return isinstance(first, dict) and {"label", "score"} <= cast("dict[str, Any]", first).keys()


def _of_labelled(subject: Any, called: list[Any], labels: Any, sampling: Sampling | None) -> Outcomes:
    """Of {"label", "score"} a row the label is what was called; where every class has its score, they are chances."""
    rows: list[list[Any]] = [row if isinstance(row, list) else [row] for row in called]
    try:
        names = sorted({str(each["label"]) for each in rows[0]})
        scores = [{str(each["label"]): float(each["score"]) for each in row} for row in rows]
        best = [max(row, key=lambda name: row[name]) for row in scores]
        whole = len(names) > 1 and all(row.keys() == set(names) for row in scores)
        chances = [[row[name] for name in names] for row in scores] if whole else None
    except (KeyError, TypeError, ValueError) as error:
        what = f"{words_of(subject)} answers some rows without a label and a score"
        raise Refused(f"{what}; give the pipeline's own answers") from error
    return outcomes_of_predictions("multiclass", labels, best, chances, names if whole else None, sampling)


def _check_no_chances(subject: Any, called: Any, labels: Any) -> None:
    """Raise `Malformed` where predictions look like probabilities, as a booster's: they could be measured too."""
    values = np.asarray(called)
    if values.ndim != 1 or values.dtype.kind != "f" or not ((values >= 0) & (values <= 1)).all():
        return
    truth = read_labels(labels, len(values))
    if truth.kind == "number" and np.isin(truth.values, (0, 1)).all() and not np.isin(values, (0, 1)).all():
        raise Malformed(
            f"{words_of(subject)} predicts fractions where labels are 0 and 1; say that the outputs are "
            "probabilities, or the task regression"
        )


def says_something(subject: Any) -> bool:
    """Whether it says anything of rows: what they are, or how well it does on them."""
    own = any(callable(getattr(subject, name, None)) for name in ("predict", "evaluate", "outcomes"))
    return own or _has_forward(subject)


def _has_forward(subject: Any) -> bool:
    """Whether it has a forward of its own; torch gives every module one that raises."""
    forward = getattr(subject, "forward", None)
    return callable(forward) and getattr(forward, "__name__", "") != "_forward_unimplemented"


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
    performance = answered(words_of(subject), lambda: subject.evaluate(data, labels))
    return performance if isinstance(performance, TaskPerformance) else None


def answered(what: str, ask: Callable[[], T]) -> T:
    """What somebody's own model answers, called `what`; what it raises is told in one sentence."""
    try:
        return ask()
    except LeptonError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".partition("\n")[0][:200]
        raise Refused(f"{what} does not predict these rows ({reason}); give rows as it learnt") from error
