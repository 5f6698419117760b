"""Models: which there are, what each is for and where its names stand, its history; one fact of it is changed at a
time."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import Response

from ...manager import ModelManager
from ...results import Log, Models
from ...results.shapes.history import LOG, MODEL, MODELS
from ..caller import ANSWER, JSON, Call
from ..cursors import USUAL, Cursor, Most, paging
from ..described import answers
from ..negotiation import accepted
from ..routing import Router

router = Router("models")

Archived = Annotated[bool, Query(description="Archived ones too.")]
Which = Annotated[str | None, Query(description="A branch: its past; a revision: what it comes from; A..B.")]
Before = Annotated[int | None, Query(ge=1, le=2**63 - 1, description="Entries before this event alone.")]
Better = Literal["lower", "higher"]


class ModelFact(BaseModel):
    """What is changed of a model: one of description, archived, better."""

    model_config = ConfigDict(extra="forbid")

    description: str | None = Field(None, description="what the model is for")
    archived: bool | None = Field(None, description="closed to new versions and rollbacks, or open again")
    reason: str = Field("", description="why it is archived or opened again")
    better: dict[str, Better] | None = Field(None, description="which way metrics are better, by name")

    @model_validator(mode="after")
    def _one_fact(self) -> ModelFact:
        told = [name for name in FACTS if getattr(self, name) is not None]
        if len(told) != 1:
            raise ValueError(f"one fact is changed at a time, and this names {len(told)} of {', '.join(FACTS)}")
        if "reason" in self.model_fields_set and self.archived is None:
            raise ValueError("a reason is told of archived alone")
        return self


FACTS: Final = ("description", "archived", "better")


@router.get("/models", summary="The models", responses=answers(MODELS, page=True))
def models(call: Call, archived: Archived = False, most: Most = USUAL, cursor: Cursor = None) -> Response:
    """The models in the order of their names, each with where its names stand."""
    manager, asked = call.manager, paging(call, most, cursor)
    names = [name for name in manager.models() if asked.after is None or name > asked.after]
    if accepted(call.request.headers.get("accept"), (JSON, ANSWER)) == ANSWER:
        return call.read(names)
    records = (manager.about(name) for name in names)
    page = asked.page((each for each in records if archived or not each.archived), lambda record: record.model)
    response = call.read(Models(page.rows), body=page.body("models"))
    response.headers.update(page.headers)
    return response


@router.get("/models/{model}", summary="A model", responses=answers(MODEL))
def model(call: Call, model: str) -> Response:
    """What a model is for, and where its branches, tags and aliases stand."""
    return call.read(call.manager.about(call.model(model)))


@router.patch("/models/{model}", summary="Change a fact of a model", responses=answers(MODEL))
def change(call: Call, model: str, fact: ModelFact) -> Response:
    """Say what the model is for, close it or open it again, or say which way its metrics are better."""
    manager = call.manager
    name = manager.about(call.model(model)).model
    return call.wrote(lambda: _change(manager, name, fact, call.key), tell=lambda then, _: then.about(name))


@router.get("/models/{model}/log", summary="A model's history", responses=answers(LOG, page=True))
def log(
    call: Call, model: str, rev: Which = None, before: Before = None, most: Most = USUAL, cursor: Cursor = None
) -> Response:
    """What happened to a model, newest first: versions, and the moves of branches and aliases."""
    asked = paging(call, most, cursor)
    if rev is not None:
        rev = call.rev(model, rev)
    begins = asked.after or min(asked.up_to + 1, before or asked.up_to + 1)
    whole = call.manager.log(rev, model=call.model(model), most=most + 1, before=begins)
    page = asked.page(whole.entries, lambda entry: entry.seq)
    answer = Log(whole.model, tuple(page.rows))
    response = call.read(answer, body=answer.to_dict() | {"next": page.next})
    response.headers.update(page.headers)
    return response


def _change(manager: ModelManager, name: str, fact: ModelFact, key: str | None) -> None:
    if fact.description is not None:
        manager.describe(name, fact.description, key=key)
    elif fact.better is not None:
        manager.define_metrics(fact.better, model=name, key=key)
    elif fact.archived:
        manager.archive(name, reason=fact.reason, key=key)
    else:
        manager.unarchive(name, reason=fact.reason, key=key)
