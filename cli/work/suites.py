"""`suite`: what versions are judged on by themselves, defined, shown, run and retired."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any, Final

import click

from ...results import SuiteRecord, Suites
from ...results.description import Block, title
from ...results.shapes.judging import SUITE, SUITE_RUN
from ...results.words import say
from ..command import Session, command, keyed
from ..completion import aliases, branches, data_names, models, revisions, suites
from .gating import requiring
from .reporting import report_options, reporting
from .train import chosen_columns, selecting

NEEDS: Final = {
    "define": "define needs a name and rows: lepton suite define NAME --data DATA",
    "show": "show needs a name: lepton suite show NAME",
    "run": "run needs a name and a version: lepton suite run NAME REV",
    "retire": "retire needs a name: lepton suite retire NAME",
    "list": "list takes no name: lepton suite show NAME shows one",
}


@command(
    {"suites": [SUITE], "run?": SUITE_RUN},
    "lepton suite",
    "lepton suite define nightly --data quarter --require 'roc_auc >= parent.roc_auc - 0.01' --metrics f1,roc_auc "
    "--model credit",
    "lepton suite define weekly --data loans.csv --label default --require 'f1 >= against.f1' --against production",
    "lepton suite show trial",
    "lepton suite run trial 4",
    "lepton suite retire trial --reason 'the loans are of last year'",
)
@click.argument(
    "act", required=False, type=click.Choice(["define", "list", "show", "run", "retire"]), metavar="[ACTION]"
)
@click.argument("name", required=False, metavar="[NAME]", shell_complete=suites)
@click.argument("rev", required=False, metavar="[REV]", shell_complete=revisions)
@click.option("--data", metavar="DATA", shell_complete=data_names, help="The rows: named data, or a file's address.")
@click.option("--label", metavar="COLUMN", help="The column that holds the labels; named data know theirs.")
@click.option("--metrics", "shown", multiple=True, metavar="NAME,...", help="The figures to report; all if left out.")
@requiring
@click.option(
    "--against", metavar="NAME", shell_complete=aliases, help="The alias, branch or tag that against. stands for."
)
@click.option("--model", metavar="NAME", shell_complete=models, help="Judge each new version of this model by itself.")
@click.option(
    "--branch", metavar="NAME", shell_complete=branches, help="The branch whose versions are judged; main if left out."
)
@click.option("--name", "evaluation", metavar="TEXT", help="What its evaluations are called; the suite's name else.")
@click.option("--pool", default="default", show_default=True, metavar="NAME", help="The workers that judge by it.")
@click.option("-m", "--message", default="", metavar="TEXT", help="What it is for.")
@click.option("--all", "everything", is_flag=True, help="List those too that were retired.")
@click.option("--reason", default="", metavar="TEXT", help="Why it is retired.")
@selecting
@reporting
@keyed
def suite(
    session: Session,
    act: str | None,
    name: str | None,
    rev: str | None,
    data: str | None,
    everything: bool,
    reason: str,
    key: str | None,
    **options: Any,
) -> None:
    """List suites, or by an ACTION: define says what versions are judged on, show tells of a suite and its verdicts,
    run judges REV here and exits with 4 if a requirement is not met, retire ends it.

    With --model each new version of its --branch is judged by itself, by a worker: evaluated on the rows, with those
    that it is compared with, and held against what is required; branch and model may still have to come. parent. is a
    version's first parent, docs/expressions.md is the grammar. Another definition is the suite's next version. Rows
    that changed since are not judged on.
    """
    manager, act = session.manager, act or "list"
    if [name is not None, rev is not None, data is not None] != [act != "list", act == "run", act == "define"]:
        raise click.UsageError(NEEDS[act], click.get_current_context())
    if act == "define" and name and data:
        with session.noted() as news, session.waiting("reading"):
            defined = manager.define_suite(name, data, key=key, **_defining(**options))
        session.answer({"suites": [defined], "run": None}, _defined(defined, new=news()))
    elif act == "run" and name and rev:
        with session.waiting("judging"):
            run = manager.run_suite(name, rev, key=key)
        session.answer({"suites": [], "run": run.to_dict()}, run)
        run.check()
    elif act == "retire" and name:
        retired = manager.retire_suite(name, reason=reason, key=key)
        session.answer(
            {"suites": [retired], "run": None}, say("suite {suite} judges no more versions", suite=title(name))
        )
    elif name:
        shown = manager.suite(name)
        session.answer({"suites": [shown], "run": None}, shown)
    else:
        known: Suites = manager.suites(retired=everything)
        session.answer({"suites": known, "run": None}, known)


def _defining(
    label: str | None,
    shown: tuple[str, ...],
    require: tuple[str, ...],
    against: str | None,
    model: str | None,
    branch: str | None,
    evaluation: str | None,
    pool: str,
    message: str,
    types: tuple[str, ...],
    drop: tuple[str, ...],
    columns: tuple[str, ...],
    **report: Any,
) -> dict[str, Any]:
    """What was asked for, as `ModelManager.define_suite` takes it."""
    asked: dict[str, Any] = {"labels": label, "require": require, "against": against, "model": model, "branch": branch}
    asked |= {"evaluation": evaluation, "pool": pool, "message": message, **chosen_columns(types, drop, columns)}
    named = [each.strip() for words in shown for each in next(csv.reader([words]))]
    reported = report_options(**report)
    return asked | reported | {"metrics": [*named, *reported.get("metrics", [])]}


def _defined(record: SuiteRecord, *, new: bool) -> Iterator[Block]:
    told = "suite {suite} is defined" if new else "suite {suite} is defined so already"
    yield say(told, suite=title(record.suite))
    yield from record.blocks()
