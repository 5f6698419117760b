"""Proofs that are checked without the ledger."""

from __future__ import annotations

from starlette.responses import Response

from ...results.shapes.ledger import PROOF
from ..caller import Call
from ..described import answers
from ..routing import Router

router = Router("evidence")


@router.get("/proofs/{event}", summary="Prove that an event is in the log", responses=answers(PROOF))
def proof(call: Call, event: str) -> Response:
    """The event's stored bytes, the hashes up to the root (RFC 9162), and the head, signed where the server has a key.

    `event` is a `seq`, or a revision such as credit@production: of a branch or alias its last move is proved, of a tag
    its binding, of a version its commit. docs/evidence.md has the form, docs/verify_proof.py checks it.
    """
    return call.read(call.manager.prove(event))
