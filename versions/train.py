"""Training and evaluating: the work itself, in the caller's process, recorded by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from ..datasets.selection import Selection
from ..domain.commands import RecordEvaluation
from ..domain.model.metric import checked_better
from ..domain.model.state import ModelState
from ..errors import Malformed, Refused, Unavailable
from ..plain import words_of
from ..results import Evaluation, PendingVersion, TaskPerformance, Version
from .data.named_data import rows_of
from .rows import as_learnt, to_judge
from .runs.run import Run
from .save import admissible, tell_of_new
from .save_request import asked_for, prepared
from .spool.outbox import Outbox
from .workspace import Workspace


def train(
    outbox: Outbox,
    model: Any,
    data: Any,
    labels: Any,
    *,
    validation: tuple[Any, Any] | None,
    on_epoch: Callable[[int, Mapping[str, float]], None] | None,
    chosen: Selection,
    **asked: Any,
) -> Version | PendingVersion:
    """Fit a Lepton model as a run, and keep what comes of it as a version by itself."""
    from ..datasets.examination import examine
    from ..datasets.tables import fingerprint, selected
    from ..models.model import Model
    from ..models.registry import is_own

    if not isinstance(model, Model):
        raise Malformed(
            f"{words_of(model)} does not know how to train itself; fit it in `with manager.run(...) as run:` "
            "and keep it with run.save"
        )
    model.check_hyperparameters()
    # what is refused is refused now, not after hours; files may come of the training itself
    prepared(asked_for(None, {name: value for name, value in asked.items() if name not in ("name", "key", "files")}))
    named = asked.pop("name", None)
    name = named or model.name
    with suppress(Unavailable):
        workspace = outbox.delivery.opened()
        state = admissible(workspace, name, asked.get("branch", "main"), asked.get("tags", ()))
        if named is None:
            tell_of_new(workspace, state, name)
    data = selected(data, chosen)
    validation = validation and (selected(validation[0], chosen), validation[1])
    if not is_own(model):  # which examines them itself
        examine(data, labels)
    with Run(outbox, name, hyperparameters=model.hyperparameters, data=fingerprint(data, labels)) as run:

        def epoch_ended(epoch: int, losses: Mapping[str, float]) -> None:
            run.log(losses, step=epoch)
            if on_epoch is not None:
                on_epoch(epoch, losses)

        model.train(data, labels, validation=validation, on_epoch=epoch_ended)
        return run.save(model, **asked)


def evaluate(
    workspace: Workspace,
    model: ModelState,
    number: int,
    data: Any,
    labels: Any,
    *,
    name: str,
    better: Mapping[str, str],
    chosen: Selection,
    key: str | None,
) -> Evaluation:
    """Judge a version on labelled rows and record the figures with the rows' fingerprint."""
    from ..datasets.tables import fingerprint

    data, labels, named = rows_of(workspace, data, labels)
    name = name or named
    data, labels = as_learnt(workspace, model, number, data, labels, chosen)
    performance = judged(workspace, model, number, data, labels)
    command = RecordEvaluation(
        model=model.name,
        version=number,
        data=fingerprint(data, labels),
        name=name,
        metrics=performance.figures(),
        task=performance.task,
        better=checked_better(better),
    )
    workspace.admit(command, key)
    return Evaluation(workspace.version(model, number), name, performance)


def judged(workspace: Workspace, model: ModelState, number: int, data: Any, labels: Any) -> TaskPerformance:
    """How a version says that it does. Raises `Refused` where its class has no word for that."""
    data, labels = as_learnt(workspace, model, number, data, labels)
    evaluate = getattr(to_judge(workspace, model, number), "evaluate", None)
    performance = evaluate(data, labels) if callable(evaluate) else None
    if not isinstance(performance, TaskPerformance):
        raise Refused(
            f"version {number} of {model.name} cannot judge itself, for its class does not say how",
            python="give it an evaluate(data, labels) that returns a Performance, or judge it yourself and keep the "
            "figures with record_metrics",
            cli="judge it from Python, and record the figures there",
        )
    return performance
