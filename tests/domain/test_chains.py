"""Chains as they are remembered: what is news, and what counts no more once a step that is needed was done again."""

from __future__ import annotations

from typing import cast

import pytest

from lepton_ai.domain.chains.commands import AdvanceChain, DefineChain
from lepton_ai.domain.chains.state import ChainState
from lepton_ai.domain.commands import AnyCommand
from lepton_ai.domain.decide import decide
from lepton_ai.domain.state import empty
from lepton_ai.errors import Refused, UnknownRevision
from lepton_ai.events.chain import ChainStepPlan

from .past import Past

STREAM = "chain/nightly"
TRAIN = ChainStepPlan(step="train", kind="train", digest="a")
GATE = ChainStepPlan(step="gate", kind="gate", needs=("train",), digest="b")
TAG = ChainStepPlan(step="tag", kind="tag", needs=("gate",), digest="c")
DEFINED = DefineChain(chain="nightly", steps=(TRAIN, GATE, TAG))


def trained(job: str) -> AdvanceChain:
    return AdvanceChain(chain="nightly", step="train", job=job, model="credit")


def done(step: str) -> AdvanceChain:
    return AdvanceChain(chain="nightly", step=step, model="credit", version=1)


def after(*commands: AnyCommand) -> ChainState:
    """The chain once these were decided, one after another."""
    return cast(ChainState, Past(*commands).state(STREAM))


def test_what_is_known_of_a_chain_is_no_news() -> None:
    chain = after(DEFINED, trained("j1"), done("gate"))

    for known in (DEFINED, trained("j1"), done("gate")):
        assert decide({STREAM: chain}, known) == ()
    for news in (trained("j2"), done("tag"), DefineChain(chain="nightly", steps=(TRAIN,))):
        assert len(decide({STREAM: chain}, news)) == 1
    assert chain.models == {"credit"}


def test_what_stands_behind_a_step_that_was_done_again_counts_no_more_however_far_behind() -> None:
    chain = after(DEFINED, trained("j1"), done("gate"), done("tag"))
    again = after(DEFINED, trained("j1"), done("gate"), done("tag"), trained("j2"))

    assert set(chain.outcomes) == {"train", "gate", "tag"}
    assert set(again.outcomes) == {"train"}
    assert len(decide({STREAM: again}, done("gate"))) == 1, "the same again is news then"


def test_a_refusal_is_told_each_time_and_other_steps_begin_anew() -> None:
    refused = AdvanceChain(chain="nightly", step="train", reason="sealed:r")
    chain = after(DEFINED, refused)

    assert len(decide({STREAM: chain}, refused)) == 1
    other = after(DEFINED, refused, DefineChain(chain="nightly", steps=(TRAIN, GATE)))
    assert (set(other.steps), other.outcomes) == ({"train", "gate"}, {})


def test_a_step_that_the_chain_has_not_is_refused() -> None:
    with pytest.raises(Refused, match="chain 'nightly' has no step 'judge' any more"):
        decide({STREAM: after(DEFINED)}, done("judge"))
    with pytest.raises(UnknownRevision, match="there is no chain 'nightly'; `lepton chains`"):
        decide({STREAM: empty(STREAM)}, done("train"))
