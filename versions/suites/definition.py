"""The definition of a suite: its rows read once, held against what is asked, and recorded by one command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from os import PathLike, fspath
from typing import Any, Final, NamedTuple, cast

from ...datasets import read
from ...datasets.selection import Selection
from ...domain.suites.commands import DefineSuite, RetireSuite
from ...domain.suites.decide import checked_requirements, checked_suite
from ...errors import Malformed, Refused
from ...evaluation.diagnostics.costs import Costs
from ...plain import words_of
from ..data.named_data import find
from ..judging.evaluation import requested
from ..source import without_columns
from ..workspace import Workspace
from .figures import own_figures
from .known import SuiteTexts, known_suite, opened, readable, suite_of

BRANCH: Final = "main"
"""The branch that is watched where only a model is named."""


class SuiteRows(NamedTuple):
    """The rows that a suite is defined on, and where they are."""

    fingerprint: Mapping[str, Any]
    label: str
    selection: Mapping[str, Any]
    named: str
    source: str


def define(
    workspace: Workspace,
    name: str,
    data: Any,
    label: str | None,
    *,
    chosen: Selection,
    require: Sequence[str],
    metrics: Sequence[str],
    against: str | None,
    model: str | None,
    branch: str | None,
    evaluation: str | None,
    task: str | None,
    report: Mapping[str, Any],
    pool: str,
    message: str,
    key: str | None,
) -> None:
    """Say what versions are judged on. Nothing is recorded where the rows cannot be read, or a figure names nothing.

    Model and branch may still have to come: the suite waits for their first version.
    """
    checked_suite(name)
    trees = checked_requirements(require, against)
    rows = _rows(workspace, data, label, chosen)
    called = evaluation or name
    _check_free(workspace, name, called)
    own = own_figures(workspace, model, branch or BRANCH, trees, metrics)
    report = {**report, "metrics": own} if own else report
    options = _asked(report, rows)
    suite = suite_of(workspace, name)
    was = opened(workspace, suite.newest) if suite.versions else SuiteTexts("", "")
    command = DefineSuite(
        suite=name,
        data=without_columns(rows.fingerprint) or {},
        named=rows.named,
        source=rows.source or was.source if rows.named == "" else "",
        label=rows.label,
        selection=rows.selection,
        evaluation=called,
        metrics=tuple(metrics),
        requirements=tuple(require),
        against=against,
        watched=model,
        branch=branch if model is None else branch or BRANCH,
        pool=pool,
        message=message or was.message,
        moved=rows.source not in ("", was.source),
        described=message not in ("", was.message),
        asked={"rows": str(data)},
        task=task,
        report=options,
    )
    workspace.admit(command, key)


def retire(workspace: Workspace, name: str, reason: str, key: str | None) -> None:
    """Let a suite judge no more versions."""
    known_suite(workspace, name)
    workspace.admit(RetireSuite(suite=name, reason=reason), key)


def _rows(workspace: Workspace, data: str | PathLike[str], label: str | None, chosen: Selection) -> SuiteRows:
    """The rows that data or its name stands for, read once: what no worker could find again is refused."""
    if not isinstance(data, str | PathLike):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise Malformed(
            f"a suite's rows are read again for each version, and {words_of(data)} cannot be",
            python="give a file's path, or name them with add_data(..., keep=True) and give the name",
            cli="give a file, or a name of `lepton data add`",
        )
    path = str(fspath(data))
    if (known := find(workspace, path)) is not None:
        event = known.rows.event
        if None not in (label, event.label) and label != event.label:
            raise Malformed(f"the labels of {known.words} are its column {event.label!r}; leave the label out")
        label = label or event.label
        if chosen:
            raise Malformed(f"the rows of {known.words} are read as they were named; leave types, drop and columns out")
        return SuiteRows(event.data, _label(label, known.words), event.selection, known.words, "")
    from ...datasets.tables import fingerprint

    source = read.checked(path, _label(label, path), chosen)
    rows, labels = read.labelled(source, str(label), chosen)
    return SuiteRows(fingerprint(rows, labels), str(label), chosen.to_dict(), "", source)


def _label(label: str | None, words: str) -> str:
    if not label:
        raise Malformed(
            f"nothing says which column of {words[:200]} holds the labels",
            python="name it as labels=",
            cli="--label COLUMN names it",
        )
    return label


def _check_free(workspace: Workspace, name: str, called: str) -> None:
    """Hold that no other suite's evaluations are called so: their figures would stand in each other's place."""
    for suite in readable(workspace):
        if suite.name != name and suite.retired is None and suite.newest.event.evaluation == called:
            raise Refused(
                f"the evaluations of suite {suite.name!r} are called {called!r} already",
                python="call these otherwise, by evaluation=",
                cli="call these otherwise, by --name",
            )


def _columns(rows: SuiteRows) -> list[str]:
    """The names of the columns of the rows, as far as their fingerprint tells."""
    told: Any = rows.fingerprint.get("columns")
    return [str(column["name"]) for column in cast("list[Mapping[str, Any]]", told)] if isinstance(told, list) else []


def _asked(report: Mapping[str, Any], rows: SuiteRows) -> dict[str, Any]:
    """What reports are asked with, as it is kept. Columns are named, and are there."""
    request = requested(report)
    for name in ("groups", "slices", "sensitive"):
        value = report.get(name)
        if not isinstance(value, str | None if name == "groups" else bool | str | list | tuple | None):
            raise Malformed(f"a suite's {name} are named as columns of its rows, not given as {words_of(value)}")
    if present := _columns(rows):
        for name in request.named:
            Selection(drop=(name,)).names([*present, ""])
    costs = request.costs
    told: dict[str, Any] = {**report, "costs": asdict(costs)} if isinstance(costs, Costs) else {**report}
    return {name: list(cast("Sequence[Any]", each)) if isinstance(each, tuple) else each for name, each in told.items()}
