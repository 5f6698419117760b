"""Moves: rollbacks, what they would change, rehearsals of them, suggestions, merges; and what protects aliases."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, cast

from fastapi import Query
from pydantic import Field
from starlette.responses import Response

from ...errors import Malformed, Refused, UnknownRevision
from ...results import Protection, RollbackPlan, RolledBack, Version
from ...results.shapes.names import PROTECTED, PROTECTION, VERSION
from ...results.shapes.versions import DONE, PLAN, REHEARSAL, SUGGESTION
from ..caller import Call, Caller
from ..described import MOVES, RECORDS_NOTHING, answers
from ..preconditions import required
from ..reading import READS
from ..routing import Router
from .names import Believed, Rev, expectation, standing
from .places import version_at
from .rows_asked import RequestBody, RowsAsked, rows_in
from .turns import JUDGES

router = Router("moves")

Branch = Annotated[str, Query(description="The branch to be rolled back.")]
Metric = Annotated[str | None, Query(description="What performance means; else the usual figure that most have.")]
_ONE: Final = "say one of branch and alias"


class RehearsalAsked(RowsAsked):
    """The rows that target and head are judged on."""

    metric: str | None = None


class RollbackAsked(RequestBody):
    """A branch, or an alias, that is put on a version of its past."""

    to: Rev | None = Field(None, description="Where to; of an alias alone it may be left out: before its last move.")
    branch: str = "main"
    alias: str | None = None
    expected: Believed | None = Field(None, description="Where it is believed to be, in the place of If-Match.")
    reason: str = ""
    move_aliases: list[str] = Field(default_factory=list[str], description="Aliases that go with the branch.")
    rehearse: RehearsalAsked | None = None
    override: bool = False


class MergeAsked(RequestBody):
    """A version that is merged into a branch."""

    version: Rev
    into: str = "main"
    strategy: Literal["ours", "theirs", "average"] = "average"
    weight: float = 0.5
    message: str = ""
    expected: Believed | None = Field(None, description="Where the branch is believed to be, in the place of If-Match.")


class ProtectionAsked(RequestBody):
    """What a version must meet for an alias to move to it."""

    require: list[str] = Field(default_factory=list[str])
    against: str | None = None
    suite: str | None = None
    reason: str = ""


@router.post(
    "/models/{model}/rollback-plans",
    summary="What a rollback would change",
    dependencies=[*READS, *JUDGES],
    responses=answers(PLAN, marks=(RECORDS_NOTHING,)),
)
def plan_rollback(call: Call, model: str, asked: RollbackAsked) -> Response:
    """What a rollback would change; nothing is recorded."""
    return call.read(_planned(call, model, asked))


@router.post(
    "/models/{model}/rehearsals",
    summary="Rehearse a rollback",
    dependencies=[*READS, *JUDGES],
    responses=answers(REHEARSAL, marks=(RECORDS_NOTHING,)),
)
def rehearse(call: Call, model: str, asked: RollbackAsked) -> Response:
    """How target and head of a rollback do on the same rows; nothing is recorded."""
    if asked.rehearse is None:
        raise Malformed("nothing says on which rows; name them as rehearse")
    plan = _planned(call, model, asked)
    if plan.rehearsal is None:
        raise Refused(f"{plan.ref} stands on version {plan.to_version} already; there is nothing to rehearse")
    return call.read(plan.rehearsal)


@router.post("/models/{model}/rollbacks", summary="Roll back", responses=answers(DONE, marks=(MOVES,)))
def roll_back(call: Call, model: str, asked: RollbackAsked) -> Response:
    """Put a branch or an alias on a version of its past, if its last move is the one that If-Match names."""
    told = _told(call, model, asked)
    if told["expected"] is None:
        required(None)
    return call.wrote(
        lambda: cast(RolledBack, call.manager.rollback(**told, key=call.key)),
        etag=lambda done: _tag_of(call, done),
    )


@router.post(
    "/models/{model}/merges",
    summary="Merge a version into a branch",
    responses=answers(VERSION, place=True, marks=(MOVES,)),
    dependencies=JUDGES,
)
def merge(call: Call, model: str, asked: MergeAsked) -> Response:
    """Merge a version into a branch; If-Match is the branch's last move."""
    call.needs("write")
    call.needs("move")
    rev, told = call.rev(model, str(asked.version)), asked.given("version", "expected")
    told["expected"] = expectation(call, model, asked.expected)

    def tag_of(version: Version) -> str | None:
        moves = standing(call.after, "branch", version.model).last_moves
        return str(moves[asked.into]) if asked.into in moves else None

    return call.wrote(
        lambda: call.manager.merge(rev, key=call.key, **told), body=Version.to_dict, location=version_at, etag=tag_of
    )


@router.get("/models/{model}/suggestions", summary="Where to roll back to", responses=answers(SUGGESTION))
def suggestions(call: Call, model: str, branch: Branch = "main", metric: Metric = None) -> Response:
    """Versions of a branch's past, best first by performance, stability and age, each with why."""
    return call.read(call.manager.suggest_rollback(model=call.model(model), branch=branch, metric=metric))


@router.get("/models/{model}/protections", summary="The protected aliases", responses=answers(PROTECTED))
def protections(call: Call, model: str) -> Response:
    """The aliases that move only by a gate, and what each requires."""
    found = call.manager.protections(call.model(model))
    return call.read(found, body={"protected": {name: each.to_dict() for name, each in found.items()}})


@router.get(
    "/models/{model}/aliases/{name}/protection",
    summary="What protects an alias",
    responses=answers(PROTECTION, etag=True),
)
def protection(call: Call, model: str, name: str) -> Response:
    """What a version must meet for an alias to move to it; the ETag is the event that protects it so."""
    found = call.manager.protections(call.model(model)).get(name)
    if found is None:
        raise UnknownRevision(f"no alias {name!r} is protected; GET /api/v1/models/MODEL/protections lists them")
    return call.read(found, etag=str(found.seq))


@router.put(
    "/models/{model}/aliases/{name}/protection",
    summary="Protect an alias",
    responses=answers(PROTECTION, marks=(MOVES,)),
)
def protect(call: Call, model: str, name: str, asked: ProtectionAsked) -> Response:
    """Let an alias move only to versions that passed a gate; anew, it has the new requirements alone."""
    expected = call.precondition()

    def act() -> Protection:
        return call.manager.protect(name, model=call.model(model), expected=expected, key=call.key, **asked.given())

    return call.wrote(act, etag=lambda protected: str(protected.seq))


@router.delete(
    "/models/{model}/aliases/{name}/protection",
    summary="Protect an alias no more",
    responses=answers({}, marks=(MOVES,)),
)
def unprotect(call: Call, model: str, name: str, reason: str = "") -> Response:
    """Let an alias move freely again."""
    told: dict[str, Any] = {"model": call.model(model), "reason": reason, "expected": call.precondition()}
    return call.wrote(lambda: call.manager.unprotect(name, key=call.key, **told))


def _told(call: Caller, model: str, asked: RollbackAsked) -> dict[str, Any]:
    """A rollback as the SDK is asked for it."""
    if asked.alias is not None and "branch" in asked.model_fields_set:
        raise Malformed(f"a branch and an alias are named; {_ONE}")
    told = asked.given("to", "expected", "rehearse")
    told["expected"] = expectation(call, model, asked.expected)
    told["model"] = call.model(model)
    if asked.to is not None:
        told["to"] = call.rev(model, str(asked.to))
    if (wanted := asked.rehearse) is not None:
        rows = rows_in(call, wanted)
        told["rehearse"] = rows if wanted.metric is None else (*rows, wanted.metric)
    return told


def _planned(call: Caller, model: str, asked: RollbackAsked) -> RollbackPlan:
    call.needs("read")
    return cast(RollbackPlan, call.manager.rollback(**_told(call, model, asked), dry_run=True))


def _tag_of(call: Caller, done: RolledBack) -> str | None:
    refs = standing(call.after, "alias" if done.alias else "branch", done.model)
    return str(refs.last_moves[done.ref]) if done.ref in refs.last_moves else None
