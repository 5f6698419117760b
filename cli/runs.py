"""`runs`: the runs of training scripts, how they stand, and what they kept on their way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import click

from ..versions.runs import CheckpointRecord, RunRecord
from .command import Session, command
from .text import ABSENT, columns, figure, section, title, when

COLOURS: Final = {"finished": "green", "failed": "red", "lost": "red", "running": "yellow"}
CHECKPOINT: Final = {
    "run": "text",
    "step": "number?",
    "time": "time",
    "tensors": "digest",
    "architecture?": {"NAME": "any"},
}
RUN: Final = {
    "run": "text",
    "name": "text?",
    "model": "text",
    "status": "text",
    "tags": ["text"],
    "actor": "text",
    "started": "time",
    "heard": "time?",
    "ended": "time?",
    "resumed": ["time"],
    "error": "text?",
    "reason": "text",
    "points": "number?",
    "hyperparameters": {"NAME": "any"},
    "data?": {"NAME": "any"},
    "environment": {"NAME": "any"},
    "code": {"NAME": "any"},
    "checkpoints": [CHECKPOINT],
}
ACTS: Final = ("show", "checkpoints")


@command(
    {"runs": [RUN]},
    "lepton runs",
    "lepton runs --model credit-scoring-model --status lost",
    "lepton runs show 6b7c8d",
    "lepton runs checkpoints 6b7c8d",
)
@click.argument("act", required=False, type=click.Choice(ACTS), metavar="[ACTION]")
@click.argument("run", required=False, metavar="[RUN]")
@click.option("--model", metavar="NAME", help="Those of one model.")
@click.option("--status", type=click.Choice(["running", "finished", "failed", "lost"]), help="Those that stand so.")
@click.option("-n", "most", type=click.IntRange(min=1), default=20, show_default=True, help="How many at most.")
def runs(session: Session, act: str | None, run: str | None, model: str | None, status: str | None, most: int) -> None:
    """List the runs of training scripts, the newest first; or show one, or what it kept on its way.

    ACTION is show or checkpoints. RUN is a run's id, or a part of it. A run that is not heard of for longer than
    LEPTON_TERM_RUN is lost; `manager.resume(run)` goes on with it.
    """
    if act is None:
        found = session.manager.runs(model, status=status, most=most)  # pyright: ignore[reportArgumentType]
        session.answer(
            {"runs": [each.to_dict() for each in found]},
            lambda: _listed(found) if found or model or status else ["no run yet; `manager.run(...)` begins one"],
        )
        return
    if run is None:
        raise click.UsageError(f"{act} needs a run; `lepton runs` lists them")
    one = session.manager.show_run(run)
    shown = _shown(one) if act == "show" else _kept(one.checkpoints)
    session.answer({"runs": [one.to_dict()]}, lambda: shown)


def _listed(found: Sequence[RunRecord]) -> Iterator[str]:
    if not found:
        yield "there is no such run"
        return
    rows = (
        (each.run, each.name or ABSENT, each.model, _status(each), when(each.started), str(len(each.checkpoints)))
        for each in found
    )
    yield from columns(rows, head=("run", "name", "model", "status", "started", "checkpoints"), right=(5,))


def _shown(one: RunRecord) -> Iterator[str]:
    yield f"{title(one.run)}  {one.model}  {_status(one)}"
    rows = [("name", one.name or ABSENT), ("tags", ", ".join(one.tags) or ABSENT), ("by", one.actor)]
    times = (("started", one.started), ("heard of last", one.heard), ("ended", one.ended))
    rows += [(name, when(moment, seconds=True)) for name, moment in times if moment]
    rows += [("resumed", when(moment, seconds=True)) for moment in one.resumed]
    rows += [("why", f"{one.error}: {one.reason}")] if one.error else []
    yield from columns(rows, indent=2)
    yield from section("hyperparameters", ((name, figure(value)) for name, value in one.hyperparameters.items()))
    if one.checkpoints:
        yield ""
        yield title("checkpoints")
        yield from _kept(one.checkpoints)


def _kept(found: Sequence[CheckpointRecord]) -> Iterator[str]:
    if not found:
        yield "it kept nothing on its way"
        return
    rows = ((figure(each.step), when(each.time, seconds=True), each.tensors) for each in found)
    yield from columns(rows, head=("step", "kept", "tensors"), indent=2)


def _status(one: RunRecord) -> str:
    return click.style(one.status, fg=COLOURS[one.status])
