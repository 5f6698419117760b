"""`diff`, `compare`, `find`, `suggest`: what differs between versions, and which to take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import click

from ..results import Comparison, Diff, Suggestion, TensorChange, Version
from .command import Session, command
from .shapes import CHANGES, METRICS, VERSION
from .text import arrow, change, columns, dim, figure, section, short, title, version

PARTS: Final = ("hyperparameters", "architecture", "settings", "data", "metrics", "files", "code", "environment")


@command(
    {
        "before": VERSION,
        "after": VERSION,
        **dict.fromkeys(
            ("hyperparameters", "architecture", "settings", "data", "environment", "code", "files", "metrics"), CHANGES
        ),
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
        found = session.manager.diff(a, b)
    shown = found.to_dict() | {"before": found.before.to_dict(), "after": found.after.to_dict()}
    session.answer(shown, lambda: _diff(found))


@command(
    {"model": "text", "metric": "text", "versions": [{"version": VERSION, "metrics": METRICS}]},
    "lepton compare 1 2 main",
    "lepton compare 1 2 --metric accuracy",
)
@click.argument("revs", nargs=-1, required=True, metavar="REV...")
@click.option("--metric", metavar="NAME", help="What to rank by, instead of f1, ROC AUC or accuracy.")
def compare(session: Session, revs: tuple[str, ...], metric: str | None) -> None:
    """Put versions of one model side by side, the best first."""
    found = session.manager.compare(*revs, metric=metric)
    pairs = zip(found.versions, found.metrics, strict=True)
    versions = [{"version": each.to_dict(), "metrics": dict(metrics)} for each, metrics in pairs]
    shown = {"model": found.model, "metric": found.metric, "versions": versions}
    session.answer(shown, lambda: _comparison(found))


@command(
    {"versions": [VERSION]},
    "lepton find 'metric.f1 > 0.9'",
    "lepton find \"metric.f1 > 0.8 and note.ticket = 'RISK-12'\"",
)
@click.argument("expression", metavar="EXPR")
def find(session: Session, expression: str) -> None:
    """Find versions, in all models, by metrics, hyperparameters and notes.

    EXPR compares metric.NAME, param.NAME or note.NAME, or a NAME that only one of them has, by = != < <= > >= with a
    number or 'text', and joins such conditions by `and`.
    """
    with session.waiting("searching"):
        found = session.manager.find(expression)
    session.answer({"versions": [each.to_dict() for each in found]}, lambda: _found(found))


@command(
    {
        "model": "text",
        "branch": "text",
        "metric": "text?",
        "candidates": [
            {
                "version": "number",
                "score": "number",
                "performance": "number?",
                "stability": "number",
                "age": "number",
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
@click.option("--metric", metavar="NAME", help="What performance means; else the metric that most versions have.")
def suggest(session: Session, model: str | None, branch: str, metric: str | None) -> None:
    """Propose versions to roll back to, the best first: performance, stability and age weighed."""
    found = session.manager.suggest_rollback(model=model, branch=branch, metric=metric)
    session.answer(found.to_dict(), lambda: _suggestion(found))


def _diff(found: Diff) -> Iterator[str]:
    before, after = found.before, found.after
    other = f"{after.model} " if after.model != before.model else ""
    yield f"{title(before.model)} {version(before)} {arrow()} {other}{version(after)}"
    parts = {name: getattr(found, name) for name in PARTS}
    if not any(parts.values()) and not found.tensors:
        yield "nothing differs"
    for name, changes in parts.items():
        yield from section(name, _changes(name, changes))
    if found.tensors:
        yield ""
        yield title(f"tensors  {dim(_differing(found.tensors))}")
        measured = any(tensor.changed is not None for tensor in found.tensors)
        rows = [_tensor(tensor)[: None if measured else 2] for tensor in found.tensors]
        yield from columns(rows, head=_HEAD if measured else (), right=range(2, 7), indent=2)


_HEAD: Final = ("name", "", "elements", "norm", "relative", "cosine", "largest")


def _changes(part: str, changes: Mapping[str, tuple[Any, Any]]) -> Iterator[tuple[str, ...]]:
    for name, (before, after) in changes.items():
        old, new = (short(value) if part == "files" and value else figure(value) for value in (before, after))
        yield name, click.style(old, fg="red"), f"{arrow()} {click.style(new, fg='green')}", dim(change(before, after))


def _differing(tensors: tuple[TensorChange, ...]) -> str:
    kinds = [tensor.status for tensor in tensors]
    return ", ".join(f"{kinds.count(kind):,} {kind}" for kind in dict.fromkeys(kinds))


def _tensor(tensor: TensorChange) -> tuple[str, ...]:
    colour = {"added": "green", "removed": "red"}.get(tensor.status, "yellow")
    share = "" if tensor.changed is None else f"{tensor.changed:.1%}"
    relative = "" if tensor.relative is None else f"{tensor.relative:.2%}"
    plain = ("" if value is None else f"{value:.4g}" for value in (tensor.l2, tensor.cosine, tensor.max_abs))
    norm, cosine, largest = plain
    return tensor.name, click.style(tensor.status, fg=colour), share, norm, relative, cosine, largest


def _comparison(found: Comparison) -> Iterator[str]:
    names = [found.metric, *sorted(set[str]().union(*found.metrics) - {found.metric})]
    rows = [
        (version(number), number.branch, *(figure(metrics.get(name)) for name in names))
        for number, metrics in zip(found.versions, found.metrics, strict=True)
    ]
    rows[0] = (*rows[0][:2], click.style(rows[0][2], fg="green", bold=True), *rows[0][3:])
    yield title(found.model)
    yield from columns(rows, head=("version", "branch", *names), right=(0, *range(2, len(names) + 2)))


def _found(found: list[Version]) -> Iterator[str]:
    rows = ((version(each), each.model, each.branch, dim(short(each.digest))) for each in found)
    head = ("version", "model", "branch", "digest")
    yield from columns(rows, head=head, right=(0,)) if found else ("no version is so",)


def _suggestion(found: Suggestion) -> Iterator[str]:
    yield f"{title(found.model)} {found.branch}: " + (f"by {found.metric}" if found.metric else "nothing measured")
    yield found.words
    rows = ((version(each["version"]), f"{each['score']:.2f}", _why(each["words"])) for each in found.candidates)
    yield from columns(rows, head=("version", "score", "why"), right=(0, 1))


def _why(words: str) -> str:
    """What a candidate's words say behind its version and score."""
    return words.partition(": ")[2] or words
