"""The ledger as it was: behind every event a reader finds what was there then, and can write nothing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from random import Random

import pytest

from lepton_ai.domain.commands import (
    AnyCommand,
    Archive,
    CreateBranch,
    CreateTag,
    DeleteAlias,
    DeleteTag,
    FinishRun,
    LogMetrics,
    MoveAliases,
    RollBack,
    StartRun,
)
from lepton_ai.domain.state import Aggregate, empty, evolve, folded_types
from lepton_ai.domain.streams import OBJECTS
from lepton_ai.errors import Refused
from lepton_ai.events.actor import Actor
from lepton_ai.events.envelope import Recorded, decode
from lepton_ai.events.model import ModelRegistered, VersionCommitted
from lepton_ai.events.run import MetricsLogged
from lepton_ai.ledger import Ledger, folding, past

from ..asking import commit, note

STREAMS = ("model/credit", "model/other", "run/r1", "run/r2", OBJECTS, "model/never")


def commands() -> list[AnyCommand]:
    """Much that happens, to two models and two runs in turn."""
    other = {"model": "other"}
    asked: list[AnyCommand] = [commit(1), StartRun(run="r1", model="credit"), commit(1, **other)]
    for number in range(2, 9):
        asked += [commit(number, number - 1), commit(number, number - 1, **other), note(number)]
        asked += [MoveAliases(model="credit", to={"production": number, f"was{number % 3}": number - 1})]
        asked += [CreateTag(model="credit", tag=f"t{number}", version=number)]
    asked += [
        CreateBranch(model="credit", branch="wide", version=3),
        StartRun(run="r2", model="other"),
        LogMetrics(run="r1", blocks=(MetricsLogged(names=(), steps=(), values=(), times=()),)),
        DeleteTag(model="credit", tag="t4"),
        DeleteAlias(model="credit", alias="was1"),
        RollBack(model="credit", branch="main", to=4, from_version=8),
        FinishRun(run="r1"),
        Archive(model="other"),
    ]
    return asked


def replayed(log: Sequence[Recorded], stream: str) -> Aggregate:
    """What the events of a stream add up to, folded from the first on."""
    kinds = folded_types(stream)
    events = (each for each in log if each.stream == stream and (kinds is None or each.event.type in kinds))
    return reduce(evolve, events, empty(stream))


def test_behind_every_event_all_is_as_a_replay_has_it(
    ledger: Ledger, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past, "STRIDE", 7)
    monkeypatch.setattr(folding, "KEPT", 4)
    for command in commands():
        ledger.admit(command, actor)
    log = [decode(row.envelope, row.leaf, row.seq) for row in ledger.store.read(0, 1000)]
    seqs = list(range(len(log) + 1))
    Random(7).shuffle(seqs)

    for seq in seqs:
        before, then = log[:seq], ledger.as_of(seq)
        for stream in STREAMS:
            assert then.state(stream) == replayed(before, stream), f"{stream} behind event {seq}"
        first = [each.stream for each in before if each.stream_version == 1]
        assert then.store.end() == seq
        assert [row.seq for row in then.store.read(0, 1000)] == [each.seq for each in before]
        assert then.store.streams("run/") == sorted(each for each in first if each.startswith("run/"))
        assert then.store.streams_holding("model/", ModelRegistered.type_name()) == sorted(
            {each.stream for each in before if isinstance(each.event, ModelRegistered)}
        )
        assert then.store.newest_streams("model/", 1) == [each for each in first if each.startswith("model/")][-1:]
        commits = then.store.rows_of_type("lepton.version.committed.v2", 0, len(log))
        assert len(commits) == sum(isinstance(each.event, VersionCommitted) for each in before)


def test_what_came_since_changes_nothing_of_the_past_and_the_past_takes_nothing(ledger: Ledger, actor: Actor) -> None:
    for command in commands():
        ledger.admit(command, actor)
    then, end = ledger.as_of(20), ledger.store.end()
    stood = then.state("model/credit")
    ledger.admit(note("later"), actor)

    assert then.state("model/credit") == stood
    assert then.as_of(30).store.end() == 20
    with pytest.raises(Refused, match="as it was behind event 20; write to it as it is now"):
        then.admit(note("back then"), actor)
    assert ledger.store.end() == end + 1


def test_a_database_that_was_set_back_is_folded_from_what_it_holds_now(
    ledger: Ledger, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past, "STRIDE", 2)
    for command in commands():
        ledger.admit(command, actor)
    known = ledger.as_of(30).state("model/credit")
    kept = folding.PastFolds.before
    # the leaf of what was folded is another's by now
    monkeypatch.setattr(
        folding.PastFolds,
        "before",
        lambda self, stream, version: [at._replace(leaf=b"other") for at in kept(self, stream, version)],
    )

    assert ledger.as_of(30).state("model/credit") == known
