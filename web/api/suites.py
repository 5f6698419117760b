"""Suites: what versions are judged by, again and again."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from ...results.shapes.judging import SUITE, SUITE_RUN, SUITES
from ..caller import Call
from ..described import answers
from ..routing import Router
from .rows_asked import Chosen, Names, Reported, RequestBody, named
from .turns import JUDGES

router = Router("suites")


class SuiteAsked(Reported, Chosen):
    """What a suite judges versions on, and what these must come to."""

    data: str
    """Named data: a suite's rows are read again for each version."""
    labels: str | None = None
    require: str | Names | None = None
    against: str | None = None
    model: str | None = None
    branch: str | None = None
    evaluation: str | None = None
    task: str | None = None
    pool: str | None = None
    message: str | None = None


class RunAsked(RequestBody):
    """Which version a suite is to judge."""

    version: str


@router.get("/suites", summary="The suites", responses=answers(SUITES))
def suites(call: Call, retired: bool = False) -> Response:
    """The suites by name, each with what it came to last; with `retired` those too that judge no more."""
    call.needs("read")
    return call.read(call.manager.suites(retired=retired))


@router.get("/suites/{suite}", summary="A suite", responses=answers(SUITE))
def suite(call: Call, suite: str) -> Response:
    """A suite as it is defined, with what came of the versions that it judged; `NAME@2` is as it was once."""
    call.needs("read")
    return call.read(call.manager.suite(suite))


@router.put("/suites/{suite}", summary="Define a suite", responses=answers(SUITE))
def define_suite(call: Call, suite: str, asked: SuiteAsked) -> Response:
    """Say what versions are judged on; another definition is the suite's next version."""
    call.needs("write")
    told: dict[str, Any] = asked.given("data") | {"data": named(asked.data)}
    return call.wrote(
        lambda: call.manager.define_suite(suite, key=call.key, **told), tell=lambda then, _: then.suite(suite)
    )


@router.delete("/suites/{suite}", summary="Retire a suite", responses=answers(SUITE))
def retire_suite(call: Call, suite: str, reason: str = "") -> Response:
    """Let a suite judge no more versions; what it judged stays told."""
    return call.wrote(
        lambda: call.manager.retire_suite(suite, reason=reason, key=call.key), tell=lambda then, _: then.suite(suite)
    )


@router.post(
    "/suites/{suite}/runs",
    status_code=201,
    summary="Judge a version by a suite",
    responses=answers(SUITE_RUN, status=201),
    dependencies=JUDGES,
)
def run_suite(call: Call, suite: str, asked: RunAsked) -> Response:
    """Judge a version by a suite within this request, and record its gate."""
    call.needs("write")
    return call.wrote(lambda: call.manager.run_suite(suite, asked.version, key=call.key), status=201)
