"""Chains: steps that need one another, as they stand. They are run where the ledger is, by `lepton chain`."""

from __future__ import annotations

from starlette.responses import Response

from ....results.shapes.work import CHAIN, CHAINS
from ...caller import Call
from ...described import answers
from ...routing import Router

router = Router("chains")


@router.get("/chains", summary="The chains", responses=answers(CHAINS))
def chains(call: Call) -> Response:
    """The chains by name, each as it stands."""
    return call.read(call.manager.chains())


@router.get("/chains/{chain}", summary="A chain", responses=answers(CHAIN))
def chain(call: Call, chain: str) -> Response:
    """A chain: its steps, each behind those that it needs, and what became of each."""
    return call.read(call.manager.show_chain(chain))
