"""A transaction of the ledger: what stands beside the events stands or falls with them."""

from __future__ import annotations

import pytest

from lepton_ai.domain.commands import CreateBranch
from lepton_ai.errors import KeyReused, Refused, Stale
from lepton_ai.events.actor import Actor
from lepton_ai.events.bookmark import Bookmark
from lepton_ai.events.sql.audit import verify
from lepton_ai.ledger import Ledger, Receipt, Request

from ..asking import commit, note


def test_a_refusal_is_an_answer_and_keeps_no_other_command_from_being_recorded(ledger: Ledger, actor: Actor) -> None:
    requests = [Request(commit(1), actor, "a"), Request(commit(9), actor), Request(note(1), actor)]

    with ledger.transaction(requests) as transaction:
        first, stale, last = [transaction.decide(request) for request in requests]

    assert isinstance(first, Receipt)
    assert isinstance(stale, Stale)
    assert isinstance(last, Receipt)
    with ledger.transaction(requests[:1]) as transaction:
        again, reused = transaction.decide(requests[0]), transaction.decide(Request(commit(1), actor, "a"))
    assert (again, reused) == (Receipt("a", first.events, repeated=True),) * 2
    assert isinstance(ledger.admit_all([Request(commit(2, 1), actor, "a")])[0], KeyReused)
    assert verify(ledger.store).size == 3


def test_what_is_written_beside_stays_where_no_event_is_recorded(ledger: Ledger) -> None:
    with ledger.transaction() as transaction:
        transaction.admission.move("inbox", 0, None, Bookmark(7))

    assert ledger.store.position("inbox", 0) == 7
    assert ledger.store.end() == 0


def test_whatever_the_block_raises_undoes_events_positions_and_memory(ledger: Ledger, actor: Actor) -> None:
    ledger.admit(commit(1), actor)
    request = Request(CreateBranch(model="credit", branch="next", version=1), actor, "k")

    with pytest.raises(Refused, match="not now"), ledger.transaction([request]) as transaction:  # noqa: PT012
        transaction.decide(request)
        transaction.admission.move("inbox", 0, None, Bookmark(7))
        raise Refused("not now")

    assert ledger.store.position("inbox", 0) is None
    assert ledger.store.known("k") is None
    assert ledger.admit_all([request])[0] == Receipt("k", ledger.admit_all([request])[0].events)  # type: ignore[union-attr]
    assert verify(ledger.store).size == 3
