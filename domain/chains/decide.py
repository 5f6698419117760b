"""How what is told of a chain is decided: what is known already is no event."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ...errors import Refused
from ...events.chain import ChainAdvanced, ChainDefined
from ..append import Append
from ..commands import OfChain
from ..streams import chain_stream
from .commands import AdvanceChain, ChainCommand, DefineChain
from .state import ChainState

if TYPE_CHECKING:
    from ..state import State


def decide_chain(state: State, asked: OfChain) -> tuple[Append, ...]:
    """The events that a command becomes, none where there is nothing to do; `Refused` where a rule forbids it."""
    stream, command = chain_stream(asked.chain), cast(ChainCommand, asked)
    chain = cast(ChainState, state[stream])
    match command:
        case DefineChain(steps=steps):
            if tuple(chain.steps.values()) == steps:
                return ()
            return (Append(stream, ChainDefined(chain=command.chain, steps=steps)),)
        case AdvanceChain():
            if command.step not in chain.known.steps:
                raise Refused(
                    f"chain {command.chain!r} has no step {command.step!r} any more, for other steps were run by its "
                    "name meanwhile; run yours by a name of its own"
                )
            before = chain.outcomes.get(command.step)
            if before is not None and not command.reason and _became(before.event) == _became(command):
                return ()
            return (Append(stream, _advanced(command)),)


def _advanced(command: AdvanceChain) -> ChainAdvanced:
    return ChainAdvanced(
        step=command.step,
        job=command.job,
        model=command.model,
        version=command.version,
        reason=command.reason,
    )


def _became(told: ChainAdvanced | AdvanceChain) -> tuple[str | None, str | None, int | None]:
    return (told.job, told.model, told.version)
