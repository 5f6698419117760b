"""Named data: rows that versions are judged on by their name."""
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

from dataclasses import replace

from starlette.responses import Response

from ...errors import Refused
from ...results import NamedData
from ...results.shapes.data import DATA, DATA_SETS, DRIFT
from ...results.shapes.ledger import TABLE
from ..caller import Call
from ..described import TABLES, answers
from ..routing import Router
from ..tables import of_table, tabled
from .rows_asked import Chosen, named, uploaded
from .turns import COMPARES

router = Router("data")


class DataAsked(Chosen):
    """Rows that were sent, to be given a name."""

    rows: str
    labels: str | None = None
    keep: bool | None = None
    message: str | None = None


@router.get("/data", summary="The named data", responses=answers(DATA_SETS))
def data_sets(call: Call) -> Response:
    """The names that rows were given, each as what it stands for now."""
    call.needs("read")
    return call.read(type(sets := call.manager.data_sets())(_seen_by(call, each) for each in sets))


@router.get("/data/{name}", summary="What a name of rows stands for", responses=answers(DATA))
def data(call: Call, name: str) -> Response:
    """What a name stands for, its profile with it; `NAME@2` is an earlier version of it."""
    call.needs("read")
    return call.read(_seen_by(call, call.manager.data(named(name))))


@router.put("/data/{name}", summary="Name rows that were sent", responses=answers(DATA))
def add_data(call: Call, name: str, asked: DataAsked) -> Response:
    """Give rows that were sent a name; with `keep` they are kept, and versions can be judged on them."""
    call.needs("write")
    rows, told = uploaded(call, asked.rows), asked.given("rows")
    return call.wrote(lambda: _seen_by(call, call.manager.add_data(name, rows, key=call.key, **told)))


@router.get("/data/{name}/rows", summary="The rows of a name", responses=answers(TABLE, also=TABLES))
def rows(call: Call, name: str) -> Response:
    """The rows as they were named, their labels among them, where they were kept; a table by Accept."""
    call.needs("read")
    told = call.manager.data(named(name))
    words = f"{told.name}@{told.version}"
    if told.kept is None:
        raise Refused(f"the rows of {words} were not kept, and only such are given out; name them anew with keep")
    table, labels = call.manager.load_data(named(words))
    return tabled(call, of_table(table if told.labels is None else table.append_column(told.labels.name, labels)))


@router.get(
    "/data/{name}/drift", summary="How the rows of two names differ", responses=answers(DRIFT), dependencies=COMPARES
)
def drift(call: Call, name: str, after: str) -> Response:
    """How the rows of `after` differ from those of this name: the most drifted column first."""
    call.needs("read")
    return call.read(call.manager.drift(named(name), named(after)))


def _seen_by(call: Call, told: NamedData) -> NamedData:
    """Named data without the address where they lie, which is of the ledger's machine, for all but its keepers."""
    return told if call.visitor.rights.may("admin") else replace(told, source=None)
