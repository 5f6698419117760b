"""Suite: a version judged on a suite's rows, which are those that the suite was defined on and no others.

What its requirements come to is no worker's to say: the ledger holds the figures against them once they are recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ...domain.job.kinds import JudgesBySuite
from ..task import task
from .evaluate import Evaluate, evaluate

if TYPE_CHECKING:
    from ...jobs.protocol.messages import Finished
    from ..context import Context


class Suite(Evaluate, JudgesBySuite):
    """What a suite's evaluation is asked with."""

    kind: Literal["suite"] = "suite"  # pyright: ignore[reportIncompatibleVariableOverride]


@task(Suite)
def suite(payload: Suite, context: Context) -> Finished:
    """Judge the version as any evaluation does."""
    return evaluate(payload, context)
