"""Named data: rows that versions are judged on by their name."""

from __future__ import annotations

from dataclasses import replace

from starlette.responses import Response

from ...results import NamedData
from ...results.shapes.data import DATA, DATA_SETS, DRIFT
from ..caller import Call
from ..described import answers
from ..routing import Router
from .rows_asked import Chosen, named, uploaded

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


@router.get("/data/{name}/drift", summary="How the rows of two names differ", responses=answers(DRIFT))
def drift(call: Call, name: str, after: str) -> Response:
    """How the rows of `after` differ from those of this name: the most drifted column first."""
    call.needs("read")
    return call.read(call.manager.drift(named(name), named(after)))


def _seen_by(call: Call, told: NamedData) -> NamedData:
    """Named data without the address where they lie, which is of the ledger's machine, for all but its keepers."""
    return told if call.visitor.rights.may("admin") else replace(told, source=None)
