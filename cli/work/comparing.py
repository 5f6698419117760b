"""`diff`, `compare`, `find`, `suggest`: what differs between versions, and which to take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ...results.shapes.names import VERSION
from ...results.shapes.versions import COMPARISON, DIFF, SUGGESTION
from ..command import Session, command
from ..completion import revisions
from ..revision import branch_option, which_model

F = TypeVar("F", bound=Callable[..., Any])


def labelled(words: str) -> Callable[[F], F]:
    """The options that name labelled rows to judge versions on."""

    def optional(function: F) -> F:
        label = click.option("--label", metavar="COLUMN", help="The column of --data that holds the labels.")
        return click.option("--data", metavar="DATA", help=words)(label(function))

    return optional


@command(
    DIFF,
    "lepton diff 1 2",
    "lepton diff main~1..main",
    "lepton diff production main --all",
)
@click.argument("a", metavar="A", shell_complete=revisions)
@click.argument("b", required=False, metavar="B", shell_complete=revisions)
@click.option("--all", "everything", is_flag=True, help="Every tensor and value that differs, and what is the same.")
def diff(session: Session, a: str, b: str | None, everything: bool) -> None:
    """Show what differs between two versions, from A to B; A..B is the same.

    A tensor's line says how many of its elements changed, the norm of the difference, alone and as a share of A's, the
    cosine between both, and the largest single change. Of more than 20 tensors those are shown that changed the most.
    Where outcomes of the same rows are kept of both, a paired test says whether their usual figure differs by chance.
    """
    if b is None and ".." not in a:
        raise click.UsageError("a diff is of two versions; write A B or A..B", click.get_current_context())
    with session.waiting("comparing"):
        difference = session.manager.diff(a, b)
    session.answer(difference.to_dict(), difference.whole if everything else difference)


@command(
    COMPARISON,
    "lepton compare 1 2 main",
    "lepton compare 1 2 --metric accuracy",
    "lepton compare 1 2 3 --data loans.csv --label default --against production",
    "lepton compare 1 2 --all",
)
@click.argument("revs", nargs=-1, required=True, metavar="REV...", shell_complete=revisions)
@click.option("--metric", metavar="NAME", help="What to rank by; test/f1 is f1 on the rows called so.")
@click.option(
    "--against", metavar="REV", shell_complete=revisions, help="The version that the others are tested against."
)
@labelled("Judge the versions on these rows and test them by that; nothing is recorded.")
@click.option("--groups", metavar="COLUMN", help="The column of --data whose rows depend on each other: a customer's.")
@click.option("--block", type=int, metavar="ROWS", help="The rows of one block of a series in time order.")
@click.option("--all", "everything", is_flag=True, help="Also what is the same for all.")
def compare(
    session: Session,
    revs: tuple[str, ...],
    metric: str | None,
    against: str | None,
    data: str | None,
    label: str | None,
    groups: str | None,
    block: int | None,
    everything: bool,
) -> None:
    """Put versions of one model side by side, the best first by figures on rows that all of them were judged on.

    Where they share none, they stand in the order named, unranked, and each figure with its rows. Figures and
    hyperparameters that differ are shown; a star is at the best of figures on the same rows, where it is known which
    way they are better. Where each row's outcome is known too, every version is tested against the best, or against
    REV: by how much it differs, how sure that is (p is corrected for the pairs looked at), and whether it is better or
    worse beyond chance. DeLong's test is for the ROC AUC, McNemar's for the accuracy, Diebold and Mariano's for
    forecasts, the paired bootstrap for all else.
    """
    drawn: dict[str, Any] = {name: value for name, value in (("groups", groups), ("block", block)) if value is not None}
    with session.waiting("comparing"):
        comparison = session.manager.compare(*revs, metric=metric, against=against, data=data, labels=label, **drawn)
    session.answer(comparison.to_dict(), comparison.whole if everything else comparison)


@command(
    {"versions": [VERSION]},
    "lepton find 'metric.f1 > 0.9'",
    "lepton find \"metric.f1 > 0.8 and note.ticket = 'RISK-12'\"",
    "lepton find \"version.actor = 'ada'\"",
    "lepton find 'f1 - 0.01 > 0.5 and not (learning_rate < 0.01 or epochs > 5)'",
)
@click.argument("expression", metavar="EXPR")
def find(session: Session, expression: str) -> None:
    """Find versions, in all models, by metrics, hyperparameters, notes, and by who committed what.

    EXPR compares metric.NAME, param.NAME or note.NAME, or a NAME that only one of them has, by = != < <= > >= with a
    number, 'text' or a sum of such, and joins conditions by `and`, `or` and `not`; docs/expressions.md is the grammar.
    version.actor, version.message, version.description, version.branch and version.run are there too, as they are
    shown; what was forgotten is found by nothing.
    """
    with session.waiting("searching"):
        matches = session.manager.find(expression)
    session.answer(matches.to_dict(), matches)


@command(
    SUGGESTION,
    "lepton suggest",
    "lepton suggest --branch main --metric accuracy",
)
@which_model
@branch_option("The branch to roll back.")
@click.option(
    "--metric", metavar="NAME", help="What performance means; else the metric that most have on the same rows."
)
def suggest(session: Session, model: str | None, branch: str, metric: str | None) -> None:
    """Propose versions to roll back to, the best first: performance, stability and age weighed.

    Performance is compared on rows that versions were both judged on; where each row's outcome is kept, one that is not
    worse than the best beyond chance counts as good as that. A version that was rolled back from is not suggested
    again until `lepton clear` says that it may be.
    """
    suggestion = session.manager.suggest_rollback(model=model, branch=branch, metric=metric)
    session.answer(suggestion.to_dict(), suggestion)
