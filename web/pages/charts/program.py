"""The program that shows charts in a browser, Vega's; it is made when somebody explores the first one."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from ....errors import LeptonError
from ...drawings import Program, drawn
from ...problems import Problem, of_error
from ..entry import IMMUTABLE
from ..waiting import LateResponse
from .figure import PATIENCE

PLACE: Final = "/charts/vega.js"
"""Leads to where it is, which changes with its content."""


def _led(_: Request, program: Program) -> Response:
    return RedirectResponse(f"/charts/{program.digest}/vega.js", 303)


def _sent(request: Request, program: Program) -> Response:
    if request.path_params["digest"] != program.digest:
        raise Problem(404, "there is nothing at this address; reload the page that named it")
    headers, content = {"Cache-Control": IMMUTABLE, "Vary": "Accept-Encoding"}, program.content
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
    else:
        content = gzip.decompress(content)
    return Response(content, headers=headers, media_type="text/javascript")


def _with_program(answer: Callable[[Request, Program], Response]) -> Callable[[Request], Response]:
    def late(request: Request) -> Response:
        program = request.app.state.service.drawings.program()
        return LateResponse([program], PATIENCE, partial(answered, request, program))

    def answered(request: Request, program: Future[Program]) -> Response:
        try:
            return answer(request, drawn(program))
        except LeptonError as error:
            return of_error(error, request)

    return late


ROUTES: Final[list[BaseRoute]] = [
    Route(PLACE, _with_program(_led), methods=["GET"]),
    Route("/charts/{digest}/vega.js", _with_program(_sent), methods=["GET"]),
]
