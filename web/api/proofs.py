"""Evidence of the log: its head, proofs that are checked without the ledger, and the log held against heads."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Query
from pydantic import Field
from starlette.responses import Response

from ...evidence.head import MOST_ASKED, heads_asked
from ...results.shapes.ledger import PROOF, SIGNED_HEAD, VERIFIED
from ...versions.evidence.against import verify_against
from ...versions.evidence.heads import present_head, signer_if_any
from ...versions.evidence.proving import head_to_prove, prove_since_size
from ..caller import Call
from ..described import RECORDS_NOTHING, answers
from ..routing import Router
from .rows_asked import RequestBody
from .turns import COMPARES

router = Router("evidence")

Since = Annotated[int, Query(ge=1, le=2**63 - 1, description="How many events the earlier head has.")]

_HEADS: Final = (
    f"One head or many, {MOST_ASKED} different ones at most, as `lepton sign-head` and witnesses write them."
)


class HeadsAsked(RequestBody):
    """Heads that were kept elsewhere."""

    heads: str = Field(description=_HEADS)


@router.get("/head", summary="Where the log ends", responses=answers(SIGNED_HEAD))
def head(call: Call) -> Response:
    """How many events the log has, their Merkle root and the time, signed where the server has a key.

    `at` gives the head as it was behind an event; it bears no time.
    """
    return call.read(present_head(call.workspace, call.service.home.settings))


@router.get("/proofs", summary="Prove that the log only grew", responses=answers(PROOF))
def growth(call: Call, since: Since) -> Response:
    """The hashes that lead from the root over the first `since` events to that of the head (RFC 9162, 2.1.4).

    The earlier head in it is this log's own: put the one that you kept in its place, and check the proof.
    """
    signer = signer_if_any(call.service.home.settings, None, None, None)
    return call.read(prove_since_size(call.workspace, since, head_to_prove(call.workspace, None, (), signer)))


@router.get("/proofs/{event}", summary="Prove that an event is in the log", responses=answers(PROOF))
def proof(call: Call, event: str) -> Response:
    """The event's stored bytes, the hashes up to the root (RFC 9162), and the head, signed where the server has a key.

    `event` is a `seq`, or a revision such as credit@production: of a branch or alias its last move is proved, of a tag
    its binding, of a version its commit. docs/evidence.md has the form, docs/verify_proof.py checks it.
    """
    return call.read(call.manager.prove(event))


@router.get("/verify", summary="Prove that the log is whole", responses=answers(VERIFIED), dependencies=COMPARES)
def verify(call: Call) -> Response:
    """Recompute the Merkle root from all stored bytes. It reads the whole log."""
    return call.read(call.manager.verify())


@router.post(
    "/verify",
    summary="Hold the log against heads",
    responses=answers(VERIFIED, marks=(RECORDS_NOTHING,)),
    dependencies=COMPARES,
)
def verify_heads(call: Call, asked: HeadsAsked) -> Response:
    """As `GET /verify`, and whether the log goes on from these heads: 409 names the events among which it does not.

    Signatures are not looked at: whoever keeps a head checks them.
    """
    call.visitor.rights.check_everywhere("admin")
    return call.read(verify_against(call.workspace, heads_asked(asked.heads, ())))
