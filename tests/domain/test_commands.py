"""What makes two commands under one idempotency key the same: everything asked, nothing found out on the way."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any, get_args

import pytest

from lepton_ai.domain.access.commands import TokenCommand
from lepton_ai.domain.chains.commands import AdvanceChain, ChainCommand
from lepton_ai.domain.commands import (
    AnyCommand,
    Command,
    Delta,
    OfChain,
    OfData,
    OfGates,
    OfJob,
    OfStudy,
    OfSuite,
    OfToken,
    RollBack,
    RollBackAlias,
    StartRun,
    Stored,
)
from lepton_ai.domain.data.commands import NameData
from lepton_ai.domain.gates.commands import GateCommand
from lepton_ai.domain.job.commands import JobCommand, Ready
from lepton_ai.domain.model.recipe import Recipe
from lepton_ai.domain.studies.commands import End, Parameter, StudyCommand
from lepton_ai.domain.suites.commands import DefineSuite, SuiteCommand
from lepton_ai.errors import LeptonError
from lepton_ai.events.catalogue import CATALOGUE
from lepton_ai.events.chain import ChainStepPlan
from lepton_ai.events.model import File, Parent
from lepton_ai.events.objects import ManifestWritten, PackWritten
from lepton_ai.events.outside import ObservationRecorded
from lepton_ai.events.run import MetricsLogged

from .past import START, Past, digest, saving

BLOCK = MetricsLogged(names=("loss",), steps=(1,), values=(0.5,), times=(START,))
SEEN = ObservationRecorded(model="credit", version=1, since=START, until=START, rows=1, metrics={"f1": 0.5})
PACK = PackWritten(pack="p", bytes=1, entries=1, index=digest("i"))
PAGE = ManifestWritten(manifest=digest("m"), page=0, names=(), dtypes=(), shapes=(), bytes=(), digests=())
PLAN = ChainStepPlan(step="train", kind="train", digest="d")

# for each field of any command two values that a caller could mean
VALUES: dict[str, tuple[Any, Any]] = {
    "test": (None, {"test": "DeLong", "figure": "roc_auc", "difference": 0.1, "p": 0.2, "n": 9, "level": 0.95}),
    "bootstrap": (None, {"scheme": "single rows", "draws": 9, "level": 0.9, "seed": 0}),
    "model": ("credit", "fraud"),
    "run": ("r1", "r2"),
    "branch": ("main", "wide"),
    "tag": ("v1", "v2"),
    "alias": ("production", "challenger"),
    "asked": ({}, {"words": "main~1"}),
    "asked_parents": (None, (Parent(model="credit", version=1),)),
    "parents": ((), (Parent(model="credit", version=1),)),
    "expected": (None, 1),
    "tensors": (digest(1), digest(2)),
    "keyframe": (True, False),
    "delta": (None, Delta(digest(1), 1, 1, 1, True)),
    "stored": (Stored(), Stored((PACK,))),
    "recipe": (Recipe(), Recipe(settings={"epochs": 2})),
    "metrics": ({"f1": 0.5}, {"f1": 0.6}),
    "validation": (None, {"digest": "d"}),
    "task": (None, "binary"),
    "validation_source": ("", "file:///rows.csv"),
    "better": ({}, {"fid": "lower"}),
    "annotations": ({"a": 1}, {"a": 2}),
    "tags": ((), ("v1",)),
    "files": ((), (File(name="a", digest=digest(1), bytes=1),)),
    "replayed": ((), (digest(1),)),
    "move_aliases": ((), ("production",)),
    "data": ({"rows": 1}, {"rows": 2}),
    "blocks": ((BLOCK,), (BLOCK, BLOCK)),
    "pages": ((PAGE,), (PAGE, PAGE)),
    "error": (None, "ValueError"),
    "worse": (True, False),
    "ready": ((), (Ready("w1", "default", frozenset(), 1),)),
    "now": (START, START + timedelta(hours=1)),
    "made": (saving(1), saving(2)),
    "digest": (digest(1), digest(2)),
    "dataset": ("loans", "cars"),
    "endpoint": ("scoring", "pricing"),
    "observed": (SEEN, SEEN.model_copy(update={"rows": 2})),
    "ledger": ("l1", "l2"),
    "token": ("t1", "t2"),
    "chain": ("nightly", "weekly"),
    "steps": ((PLAN,), (PLAN, PLAN)),
    "step": ("train", "gate"),
    "owner": ("a1", "a2"),
    "scopes": (("read",), ("read", "sql")),
    "models": (("*",), ("credit",)),
    "expires": (None, START),
    "pack": ("packs/00/1", "packs/00/2"),
    "kept": (None, digest(1)),
    "label": (None, "y"),
    "into": (None, ("packs/00/3",)),
    "after": ((), ("j0",)),
    "study": ("lr", ""),
    "directions": (("minimize",), ("maximize", "minimize")),
    "parameters": ({}, {"lr": Parameter(value=0.5, distribution={"kind": "float"})}),
    "reported": ({}, {1: 0.5}),
    "user": ({}, {"a": 1}),
    "system": ({}, {"a": 1}),
    "end": (End(status="complete", values=(0.5,)), End(status="failed")),
    "status": ("running", "waiting"),
    "started": (None, START),
    "search": ({}, {"space": {}}),
}
STREAMS = {
    "model",
    "run",
    "job",
    "dataset",
    "data",
    "endpoint",
    "suite",
    "chain",
    "study",
    "token",
    "objects",
    "ledger",
}
TEXTS = ("message", "reason", "description", "name")
MAPPINGS = (
    "payload",
    "result",
    "environment",
    "code",
    "hyperparameters",
    "metrics_from",
    "metrics_to",
    "difference",
    "limits",
    "selection",
    "profile",
)
KINDS: tuple[type[Command], ...] = tuple(
    kind
    for union in (
        *get_args(AnyCommand),
        JobCommand,
        GateCommand,
        NameData,
        SuiteCommand,
        ChainCommand,
        *(StudyCommand, TokenCommand),
    )
    for kind in (get_args(union) or (union,))
    if kind not in (OfJob, OfData, OfGates, OfSuite, OfChain, OfStudy, OfToken)
)


def values(kind: type[Command], name: str) -> tuple[Any, Any]:
    if name == "expected" and kind.__name__ == "MoveAliases":
        return {}, {"production": 1}
    if name == "parameters" and not issubclass(kind, OfStudy):
        return 1, 2
    if name in ("kind", "pool", "source"):
        return "a", "b"
    if name == "suite":
        return ("weekly" if issubclass(kind, OfSuite) else None), "nightly"
    if name == "report" and kind is DefineSuite:
        return {}, {"draws": 7}
    if name in ("rows", "metrics") and issubclass(kind, OfSuite):
        return ({}, {1: digest(1)}) if name == "rows" else ((), ("f1",))
    if name in ("label", "watched", "named", "evaluation") and kind is DefineSuite:
        return "a", "b"
    if name in ("moved", "described"):
        return False, True
    if name == "suites":
        return {}, {"nightly": 1}
    if name == "override":
        return False, True
    if name == "requirements":
        return ("f1 > 1",), ("f1 > 2",)
    if name == "against" and kind.__name__ in ("ProtectAlias", "DefineSuite"):
        return None, "production"
    if name == "needs":
        return (), ("cuda",)
    if name == "job" and kind is not AdvanceChain:
        return "j1", "j2"
    if name == "to" and kind.__name__ == "MoveAliases":
        return {"production": 1}, {"production": 2}
    if kind is AdvanceChain and name in ("model", "version", "job"):
        return None, {"model": "credit", "version": 1, "job": "j1"}[name]
    if name in TEXTS:
        return "", "words"
    return ({"a": 1}, {"a": 2}) if name in MAPPINGS else VALUES.get(name, (1, 2))


def example(kind: type[Command]) -> Command:
    return kind(**{each.name: values(kind, each.name)[0] for each in fields(kind)})


CASES = [(kind, each.name) for kind in KINDS for each in fields(kind)]


@pytest.mark.parametrize(("kind", "name"), CASES, ids=[f"{kind.__name__}.{name}" for kind, name in CASES])
def test_a_field_counts_if_it_was_asked_for_and_not_if_it_was_found_out(kind: type[Command], name: str) -> None:
    one = example(kind)
    other = replace(one, **{name: values(kind, name)[1]})

    assert (one.content() == other.content()) == (name in kind.incidental)


SEALED = {name for event in CATALOGUE.values() for name in event.free_text}
"""What a field is called whose text an event seals."""


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_a_command_calls_incidental_or_free_text_are_fields_it_has(kind: type[Command]) -> None:
    names = {each.name for each in fields(kind)}

    assert {*kind.incidental, *kind.free_text} <= names
    assert names & SEALED == set(kind.free_text)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_command_names_the_streams_it_reads(kind: type[Command]) -> None:
    command = example(kind)

    assert all(stream.split("/")[0] in STREAMS for stream in command.reads())


def test_commands_of_different_kinds_are_never_the_same() -> None:
    contents = [example(kind).content() for kind in KINDS]

    assert all(contents.count(content) == 1 for content in contents)


def test_two_attempts_at_one_save_are_the_same_though_the_head_moved_and_bytes_lie_elsewhere() -> None:
    first = saving(2, 1, stored=Stored((PACK,)), environment={"host": "a"}, code={"dirty": False}, message="tuned")
    again = saving(
        2,
        3,
        stored=Stored(relies_on=frozenset({"p"})),
        keyframe=False,
        delta=Delta(digest("Δ"), 9, 9, 1, True),
        environment={"host": "b"},
        code={"dirty": True},
        message="tuned",
    )

    assert first.content() == again.content()


def test_two_attempts_at_one_rollback_are_the_same_though_the_first_had_moved_the_head() -> None:
    asked = {"to": "main~2"}
    first = RollBack(model="credit", branch="main", asked=asked, to=1, from_version=3, replayed=(digest("Δ"),))
    alias = RollBackAlias(model="credit", alias="production", asked={"to": None}, to=1, from_version=3)

    assert first.content() == replace(first, to=2, from_version=1, replayed=()).content()
    assert alias.content() == replace(alias, to=3, from_version=1).content()


def test_two_attempts_to_start_one_run_are_the_same_though_the_machine_changed() -> None:
    first = StartRun(run="r1", model="credit", environment={"host": "a"})

    assert first.content() == replace(first, environment={"host": "b"}).content()


def test_a_command_of_no_kind_reads_no_stream() -> None:
    with pytest.raises(TypeError, match="Command reads no stream"):
        Command().reads()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_of_command_is_decided_or_refused_in_our_words(kind: type[Command]) -> None:
    past = Past(saving(1), saving(1, model="fraud"))

    with suppress(LeptonError):
        assert isinstance(past.decided(example(kind)), tuple)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.joined], ids=lambda kind: kind.__name__)
def test_a_field_that_joined_later_is_in_no_key_that_an_earlier_lepton_kept(kind: type[Command]) -> None:
    unsaid = replace(example(kind), **{name: values(kind, name)[0] for name in kind.joined})

    assert not {*kind.joined} & unsaid.content().keys()
