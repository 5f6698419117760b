"""The aggregate of one chain: its steps, and what became of each last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from immutables import Map

from ...errors import UnknownRevision
from ...events.chain import ChainAdvanced, ChainDefined, ChainStepPlan
from ...events.envelope import Recorded


class StepOutcome(NamedTuple):
    """What became of a step, and who told it: the reason opens with that one's key."""

    seq: int
    actor: str
    event: ChainAdvanced


@dataclass(frozen=True, slots=True)
class ChainState:
    """What a chain's events add up to."""

    name: str = ""
    steps: Mapping[str, ChainStepPlan] = Map()
    told: Mapping[str, StepOutcome] = Map()
    """By step, what became of it last."""
    models: frozenset[str] = frozenset()
    """The models that any of its steps ever were about."""

    @property
    def known(self) -> ChainState:
        """The chain itself. Raises `UnknownRevision` where there is none."""
        if not self.steps:
            raise UnknownRevision(f"there is no chain {self.name!r}; `lepton chains` lists them")
        return self

    @property
    def outcomes(self) -> Mapping[str, StepOutcome]:
        """What became of the steps, without those that are to be asked for again: one that they need was since."""
        counted = dict[str, StepOutcome]()
        for name, step in self.steps.items():
            outcome, needed = self.told.get(name), [counted.get(each) for each in step.needs]
            if outcome is not None and all(each is not None and each.seq < outcome.seq for each in needed):
                counted[name] = outcome
        return counted


def evolve(chain: ChainState, recorded: Recorded) -> ChainState:
    """The chain after one more event."""
    match event := recorded.event:
        case ChainDefined():
            return ChainState(event.chain, {each.step: each for each in event.steps}, models=chain.models)
        case ChainAdvanced():
            told = Map({**chain.told, event.step: StepOutcome(recorded.seq, recorded.actor, event)})
            models = chain.models if event.model is None else chain.models | {event.model}
            return replace(chain, told=told, models=models)
        case _:
            return chain
