"""Tokens, and actors who are forgotten."""

from __future__ import annotations

from pydantic import Field
from starlette.responses import Response

from ...results import CreatedToken
from ...results.shapes.tokens import CREATED, FORGOTTEN, TOKEN, TOKENS
from ..caller import Call
from ..described import answers
from ..routing import Router
from .rows_asked import Names, RequestBody

router = Router("tokens")


class TokenAsked(RequestBody):
    """Whose a token is to be, and what it is to allow."""

    owner: str = Field(description="Who acts with it.")
    scopes: Names = Field(description="Of read, write, move, admin, sql.")
    models: Names = Field(["*"], description="Globs of models' names; others are as if they were not there.")
    expires: str | None = Field(None, description="A term such as `30d`, or a date or time; never, if left out.")


@router.get("/tokens", summary="The tokens", responses=answers(TOKENS))
def tokens(call: Call) -> Response:
    """All tokens, the oldest first, with those that have expired or were revoked. No secret is among them."""
    known = call.manager.tokens()
    return call.read(known, body={"tokens": known})


@router.post("/tokens", status_code=201, summary="Make a token", responses=answers(CREATED, status=201))
def create_token(call: Call, asked: TokenAsked) -> Response:
    """Make a token. Its secret is in this answer alone; sent again under its key the answer has none."""

    def create() -> CreatedToken:
        models, expires = asked.models, asked.expires
        return call.manager.create_token(asked.owner, asked.scopes, models=models, expires=expires, key=call.key)

    answer = call.wrote(create, status=201)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@router.delete("/tokens/{token}", summary="Revoke a token", responses=answers(TOKEN))
def revoke_token(call: Call, token: str, reason: str = "") -> Response:
    """Let a token, by its id or a part of it, be good no more: within a second at every server."""
    return call.wrote(lambda: call.manager.revoke_token(token, reason=reason, key=call.key))


@router.delete("/actors/{name}", summary="Forget an actor", responses=answers(FORGOTTEN))
def forget_actor(call: Call, name: str) -> Response:
    """Delete a person's or a source's name and key, and revoke their tokens; no hash changes."""
    return call.wrote(lambda: call.manager.forget_actor(name), body=lambda there: {"forgotten": there})
