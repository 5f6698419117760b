"""`pick`: one of several versions by requirements and figures, and why."""

from __future__ import annotations

from typing import Any

import click

from ...results.shapes.versions import PICK
from ..command import Session, command
from ..completion import revisions
from ..revision import of_model, which_model
from .comparing import labelled
from .gating import requiring


@command(
    PICK,
    "lepton pick --by f1 --data loans.csv --label default",
    "lepton pick 1 2 3 --by roc_auc --require 'size < 1000000' --data loans.csv --label default",
    "lepton pick --by f1,size --data loans.csv --label default",
    "lepton pick --by f1,size --in-order --data loans.csv --label default",
)
@click.argument("revs", nargs=-1, metavar="[REV...]", shell_complete=revisions)
@which_model
@click.option(
    "--by",
    multiple=True,
    required=True,
    metavar="FIGURE,...",
    help="What to pick by: a metric, size (bytes) or parameters; several by commas, or repeated.",
)
@requiring
@click.option("--in-order", is_flag=True, help="Of several figures the first decides, then the next among equals.")
@labelled("Judge the versions on these rows; nothing is recorded.")
@click.option("--groups", metavar="COLUMN", help="The column of --data whose rows depend on each other: a customer's.")
def pick(
    session: Session,
    revs: tuple[str, ...],
    model: str | None,
    by: tuple[str, ...],
    require: tuple[str, ...],
    in_order: bool,
    data: str | None,
    label: str | None,
    groups: str | None,
) -> None:
    """Pick one of some versions, or of all of a model, and say by which rule.

    Those that do not meet what is required are left out; exit with 4 if none does. By one figure the best is picked;
    where each row's outcome is known those that are no worse beyond chance are as good, and the smallest of them is
    picked, then the oldest. By several the Pareto front is named: those that no other one beats.
    """
    drawn: dict[str, Any] = {} if groups is None else {"groups": groups}
    named = [str(of_model(rev, model)) for rev in revs]
    with session.waiting("comparing"):
        picked = session.manager.pick(
            *named,
            model=model,
            by=[name for each in by for name in each.split(",")],
            require=require,
            in_order=in_order,
            data=data,
            labels=label,
            **drawn,
        )
    session.answer(picked.to_dict(), picked)
    picked.check()
