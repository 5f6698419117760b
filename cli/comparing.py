"""`diff`, `compare`, `find`, `suggest`: what differs between versions, and which to take."""

from __future__ import annotations

import click

from .command import Session, command
from .shapes import CHANGES, METRICS, ROWS, VERSION


@command(
    {
        "before": VERSION,
        "after": VERSION,
        **dict.fromkeys(
            ("hyperparameters", "architecture", "settings", "data", "environment", "code", "files", "metrics"), CHANGES
        ),
        "other_rows": ["text"],
        "tensors": [
            {
                "name": "text",
                "status": "text",
                "changed": "number?",
                "l2": "number?",
                "relative": "number?",
                "cosine": "number?",
                "max_abs": "number?",
            }
        ],
    },
    "lepton diff 1 2",
    "lepton diff main~1..main",
    "lepton diff production main --json",
)
@click.argument("a", metavar="A")
@click.argument("b", required=False, metavar="B")
def diff(session: Session, a: str, b: str | None) -> None:
    """Show what differs between two versions, from A to B; A..B is the same.

    A tensor's line says how many of its elements changed, the norm of the difference, alone and as a share of A's, the
    cosine between both, and the largest single change.
    """
    if b is None and ".." not in a:
        raise click.UsageError("a diff is of two versions; write A B or A..B", click.get_current_context())
    with session.waiting("comparing"):
        difference = session.manager.diff(a, b)
    ends = {"before": difference.before.to_dict(), "after": difference.after.to_dict()}
    session.answer(difference.to_dict() | ends, difference)


@command(
    {
        "model": "text",
        "metric": "text?",
        "on?": ROWS,
        "versions": [{"version": VERSION, "metrics": METRICS, "rows": {"NAME": ROWS}}],
        "words": "text",
    },
    "lepton compare 1 2 main",
    "lepton compare 1 2 --metric accuracy",
)
@click.argument("revs", nargs=-1, required=True, metavar="REV...")
@click.option("--metric", metavar="NAME", help="What to rank by; test/f1 is f1 on the rows called so.")
def compare(session: Session, revs: tuple[str, ...], metric: str | None) -> None:
    """Put versions of one model side by side, the best first by figures on rows that all of them were judged on.

    Where they share none, they stand in the order named, unranked, and each figure with its rows.
    """
    comparison = session.manager.compare(*revs, metric=metric)
    each = zip(comparison.versions, comparison.metrics, comparison.rows, strict=True)
    versions = [{"version": version.to_dict(), "metrics": metrics, "rows": rows} for version, metrics, rows in each]
    told = {name: value for name, value in comparison.to_dict().items() if name not in ("metrics", "rows")}
    session.answer(told | {"versions": versions}, comparison)


@command(
    {"versions": [VERSION]},
    "lepton find 'metric.f1 > 0.9'",
    "lepton find \"metric.f1 > 0.8 and note.ticket = 'RISK-12'\"",
    "lepton find \"version.actor = 'ada'\"",
)
@click.argument("expression", metavar="EXPR")
def find(session: Session, expression: str) -> None:
    """Find versions, in all models, by metrics, hyperparameters, notes, and by who committed what.

    EXPR compares metric.NAME, param.NAME or note.NAME, or a NAME that only one of them has, by = != < <= > >= with a
    number or 'text', and joins such conditions by `and`. version.actor, version.message, version.description,
    version.branch and version.run are there too, as they are shown; what was forgotten is found by nothing.
    """
    with session.waiting("searching"):
        matches = session.manager.find(expression)
    session.answer({"versions": [each.to_dict() for each in matches]}, matches)


@command(
    {
        "model": "text",
        "branch": "text",
        "metric": "text?",
        "rows?": ROWS,
        "candidates": [
            {
                "version": "number",
                "score": "number",
                "performance": "number?",
                "stability": "number",
                "age": "number",
                "barred": "true or false",
                "words": "text",
            }
        ],
        "words": "text",
    },
    "lepton suggest",
    "lepton suggest --branch main --metric accuracy",
)
@click.option("--model", metavar="NAME", help="The model, where the ledger holds several.")
@click.option("--branch", default="main", show_default=True, metavar="NAME", help="The branch to roll back.")
@click.option(
    "--metric", metavar="NAME", help="What performance means; else the metric that most have on the same rows."
)
def suggest(session: Session, model: str | None, branch: str, metric: str | None) -> None:
    """Propose versions to roll back to, the best first: performance, stability and age weighed.

    Performance is compared on rows that versions were both judged on. A version that was rolled back from is not
    suggested again until `lepton clear` says that it may be.
    """
    suggestion = session.manager.suggest_rollback(model=model, branch=branch, metric=metric)
    session.answer(suggestion.to_dict(), suggestion)
