"""The model library: the classes that can be trained, each with its card."""

from __future__ import annotations

from starlette.responses import Response

from ...results.shapes.library import ENTRY, LIBRARY
from ..caller import Call
from ..described import answers
from ..routing import Router

router = Router("library")


@router.get("/library", summary="The model library", responses=answers(LIBRARY))
def library(call: Call) -> Response:
    """The classes that can be trained, Lepton's own and those that the server registers, each with its card."""
    return call.read(call.manager.library())


@router.get("/library/{name}", summary="A class of the model library", responses=answers(ENTRY))
def entry(call: Call, name: str) -> Response:
    """The card of a class, and what may be chosen of it: defaults, what each may be, what is searched."""
    return call.read(call.manager.library(name))
