"""Studies: searches of hyperparameters, as they stand, and an end to one. `POST /jobs` asks for one."""

from __future__ import annotations

from dataclasses import replace

from starlette.responses import Response

from ....results.shapes.work import STUDIES, STUDY
from ...caller import Call
from ...cursors import USUAL, Cursor, Most, paging
from ...described import answers
from ...routing import Router

router = Router("studies")


@router.get("/studies", summary="The studies", responses=answers(STUDIES))
def studies(call: Call) -> Response:
    """The searches, the newest first: how the trials of each stand, and the best of them."""
    return call.read(call.manager.studies())


@router.get("/studies/{study}", summary="A study", responses=answers(STUDY, page=True))
def study(call: Call, study: str, most: Most = USUAL, cursor: Cursor = None) -> Response:
    """A search, and its trials in their order, page by page; `best` is the number of the best of all of them."""
    asked = paging(call, most, cursor)
    manager = call.manager if asked.after is None else call.manager.as_of(asked.up_to)
    record = manager.show_study(study)
    page = asked.page(record.trials[0 if asked.after is None else asked.after + 1 :], lambda trial: trial.trial)
    response = call.read(replace(record, trials=tuple(page.rows)), body=record.to_dict() | page.body("trials"))
    response.headers.update(page.headers)
    return response


@router.post("/studies/{study}/stop", summary="Stop a search", responses=answers(STUDY))
def stop(call: Call, study: str) -> Response:
    """End a search behind the trials that are at work: it keeps its best. Asked for again, it goes on."""
    return call.wrote(
        lambda: call.manager.stop_study(study, key=call.key), tell=lambda then, record: then.show_study(record.study)
    )
