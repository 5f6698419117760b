"""`data`: rows given a name, shown by what may be told of them, and compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import click

from ...results.data.named import DataSets, NamedData
from ...results.description import Block, title
from ...results.figures import count
from ...results.shapes.data import DATA, DRIFT
from ...results.words import say
from ..command import Session, command, keyed
from ..completion import data_names
from .train import chosen_columns, selecting

NEEDS: Final = {
    "add": "add needs a name and a file: lepton data add NAME FILE",
    "show": "show needs a name: lepton data show NAME",
    "drift": "drift needs two names: lepton data drift NAME OTHER",
    "list": "list takes no name: lepton data show NAME shows one",
}


@command(
    {"data_sets": [DATA], "drift?": DRIFT},
    "lepton data",
    "lepton data add holdout loans.csv --label default --keep -m 'the loans of the third quarter'",
    "lepton data show quarter",
    "lepton data drift quarter@1 quarter",
)
@click.argument("act", required=False, type=click.Choice(["add", "list", "show", "drift"]), metavar="[ACTION]")
@click.argument("name", required=False, metavar="[NAME]", shell_complete=data_names)
@click.argument("other", required=False, metavar="[FILE|OTHER]", shell_complete=data_names)
@click.option("--label", metavar="COLUMN", help="The column of FILE that holds the labels.")
@click.option("--keep", is_flag=True, help="Keep the rows in the object store, as Parquet; else only where they lie.")
@click.option("-m", "--message", default="", metavar="TEXT", help="What the rows are for.")
@selecting
@keyed
def data(
    session: Session,
    act: str | None,
    name: str | None,
    other: str | None,
    label: str | None,
    keep: bool,
    message: str,
    types: tuple[str, ...],
    drop: tuple[str, ...],
    columns: tuple[str, ...],
    key: str | None,
) -> None:
    """List the names of data, or by an ACTION: add gives FILE's rows a NAME, show tells of one, drift compares two.

    What is told of rows are counts, rounded quantiles and common levels, never the value of one row. Other rows under
    a known name are its next version; NAME@1 is an earlier one. Names stand wherever rows are asked for.
    """
    manager, act = session.manager, act or "list"
    if [name is not None, other is not None] != [act != "list", act in ("add", "drift")]:
        raise click.UsageError(NEEDS[act], click.get_current_context())
    if act == "add" and name and other:
        asked: dict[str, Any] = {**chosen_columns(types, drop, columns), "keep": keep, "message": message, "key": key}
        with session.noted() as news, session.waiting("reading"):
            named = manager.add_data(name, other, label, **asked)
        session.answer({"data_sets": [named], "drift": None}, _named(named, new=news()))
    elif act == "drift" and name and other:
        with session.waiting("comparing"):
            found = manager.drift(name, other)
        session.answer({"data_sets": [], "drift": found.to_dict()}, found)
    elif name:
        shown = manager.data(name)
        session.answer({"data_sets": [shown], "drift": None}, shown)
    else:
        known: DataSets = manager.data_sets()
        session.answer(known.to_dict() | {"drift": None}, known)


def _named(named: NamedData, *, new: bool) -> Iterator[Block]:
    told = "{name} stands for {rows}" if new else "{name} stands for these {rows} already"
    yield say(told, name=title(named.name), rows=count(named.rows, "row"))
    yield from named.blocks()
