"""A ledger in memory for the domain's tests: decided, encoded, and folded both live and from its bytes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import reduce
from hashlib import sha256
from typing import Any, cast
from uuid import UUID

from lepton_ai.domain.append import Append
from lepton_ai.domain.commands import AnyCommand, Commit, Stored
from lepton_ai.domain.decide import decide
from lepton_ai.domain.model.recipe import Recipe
from lepton_ai.domain.model.state import ModelState
from lepton_ai.domain.state import Aggregate, empty, evolve, folded_types
from lepton_ai.events.envelope import Origin, Recorded, decode, encoder
from lepton_ai.events.model import Parent

START = datetime(2026, 11, 20, 9, tzinfo=UTC)
CREDIT = "model/credit"


def digest(what: object) -> str:
    """A digest that stands for something."""
    return f"sha256:{sha256(repr(what).encode()).hexdigest()}"


def saving(tensors: object = "θ", *parents: int | Parent, branch: str = "main", **changes: Any) -> Commit:
    """A commit to model credit, as the SDK asks for it."""
    model = changes.get("model", "credit")
    named = tuple(Parent(model=model, version=each) if isinstance(each, int) else each for each in parents)
    asked: dict[str, Any] = {
        "model": "credit",
        "branch": branch,
        "asked_parents": None,
        "parents": named,
        "tensors": digest(tensors),
        "tensor_count": 2,
        "parameters": 30,
        "bytes": 120,
        "keyframe": True,
        "delta": None,
        "stored": Stored(),
        "recipe": Recipe(hyperparameters={"learning_rate": 0.01}),
    }
    return Commit(**(asked | changes))


class Past:
    """A log in memory: `ask` decides a command and records what it becomes, an hour after the last."""

    def __init__(self, *commands: AnyCommand) -> None:
        self.log: list[bytes] = []
        self.live: dict[str, Aggregate] = {}
        self.lengths: dict[str, int] = {}
        self.now = START
        for command in commands:
            self.ask(command)

    def ask(self, command: AnyCommand, *, at: datetime | None = None) -> tuple[Append, ...]:
        """Decide a command and record its events, at a time if one is named."""
        appends = self.decided(command)
        self.now = at or (self.now + timedelta(hours=1))
        self.record(*appends)
        return appends

    def decided(self, command: AnyCommand) -> tuple[Append, ...]:
        """What a command would become, recording nothing."""
        appends = decide({stream: self.state(stream) for stream in command.reads()}, command)
        assert {append.stream for append in appends} <= set(command.reads()), "a command writes where it reads"
        return appends

    def record(self, *appends: Append) -> None:
        """Keep events as bytes, and fold them as the ledger does that has just decided them."""
        origin = Origin("ada", self.now, "key", "hmac-sha256:00")
        encode = encoder("/lepton/past", origin, self.now)
        for stream, event in appends:
            seq = len(self.log) + 1
            id = str(UUID(int=seq))
            self.lengths[stream] = version = self.lengths.get(stream, 0) + 1
            self.log.append(encode(event, stream, version, seq, id))
            recorded = Recorded(seq, stream, version, id, self.now, self.now, "ada", "key", None, None, event)
            self.live[stream] = evolve(self.state(stream), recorded)

    def state(self, stream: str) -> Aggregate:
        """The aggregate of a stream, as live operation folded it."""
        return self.live.get(stream) or empty(stream)

    @property
    def credit(self) -> ModelState:
        """The model that most tests are about."""
        return cast(ModelState, self.state(CREDIT))

    def replayed(self, stream: str, until: int | None = None) -> Aggregate:
        """The aggregate of a stream, folded from stored bytes alone; of the types it looks at, if it says which."""
        kinds = folded_types(stream)
        events = (each for each in map(decode, self.log[:until]) if each.stream == stream)
        return reduce(evolve, (each for each in events if kinds is None or each.event.type in kinds), empty(stream))


def credit(*events: Any) -> tuple[Append, ...]:
    """Events of model credit, as `decide` appends them."""
    return tuple(Append(CREDIT, event) for event in events)
