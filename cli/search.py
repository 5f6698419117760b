"""The door of a search's own process: `python -m lepton_ai.cli.search PIPE`, spawned where jobs are given out.

Unlike a worker's processes it has the ledger. It runs nobody's code: trials are jobs, which workers do.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ..tensors.address import objects_at
from ..workers import tasks as tasks
from ..workers.child import main
from ..workers.task import task
from ..workers.tasks.tune import Tune

if TYPE_CHECKING:
    from ..jobs.protocol.messages import Finished
    from ..jobs.protocol.orders import Order
    from ..jobs.studies.tuning import Tuning
    from ..results.work.studies import StudyRecord
    from ..workers.context import Context


@task(Tune)
def tune(payload: Tune, context: Context) -> Finished:
    """Search as whoever asked for it, and tell what the best trial came to."""
    from ..jobs.record import state
    from ..jobs.studies.tuning import Tuning
    from ..manager import ModelManager

    order = context.order
    with ModelManager() as ledger:
        work = ledger._workspace  # pyright: ignore[reportPrivateUsage]
        actor = work.actors.known(state(work, order.job).actor)
        asker = ledger if actor is None else ledger.acting(actor.name)
        tuning = Tuning(asker, asker._home.lock_now)  # pyright: ignore[reportPrivateUsage]
        message = ledger.jobs.show(order.job).message
        study = _searched(tuning, payload, order, message)
    best = study.best
    told = {} if best is None or best.values is None else dict(zip(study.metrics, best.values, strict=True))
    return context.finished(None, told)


def _searched(tuning: Tuning, payload: Tune, order: Order, message: str) -> StudyRecord:
    """Run a search as its job asks for it, or go on with it."""
    from ..datasets.selection import selected_by

    chosen, named = selected_by(payload), payload.named
    return tuning.tune(
        payload.model_class,
        order.source if named is None else f"{named.name}@{named.version}",
        payload.label,
        name=order.model,
        study=payload.study or None,
        metric=payload.metric or None,
        better=payload.better,
        trials=payload.trials,
        budget=payload.budget,
        workers=payload.workers,
        keep=payload.keep,
        warm=payload.warm,
        branch=payload.branch,
        validation=order.validation_source or None,
        message=message,
        types=chosen.types,
        drop=chosen.drop,
        columns=chosen.columns,
        space=payload.space,
        sampler=payload.sampler,
        pruner=payload.pruner,
        seed=payload.seed,
        hyperparameters=payload.hyperparameters,
        on_trial=None,
        limits=payload.limits,
        resumes=False,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), objects_at)
