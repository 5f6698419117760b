"""The options that say what the report of an evaluation shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ..completion import data_names, revisions

F = TypeVar("F", bound=Callable[..., Any])

COSTS = {"FP": "false_positive", "FN": "false_negative", "TP": "true_positive", "TN": "true_negative"}


def on_labelled_rows(function: F) -> F:
    """A version, and the labelled rows that it is judged on."""
    options = (
        click.argument("rev", shell_complete=revisions),
        click.argument("data", shell_complete=data_names),
        click.option("--label", metavar="COLUMN", help="The column that holds the labels; named data know theirs."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def reporting(function: F) -> F:
    """The options of a report: intervals, slices, fairness, costs."""
    options = (
        click.option("--task", metavar="TASK", help="What it is judged for, where its class does not say so."),
        click.option(
            "--draws",
            type=click.IntRange(0, 100_000),
            default=1000,
            show_default=True,
            metavar="N",
            help="Draws of the bootstrap that gives intervals; 0 gives none.",
        ),
        click.option("--groups", metavar="COLUMN", help="Rows of one value depend on each other: patient, customer."),
        click.option("--block", type=click.IntRange(min=1), metavar="ROWS", help="Of a series in time order."),
        click.option("--stratified", is_flag=True, help="As many rows of each class as was decided before."),
        click.option("--slices", "searched", is_flag=True, help="Search all columns for rows that it does worse on."),
        click.option("--slice", "slices", multiple=True, metavar="COLUMN", help="Search this one; may be repeated."),
        click.option("--sensitive", multiple=True, metavar="COLUMN", help="Compare its groups; may be repeated."),
        click.option(
            "--cost", "costs", multiple=True, metavar="KIND=COST", help="Of FP, FN, TP or TN; may be repeated."
        ),
        click.option("--metric", "metrics", multiple=True, metavar="NAME", help="One of your own, which a module of "
                     "--import registers; may be repeated."),
        click.option("--outputs", type=click.Choice(["logits", "probabilities", "values"]),
                     help="What a module's numbers are, where its class does not say so."),
        click.option("--level", type=float, default=0.95, show_default=True, metavar="P", help="Of the intervals."),
        click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N", help="Of draws."),
        click.option("--outcomes/--no-outcomes", default=True, help="Keep each row's label and prediction, by which "
                     "versions are compared by test later, or not."),
    )  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


def report_options(
    searched: bool,
    slices: tuple[str, ...],
    sensitive: tuple[str, ...],
    costs: tuple[str, ...],
    outcomes: bool,
    metrics: tuple[str, ...],
    **rest: Any,
) -> dict[str, Any]:
    """What was asked for, as `ModelManager.evaluate` and `jobs.evaluate` take it."""
    if searched and slices:
        raise click.UsageError("--slices searches all columns; leave --slice out", click.get_current_context())
    asked: dict[str, Any] = {"slices": True if searched else list(slices), "sensitive": list(sensitive)}
    asked |= {"costs": dict(map(cost, costs)) or None, "keep_outcomes": outcomes, "metrics": list(metrics)}
    return {name: value for name, value in (rest | asked).items() if value not in (None, [])}


def cost(words: str) -> tuple[str, float]:
    kind, equals, amount = words.partition("=")
    try:
        return COSTS[kind.upper()], float(amount)
    except (KeyError, ValueError):
        what = "no number" if equals and kind.upper() in COSTS else f"none of {', '.join(COSTS)}"
        raise click.UsageError(
            f"--cost {words!r} is {what}; write FN=5 for a false negative", click.get_current_context()
        ) from None
