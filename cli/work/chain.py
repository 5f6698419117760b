"""`chain`, `chains`: steps that need one another, from a file, and how they stand."""

from __future__ import annotations

import click

from ...errors import Refused
from ...results.shapes.work import CHAIN, CHAINS
from ..command import Session, command, importing


@command(
    CHAIN, "lepton chain credit.toml", "lepton chain credit.toml --detach", "lepton chain credit.toml --name monday"
)
@click.argument("file", metavar="FILE.toml", type=click.Path(dir_okay=False))
@click.option("--name", metavar="NAME", help="Run it under this name, as a chain of its own.")
@click.option("--wait/--detach", default=True, help="Wait for the end, or only ask for what can be asked for now.")
@importing
def chain(session: Session, file: str, name: str | None, wait: bool) -> None:
    """Run the steps of a file, each once those that it needs have finished; run again, it goes on where it stopped.

    A step is a training, an evaluation, a gate, a tag or an alias. What has finished is not done again, what failed or
    was called off is asked for anew. Ctrl-C stops the waiting, and leaves the jobs. Exits with 1 where a step failed.
    """
    record = session.manager.chain(file, name=name, wait=wait)
    session.answer(record.to_dict(), record)
    if lost := next((step for step in record.steps if step.ended and step.status != "finished"), None):
        raise Refused(f"step {lost.step} of chain {record.chain} is {lost.status}: {lost.reason or 'nobody said why'}")


@command(CHAINS, "lepton chains", "lepton chains credit")
@click.argument("name", metavar="[NAME]", required=False)
def chains(session: Session, name: str | None) -> None:
    """List the chains that were run, or show how the steps of one stand."""
    if name is None:
        records = session.manager.chains()
        session.answer(records.to_dict(), records)
    else:
        record = session.manager.show_chain(name)
        session.answer({"chains": [record]}, record)
