"""The aggregates by stream, and the one fold that makes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from ..errors import NewerLedger
from ..events.envelope import Recorded
from ..events.ledger import FORMAT, LedgerCreated, LedgerUpgraded, newer
from ..events.objects import ObjectsCondemned
from ..events.outside import DatasetRecorded
from .access import state as tokens
from .access.state import TokenState
from .chains import state as chains
from .chains.state import ChainState
from .data import state as data
from .data.state import DataState
from .job import state as job
from .job.state import JobState
from .model import state as model
from .model.state import ModelState
from .run import state as run
from .run.state import RunState
from .streams import LEDGER, OBJECTS
from .studies import state as studies
from .studies.state import StudyState
from .suites import state as suites
from .suites.state import SuiteState
from .told import Dataset, Endpoint


@dataclass(frozen=True, slots=True)
class Objects:
    """What the events of the object store add up to, as far as a decision needs it: what lies where is a table."""

    folds: ClassVar[tuple[type, ...]] = (ObjectsCondemned,)
    """The only type it is folded from: packs are many, and saves only ask which are condemned."""

    condemned: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class LedgerState:
    """The ledger's own aggregate."""

    ledger: str = ""
    format: int = 0


Aggregate = (
    ModelState
    | RunState
    | JobState
    | Objects
    | Dataset
    | Endpoint
    | DataState
    | SuiteState
    | ChainState
    | StudyState
    | TokenState
    | LedgerState
)
State = Mapping[str, Aggregate]
"""The aggregates of the streams that a command named."""


def empty(stream: str) -> Aggregate:
    """The aggregate of a stream before its first event."""
    if stream.startswith("model/"):
        return ModelState(name=stream.removeprefix("model/"))
    if stream.startswith("run/"):
        return RunState()
    if stream.startswith("job/"):
        return JobState()
    if stream.startswith("data/"):
        return DataState(stream.removeprefix("data/"))
    if stream.startswith("dataset/"):
        return Dataset()
    if stream.startswith("endpoint/"):
        return Endpoint()
    if stream.startswith("suite/"):
        return SuiteState(stream.removeprefix("suite/"))
    if stream.startswith("chain/"):
        return ChainState(stream.removeprefix("chain/"))
    if stream.startswith("study/"):
        return StudyState(stream.removeprefix("study/"))
    if stream.startswith("token/"):
        return TokenState()
    if stream == OBJECTS:
        return Objects()
    if stream == LEDGER:
        return LedgerState()
    raise NewerLedger(f"the ledger holds a stream {stream!r}; this Lepton is older: update the package")


def folded_types(stream: str) -> tuple[str, ...] | None:
    """The stored names of the only types a stream's aggregate looks at, None where it looks at all."""
    kinds: Any = getattr(empty(stream), "folds", None)
    return None if kinds is None else tuple(kind.type_name() for kind in kinds)


def evolve(state: Aggregate, recorded: Recorded) -> Aggregate:
    """An aggregate after one more of its events."""
    match state:
        case ModelState():
            return model.evolve(state, recorded)
        case RunState():
            return run.evolve(state, recorded)
        case JobState():
            return job.evolve(state, recorded)
        case Objects():
            event = recorded.event
            return Objects(state.condemned.union(event.packs)) if isinstance(event, ObjectsCondemned) else state
        case Dataset():
            return Dataset(recorded.event.data) if isinstance(recorded.event, DatasetRecorded) else state
        case SuiteState():
            return suites.evolve(state, recorded)
        case ChainState():
            return chains.evolve(state, recorded)
        case StudyState():
            return studies.evolve(state, recorded)
        case TokenState():
            return tokens.evolve(state, recorded)
        case DataState():
            return data.evolve(state, recorded)
        case Endpoint():
            return state
        case LedgerState():
            return _ledger(state, recorded)


def _ledger(state: LedgerState, recorded: Recorded) -> LedgerState:
    match recorded.event:
        case LedgerCreated(ledger=ledger, format=number):
            state = LedgerState(ledger, number)
        case LedgerUpgraded(format=number):
            state = replace(state, format=number)
        case _:
            return state
    if state.format > FORMAT:
        raise newer(state.format)
    return state
