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
    from ..workers.context import Context


@task(Tune)
def tune(payload: Tune, context: Context) -> Finished:
    """Search as whoever asked for it, and tell what the best trial came to."""
    from ..jobs.record import state
    from ..jobs.studies.asking import run_search
    from ..jobs.studies.tuning import Tuning
    from ..manager import ModelManager

    order = context.order
    with ModelManager() as ledger:
        work = ledger._workspace  # pyright: ignore[reportPrivateUsage]
        actor = work.actors.known(state(work, order.job).actor)
        asker = ledger if actor is None else ledger.acting(actor.name)
        tuning = Tuning(asker, asker._home.lock_now)  # pyright: ignore[reportPrivateUsage]
        message = ledger.jobs.show(order.job).message
        study = run_search(tuning, payload, order.model, order.source, order.validation_source, message)
    best = study.best
    told = {} if best is None or best.values is None else dict(zip(study.metrics, best.values, strict=True))
    return context.finished(None, told)


if __name__ == "__main__":
    main(int(sys.argv[1]), objects_at)
