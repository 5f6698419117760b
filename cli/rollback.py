"""`rollback`, `merge`: a branch or alias put on another version."""

from __future__ import annotations

from typing import Any, Literal, cast

import click

from ..datasets.read import checked
from ..domain.names import called_by
from ..errors import GateNotMet
from ..results import RollbackPlan, RolledBack
from ..results.description import number
from ..results.shapes.names import VERSION
from ..results.shapes.versions import DONE, PLAN
from ..results.words import say
from .command import Session, command, importing, keyed
from .completion import aliases as known_aliases
from .completion import branches, data_names, revisions
from .revision import expected, of_model, which_model


@command(
    {"plan": PLAN, "done?": DONE},
    "lepton rollback 2 --dry-run",
    "lepton rollback main~1 --reason 'worse in production' --yes",
    "lepton rollback 3 --move-alias production --yes",
    "lepton rollback --alias production --yes",
    "lepton rollback 2 --rehearse loans.csv --label default --reason 'the audit asks for it' --yes",
)
@click.argument("to", required=False, metavar="[TO]", shell_complete=revisions)
@which_model
@click.option("--branch", metavar="NAME", shell_complete=branches, help="The branch to put back; main if left out.")
@click.option(
    "--alias",
    metavar="NAME",
    shell_complete=known_aliases,
    help="Put back an alias instead; without TO to where it stood before.",
)
@click.option(
    "--move-alias",
    "aliases",
    multiple=True,
    metavar="NAME",
    shell_complete=known_aliases,
    help="Take an alias along; may be repeated.",
)
@click.option(
    "--expect", metavar="REV", shell_complete=revisions, help="Where it must stand before; else nothing moves."
)
@click.option("--reason", default="", metavar="TEXT", help="Why, for the record.")
@click.option(
    "--rehearse",
    metavar="DATA",
    shell_complete=data_names,
    help="Judge both versions on these rows first, a file's or named data; one worse beyond chance exits with 4.",
)
@click.option("--label", metavar="COLUMN", help="The column of --rehearse that holds the labels, if it is a file.")
@click.option("--override", is_flag=True, help="Move protected aliases without their gates, for the --reason.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask. Needed where there is no terminal to ask on.")
@importing
def rollback(
    session: Session,
    to: str | None,
    model: str | None,
    branch: str | None,
    alias: str | None,
    aliases: tuple[str, ...],
    expect: str | None,
    reason: str,
    rehearse: str | None,
    label: str | None,
    override: bool,
    dry_run: bool,
    yes: bool,
) -> None:
    """Put a branch, or an alias, on a version of its past; forwards too.

    Shows first what would change, and asks. Every byte of the version is restored, by replaying deltas, and verified
    before anything moves; the history keeps both ways. With a --reason a rehearsal may end as it will.
    """
    _sensible(to, branch, alias, aliases)
    rows = _rehearsal(rehearse, label)
    if not (dry_run or yes):
        session.confirmable()
    where: dict[str, Any] = {"branch": branch or "main", "alias": alias, "move_aliases": aliases}
    where |= {"override": override, "reason": reason}
    with session.waiting("planning"):
        judged = rows if dry_run else None  # else the rollback itself rehearses
        preview = session.manager.rollback(of_model(to, model), model=model, rehearse=judged, dry_run=True, **where)
    plan = cast("RollbackPlan", preview)
    _announce(session, plan, asked=not (dry_run or yes))
    if dry_run:
        session.answer({"plan": plan.to_dict(), "done": None}, ())
        _check_gate(plan, reason)
        return
    if plan.from_version != plan.to_version or plan.aliases_taken_along:
        session.confirm("Roll back?", yes=yes)
    # what was shown is what is done: had the branch moved since, the plan would be another
    stands = int(plan.from_version) if expect is None else expected(expect, plan.model)
    where |= {"model": plan.model, "expected": stands, "rehearse": rows}
    with session.waiting("restoring"):
        done = cast("RolledBack", session.manager.rollback(f"{plan.model}@{plan.to_version}", **where))
    session.answer({"plan": plan.to_dict(), "done": done.to_dict()}, done)


@command(
    VERSION,
    "lepton merge risk --message 'take the wider net in'",
    "lepton merge 6 --into main --strategy average --weight 0.3",
)
@click.argument("rev", shell_complete=revisions)
@click.option(
    "--into",
    default="main",
    show_default=True,
    metavar="NAME",
    shell_complete=branches,
    help="The branch that gets the merge.",
)
@click.option(
    "--strategy",
    type=click.Choice(["average", "ours", "theirs"]),
    default="average",
    show_default=True,
    help="Average the parameters, or take those of one side.",
)
@click.option("--weight", type=float, default=0.5, show_default=True, help="REV's share of an average, from 0 to 1.")
@click.option("-m", "--message", default="", metavar="TEXT", help="What the merge is for.")
@keyed
def merge(
    session: Session,
    rev: str,
    into: str,
    strategy: Literal["average", "ours", "theirs"],
    weight: float,
    message: str,
    key: str | None,
) -> None:
    """Merge a version into a branch: one more version, with both as its parents."""
    model = session.manager.show(rev).version.model
    head = session.manager.branches(model).get(into)
    with session.waiting("merging"):
        made = session.manager.merge(rev, into=into, strategy=strategy, weight=weight, message=message, key=key)
    names: dict[str, Any] = {"version": number(made), "model": made.model, "into": into}
    one, *more = (str(parent) for parent, _ in made.parents)
    names["parents"] = say("{one} and {other}", one=one, other=more[0]) if more else one
    done = "merges {parents} into {into}" if made != head else "holds that already, and is the head of {into}"
    session.answer(made.to_dict(), say(f"version {{version}} of {{model}} {done}", **names))


def _sensible(to: str | None, branch: str | None, alias: str | None, aliases: tuple[str, ...]) -> None:
    """Raise a usage error where the words do not fit each other."""
    here = click.get_current_context()
    if branch and alias:
        raise click.UsageError("--branch and --alias are two rollbacks; ask for one", here)
    if alias and aliases:
        raise click.UsageError("--move-alias goes along with a branch; roll back each alias in a call of its own", here)
    if to is None and not alias:
        raise click.UsageError(
            "a branch is rolled back to a version; name one, or let `lepton suggest` propose it", here
        )


def _rehearsal(data: str | None, label: str | None) -> tuple[str, str | None] | None:
    """The rows to rehearse on: a file and its column of labels, or named data, which know theirs."""
    if data is not None and called_by(data):
        return data, label
    if data is None and label is None:
        return None
    if data is None or label is None:
        raise click.UsageError("--rehearse and --label go together; give both", click.get_current_context())
    return checked(data, label), label


def _check_gate(plan: RollbackPlan, reason: str) -> None:
    """Raise `GateNotMet` where the rollback that was planned would be refused for its rehearsal."""
    rehearsal = plan.rehearsal
    if rehearsal is not None and rehearsal.worse and not reason:
        sure = "by its figures alone" if rehearsal.test is None else f"beyond chance, p {rehearsal.test.p:.2g}"
        raise GateNotMet(
            f"on these rows version {rehearsal.to_version} does worse than version {rehearsal.from_version} by "
            f"{rehearsal.metric} ({sure}); give a --reason to roll back all the same"
        )


def _announce(session: Session, plan: RollbackPlan, *, asked: bool) -> None:
    """Show the plan; with `--json` on stderr, and only to somebody who is asked."""
    if asked or not session.as_json:
        session.show(plan, err=session.as_json)
