"""`runs`: the runs of training scripts, how they stand, and what they kept on their way."""

from __future__ import annotations

from typing import Any, Final

import click

from ...results.shapes.work import RUN, RUN_FILE
from ...results.words import say, word
from ...versions.runs.found_file import found
from ..command import Session, command
from ..completion import models
from ..completion import runs as known_runs
from ..output import check_place, write

ACTS: Final = ("show", "checkpoints", "files")


@command(
    {"runs?": [RUN], "files?": [RUN_FILE]},
    "lepton runs",
    "lepton runs --model credit-scoring-model --status lost",
    "lepton runs --by ada",
    "lepton runs show 6b7c8d",
    "lepton runs checkpoints 6b7c8d",
    "lepton runs files 6b7c8d",
    "lepton runs files 6b7c8d --name figures/confusion.png -o confusion.png",
)
@click.argument("act", required=False, type=click.Choice(ACTS), metavar="[ACTION]")
@click.argument("run", required=False, metavar="[RUN]", shell_complete=known_runs)
@click.option("--model", metavar="NAME", shell_complete=models, help="Those of one model.")
@click.option("--name", metavar="NAME", help="The files of this name alone.")
@click.option("--step", type=int, metavar="N", help="With -o, the file of this step; else the one logged last.")
@click.option("-o", "--output", metavar="FILE", help="Where the file of --name is written, whole or not at all.")
@click.option("--force", is_flag=True, help="Let it replace a file that is there already.")
@click.option("--status", type=click.Choice(["running", "finished", "failed", "lost"]), help="Those that stand so.")
@click.option("--by", metavar="NAME", help="Those that somebody of that name started.")
@click.option("-n", "most", type=click.IntRange(min=1), default=20, show_default=True, help="How many at most.")
def runs(session: Session, act: str | None, run: str | None, most: int, **asked: Any) -> None:
    """List the runs of training scripts, the newest first; or show one, or what it kept on its way.

    ACTION is show, checkpoints or files. RUN is a run's id, or a part of it. A run that is not heard of for longer than
    LEPTON_TERM_RUN is lost; its training script can go on with it. `files` lists the files that a run logged; with
    --name and -o it writes one.
    """
    of_file = {name: asked.pop(name) for name in ("name", "step", "output", "force")}
    if act != "files" and any(value not in (None, False) for value in of_file.values()):
        raise click.UsageError("--name, --step, -o and --force are of `lepton runs files RUN`")
    if act is None:
        _listed(session, most, **asked)
    elif run is None:
        raise click.UsageError(f"{act} needs a run; `lepton runs` lists them")
    elif act == "files":
        _files(session, run, **of_file)
    else:
        one = session.manager.show_run(run)
        session.answer({"runs": [one], "files": None}, one if act == "show" else one.checkpoints)


def _listed(session: Session, most: int, *, model: str | None, status: Any, by: str | None) -> None:
    records = session.manager.runs(model, status=status, actor=by, most=most)
    none = "there are no runs yet; a training script begins one (docs/runs.md)"
    session.answer({**records.to_dict(), "files": None}, records if records or model or status or by else word(none))


def _files(session: Session, run: str, *, name: str | None, step: int | None, output: str | None, force: bool) -> None:
    files = session.manager.run_files(run, name)
    if output is None:
        if step is not None:
            raise click.UsageError("--step is of a file that is written; give --name and -o")
        session.answer({"runs": None, **files.to_dict()}, files)
        return
    if name is None:
        raise click.UsageError("-o writes one file; --name says which")
    check_place(output, force=force)
    write(session.manager.load_run_file(run, name, step), output, force=force)
    file = found(files, run, name, step)
    session.answer({"runs": None, "files": [file]}, say("{name} is in {file}", name=name, file=output))
