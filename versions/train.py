"""Training: the work itself, in the caller's process, recorded by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from ..datasets.selection import Selection
from ..errors import Malformed, Unavailable
from ..plain import words_of
from ..results import PendingVersion, Version
from .runs.run import Run
from .save_request import asked_for, prepared
from .spool.outbox import Outbox
from .training_rows import KnowsData, training_rows, validation_rows


def train(
    outbox: Outbox,
    model: Any,
    data: Any,
    labels: Any,
    *,
    known: KnowsData,
    validation: tuple[Any, Any] | None,
    on_epoch: Callable[[int, Mapping[str, float]], None] | None,
    chosen: Selection,
    devices: int | None,
    **asked: Any,
) -> Version | PendingVersion:
    """Fit a Lepton model as a run, and keep what comes of it as a version by itself; named data are those `known`."""
    from ..datasets.examination import examine
    from ..datasets.tables import fingerprint
    from ..models.model import Model
    from ..models.registry import is_own

    if not isinstance(model, Model):
        raise Malformed(
            f"{words_of(model)} does not know how to train itself; fit it in `with manager.run(...) as run:` "
            "and keep it with run.save"
        )
    if devices is not None:
        if "devices" not in model.HYPERPARAMETERS.model_fields:
            raise Malformed(f"{model.name} learns in one process; leave 'devices' out")
        model.add_hyperparameter("devices", devices)
    model.check_hyperparameters()
    # what is refused is refused now, not after hours; files may come of the training itself
    prepared(asked_for(None, {name: value for name, value in asked.items() if name not in ("name", "key", "files")}))
    named = asked.pop("name", None)
    name = named or model.name
    with suppress(Unavailable):
        branch, tags = asked.get("branch", "main"), tuple(asked.get("tags", ()))
        outbox.delivery.opened().check_savable(name, branch, tags, named=named is not None)
    data, labels = training_rows(known, data, labels, chosen, in_parts=model.reads_in_parts)
    if validation is not None:
        validation = validation_rows(validation, (data, labels), chosen)
    if not is_own(model):  # which examines them itself
        examine(data, labels)
    with Run(outbox, name, hyperparameters=model.hyperparameters, data=fingerprint(data, labels)) as run:

        def epoch_ended(epoch: int, losses: Mapping[str, float]) -> None:
            run.log(losses, step=epoch)
            if on_epoch is not None:
                on_epoch(epoch, losses)

        model.train(data, labels, validation=validation, on_epoch=epoch_ended)
        return run.save(model, **asked)
