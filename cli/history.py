"""`log`, `versions`, `show`: what happened to a model, its versions at a glance, and all that one recorded."""

from __future__ import annotations

import shutil
from typing import Final

import click

from ..results.render import screen, terminal
from ..results.shapes.history import LOG, VERSION_RECORD, VERSIONS
from .command import Session, command
from .completion import branches, models, revisions
from .revision import of_model, which_model

SHOWN: Final = 50
"""Versions of a page."""


@command(
    LOG,
    "lepton log",
    "lepton log risk --graph -n 20",
    "lepton log main~2..main",
    "lepton log 'main@{1}'",
)
@click.argument("rev", required=False, metavar="[REV|A..B]", shell_complete=revisions)
@click.option("--graph", is_flag=True, help="Draw how the versions come from each other.")
@click.option("-n", "limit", type=click.IntRange(min=1), metavar="N", help="Show the newest N entries only.")
@which_model
def log(session: Session, rev: str | None, graph: bool, limit: int | None, model: str | None) -> None:
    """Show a model's history, newest first.

    Of a branch all of its past, of another revision what it comes from, of A..B what B comes from and A does not.
    Beside the versions stand the moves of branches and aliases: rollbacks, promotions, what was opened and given up.
    """
    history = session.manager.log(of_model(rev, model), model=model, most=limit)
    blocks = tuple(history.graph() if graph else history.blocks())
    lines = list(terminal(blocks, screen())) if session.colour and not session.as_json else []
    if len(lines) < shutil.get_terminal_size().lines:
        session.answer(history.to_dict(), blocks)
    else:
        click.echo_via_pager("\n".join(lines) + "\n", color=True)


@command(
    VERSIONS,
    "lepton versions",
    "lepton versions credit -n 20 --before 4",
    "lepton versions --where 'metric.f1 > 0.6' --branch main",
)
@click.argument("model", required=False, metavar="[MODEL]", shell_complete=models)
@click.option("--where", metavar="EXPRESSION", help="Those for which this holds, as `lepton find` has it.")
@click.option("--branch", metavar="NAME", shell_complete=branches, help="Those that were committed on this branch.")
@click.option("-n", "limit", type=click.IntRange(min=1), default=SHOWN, show_default=True, help="How many to show.")
@click.option("--before", type=click.IntRange(min=1), metavar="NUMBER", help="Those with numbers below this one.")
def versions(
    session: Session, model: str | None, where: str | None, branch: str | None, limit: int, before: int | None
) -> None:
    """List the versions of a model, newest first, a page of them.

    `lepton versions --before N` shows the next page, where N is the last number of this one.
    """
    page = session.manager.versions(model, where=where, branch=branch, most=limit, before=before)
    session.answer(page.to_dict(), page)


@command(
    VERSION_RECORD,
    "lepton show",
    "lepton show production",
    "lepton show main~1 --json",
)
@click.argument("rev", default="main", shell_complete=revisions)
@click.option("--all", "everything", is_flag=True, help="Every tensor, also where there are more than 50.")
def show(session: Session, rev: str, everything: bool) -> None:
    """Show what a version recorded; without REV the head of main."""
    record = session.manager.show(rev)
    shown = record.whole if everything else record
    session.answer(record.to_dict(), shown)
