"""`runs`: the runs of training scripts, how they stand, and what they kept on their way."""

from __future__ import annotations

from typing import Final

import click

from ...results.shapes.work import RUN
from ...results.words import word
from ..command import Session, command
from ..completion import models
from ..completion import runs as known_runs

ACTS: Final = ("show", "checkpoints")


@command(
    {"runs": [RUN]},
    "lepton runs",
    "lepton runs --model credit-scoring-model --status lost",
    "lepton runs --by ada",
    "lepton runs show 6b7c8d",
    "lepton runs checkpoints 6b7c8d",
)
@click.argument("act", required=False, type=click.Choice(ACTS), metavar="[ACTION]")
@click.argument("run", required=False, metavar="[RUN]", shell_complete=known_runs)
@click.option("--model", metavar="NAME", shell_complete=models, help="Those of one model.")
@click.option("--status", type=click.Choice(["running", "finished", "failed", "lost"]), help="Those that stand so.")
@click.option("--by", metavar="NAME", help="Those that somebody of that name started.")
@click.option("-n", "most", type=click.IntRange(min=1), default=20, show_default=True, help="How many at most.")
def runs(
    session: Session,
    act: str | None,
    run: str | None,
    model: str | None,
    status: str | None,
    by: str | None,
    most: int,
) -> None:
    """List the runs of training scripts, the newest first; or show one, or what it kept on its way.

    ACTION is show or checkpoints. RUN is a run's id, or a part of it. A run that is not heard of for longer than
    LEPTON_TERM_RUN is lost; its training script can go on with it.
    """
    if act is None:
        records = session.manager.runs(model, status=status, actor=by, most=most)  # pyright: ignore[reportArgumentType]
        none = "there are no runs yet; a training script begins one (docs/runs.md)"
        session.answer(records.to_dict(), records if records or model or status or by else word(none))
        return
    if run is None:
        raise click.UsageError(f"{act} needs a run; `lepton runs` lists them")
    one = session.manager.show_run(run)
    session.answer({"runs": [one]}, one if act == "show" else one.checkpoints)
