"""The domain's laws: replaying gives what live operation gave, two writers never both win, and names mean one thing."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_ai.domain.commands import (
    Annotate,
    AnyCommand,
    Archive,
    Checkpoint,
    ClearVersion,
    CreateBranch,
    CreateTag,
    DefineMetrics,
    DeleteAlias,
    DeleteBranch,
    DeleteTag,
    Delta,
    Describe,
    FinishRun,
    LogMetrics,
    MoveAliases,
    RecordEvaluation,
    RecordMetrics,
    RecordRehearsal,
    RollBack,
    RollBackAlias,
    StartRun,
    Stored,
    Unarchive,
)
from lepton_ai.domain.model.recipe import Recipe
from lepton_ai.domain.model.state import ModelState
from lepton_ai.domain.state import evolve
from lepton_ai.errors import NotInPast, Refused, Stale
from lepton_ai.events.envelope import decode
from lepton_ai.events.model import File, Parent
from lepton_ai.events.objects import PackWritten
from lepton_ai.events.run import MetricsLogged

from ..examples import examples
from .past import CREDIT, START, Past, digest, saving

# ── commands at random: most can be done, some are refused ───────────────────────────────────────────────────────────

numbers = st.integers(1, 8)
branches = st.sampled_from(["main", "wide", "deep/er"])
aliases = st.sampled_from(["production", "challenger", "wide"])
tags = st.sampled_from(["v1", "best", "production"])
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
notes = st.dictionaries(st.sampled_from(["ticket", "note b", "n.c"]), scalars, max_size=3)
metrics = st.dictionaries(
    st.sampled_from(["f1", "val/loss", "精度"]), st.floats(allow_nan=False, allow_infinity=False) | st.integers(-9, 9)
)
exact = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts
exact |= st.floats(allow_nan=False, allow_infinity=False)
json = st.dictionaries(
    texts,
    st.recursive(
        exact, lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(texts, inner, max_size=3)
    ),
    max_size=3,
)
recipes = st.builds(Recipe, json, json, json, st.none() | json, st.none() | json) | st.just(Recipe())
packs = st.integers(0, 9).map(lambda n: PackWritten(pack=f"p{n}", bytes=n, entries=n, index=digest(n)))
stored = st.builds(lambda pack: Stored(packs=(pack,)), packs) | st.just(Stored())
deltas = st.none() | st.builds(Delta, st.just(digest("Δ")), numbers, numbers, numbers, st.booleans())
files = st.lists(st.builds(File, name=st.sampled_from(["a", "b/c"]), digest=st.just(digest("f")), bytes=numbers))

Ask = Callable[[ModelState], AnyCommand]


@st.composite
def commits(draw: st.DrawFn) -> Ask:
    """A commit: from the head where nothing else is drawn, so that most succeed."""
    branch, others, from_head = draw(branches), draw(st.lists(numbers, max_size=2)), draw(st.integers(0, 4)) > 0
    changes: dict[str, Any] = {
        "recipe": draw(recipes),
        "stored": draw(stored),
        "delta": draw(deltas),
        "environment": draw(json),
        "code": draw(json),
        "metrics": draw(metrics),
        "annotations": draw(notes),
        "tags": tuple(draw(st.lists(tags, max_size=1))),
        "files": tuple(draw(files)),
        "message": draw(texts),
        "expected": draw(st.none() | numbers),
    }
    tensors = draw(st.integers(0, 3))

    def ask(model: ModelState) -> AnyCommand:
        head = model.head(branch)
        parents = [head] if head and from_head else others[:1] if model.versions else []
        roles = {0: "trained", 1: "merged"}
        named = [*parents, *others[1:]] if model.versions else []
        parent_roles = [Parent(model="credit", version=number, role=roles[len(named) > 1]) for number in named]
        return saving(tensors, *parent_roles, branch=branch, **changes)

    return ask


def fixed(command: st.SearchStrategy[AnyCommand]) -> st.SearchStrategy[Ask]:
    return command.map(lambda asked: lambda model: asked)


@st.composite
def rollbacks(draw: st.DrawFn) -> Ask:
    """A rollback of a branch or alias, begun where that stands."""
    branch, alias, to = draw(branches), draw(st.none() | aliases), draw(numbers)
    follow = tuple(draw(st.lists(aliases, max_size=1)))

    def ask(model: ModelState) -> AnyCommand:
        if alias is None:
            stood = model.head(branch) or 1
            return RollBack(
                model="credit", branch=branch, to=to, from_version=stood, move_aliases=follow, replayed=(digest(to),)
            )
        stood = model.alias(alias) or 1
        return RollBackAlias(model="credit", alias=alias, asked={"to": to}, to=to, from_version=stood, reason="r")

    return ask


C: dict[str, Any] = {"model": st.just("credit")}
R: dict[str, Any] = {"run": st.sampled_from(["r1", "r2"])}
blocks = st.builds(
    lambda values: MetricsLogged(
        names=("loss",) * len(values), steps=(None,) * len(values), values=values, times=(START,) * len(values)
    ),
    st.lists(st.floats(), max_size=3).map(tuple),
)
rows = st.fixed_dictionaries({"digest": st.sampled_from([digest("a"), digest("b")]), "rows": st.integers(1, 9)})
simple: list[st.SearchStrategy[AnyCommand]] = [
    st.builds(CreateBranch, **C, branch=branches, version=numbers),
    st.builds(DeleteBranch, **C, branch=branches),
    st.builds(CreateTag, **C, tag=tags, version=numbers),
    st.builds(DeleteTag, **C, tag=tags),
    st.builds(MoveAliases, **C, to=st.dictionaries(aliases, numbers, max_size=2), reason=texts),
    st.builds(DeleteAlias, **C, alias=aliases),
    st.builds(Annotate, **C, version=numbers, annotations=notes),
    st.builds(Describe, **C, version=st.none() | numbers, description=texts),
    st.builds(RecordMetrics, **C, version=numbers, metrics=metrics, validation=st.none() | rows),
    st.builds(RecordEvaluation, **C, version=numbers, data=json | rows, name=texts, metrics=metrics),
    st.builds(DefineMetrics, **C, better=st.just({"fid": "lower"}) | st.just({"fid": "higher", "gain": "higher"})),
    st.builds(ClearVersion, **C, version=numbers, reason=texts),
    st.builds(
        RecordRehearsal,
        **C,
        from_version=numbers,
        to_version=numbers,
        data=json,
        metrics_from=metrics,
        metrics_to=metrics,
        difference=metrics,
        worse=st.booleans(),
    ),
    st.builds(Archive, **C, reason=texts),
    st.builds(Unarchive, **C, reason=texts),
    st.builds(StartRun, **R, model=st.just("credit"), hyperparameters=json, data=st.none() | json),
    st.builds(LogMetrics, **R, blocks=st.lists(blocks, max_size=2).map(tuple)),
    st.builds(Checkpoint, **R, tensors=st.just(digest("θ")), step=st.none() | numbers, stored=stored),
    st.builds(FinishRun, **R, error=st.none() | st.just("ValueError"), reason=texts, points=numbers),
]
asks = st.one_of(commits(), commits(), rollbacks(), fixed(st.one_of(simple)))
pasts = st.lists(asks, min_size=1, max_size=14)


def lived(sequence: list[Ask], watch: Callable[[Past], None] = lambda past: None) -> Past:
    past = Past(saving("first"))
    for ask in sequence:
        try:
            past.ask(ask(past.credit))
        except Refused:
            continue
        watch(past)
    return past


# ── law 1 ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(pasts)
@settings(max_examples=examples(150), deadline=None)
def test_replaying_the_stored_bytes_gives_what_live_operation_gave_at_every_step(sequence: list[Ask]) -> None:
    def replay_equals_live(past: Past) -> None:
        for stream, state in past.live.items():
            assert past.replayed(stream) == state

    lived(sequence, replay_equals_live)


@given(pasts, st.integers(0, 60))
@settings(max_examples=examples(50), deadline=None)
def test_where_a_replay_is_cut_does_not_matter(sequence: list[Ask], cut: int) -> None:
    past = lived(sequence)

    rest = [each for each in map(decode, past.log[cut:]) if each.stream == CREDIT]

    assert reduce(evolve, rest, past.replayed(CREDIT, until=cut)) == past.credit


@given(pasts)
@settings(max_examples=examples(50), deadline=None)
def test_a_command_refused_or_repeated_leaves_no_trace_in_the_state(sequence: list[Ask]) -> None:
    past = lived(sequence)
    before = past.credit

    for ask in sequence:
        try:
            past.decided(ask(past.credit))
        except Refused:
            continue

    assert past.credit == before == past.replayed(CREDIT)


# ── the shape of every history ───────────────────────────────────────────────────────────────────────────────────────


@given(pasts)
@settings(max_examples=examples(100), deadline=None)
def test_every_history_keeps_its_shape(sequence: list[Ask]) -> None:
    model = lived(sequence).credit

    assert list(range(1, len(model.versions) + 1)) == sorted(model.versions)
    for number, version in model.versions.items():
        assert version.number == number
        assert all(parent < number for parent in version.parents)
        assert len(set(version.parents)) == len(version.parents)
    taken = [*model.live("branch"), *model.live("alias"), *model.tags]
    assert len(set(taken)) == len(taken)
    assert model.live("branch")
    for branch, head in model.live("branch").items():
        assert head in model.past(branch)
        assert set(model.ancestry(head)) <= model.past(branch) <= set(model.versions)


@given(pasts)
@settings(max_examples=examples(50), deadline=None)
def test_a_branch_can_be_put_anywhere_in_its_past_and_back_again(sequence: list[Ask]) -> None:
    past = lived([*sequence, lambda model: Unarchive(model="credit")])
    for branch, head in past.credit.live("branch").items():
        before = past.credit.past(branch)
        for number in before - {head}:
            past.ask(RollBack(model="credit", branch=branch, to=number, from_version=head))
            past.ask(RollBack(model="credit", branch=branch, to=head, from_version=number))
        assert past.credit.past(branch) == before
        assert past.credit.head(branch) == head
        for number in set(past.credit.versions) - before:
            with pytest.raises(NotInPast):
                past.decided(RollBack(model="credit", branch=branch, to=number, from_version=head))


# ── law 4 ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(pasts, branches)
@settings(max_examples=examples(50), deadline=None)
def test_of_two_writers_who_saw_the_same_head_the_second_is_stale(sequence: list[Ask], branch: str) -> None:
    past = lived([*sequence, lambda model: Unarchive(model="credit")])
    head = past.credit.head(branch)
    if head is None:
        return
    one, other = (saving(f"writer {n}", head, branch=branch) for n in (1, 2))

    past.ask(one)

    with pytest.raises(Stale):
        past.decided(other)
    with pytest.raises(Stale):
        past.decided(replace(other, expected=head))


def test_the_same_save_made_by_two_writers_is_one_version() -> None:
    past = Past(saving(1), saving(2, 1))

    assert past.decided(saving(2, 1)) == ()


def test_of_two_rollbacks_begun_at_one_head_the_second_is_stale_unless_it_wants_the_same() -> None:
    past = Past(saving(1), saving(2, 1), saving(3, 2))
    past.ask(RollBack(model="credit", branch="main", to=1, from_version=3))

    assert past.decided(RollBack(model="credit", branch="main", to=1, from_version=3)) == ()
    with pytest.raises(Stale):
        past.decided(RollBack(model="credit", branch="main", to=2, from_version=3))


# ── cost ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def calls(work: Callable[[], object]) -> int:
    """How many calls of Python or C functions some work makes: unlike time, the same on every machine."""
    count = 0

    def counting(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    gc.disable()  # which calls what other tests left behind
    sys.setprofile(counting)
    try:
        work()
    finally:
        sys.setprofile(None)
        gc.enable()
    return count


def test_a_command_costs_the_same_at_any_length_of_history() -> None:
    def costs(past: Past) -> list[int]:
        head = past.credit.head("main") or 0
        commands = (
            saving("next", head, tags=("next",), annotations={"a": 1}),
            saving("next", 1, branch="another"),
            CreateBranch(model="credit", branch="third", version=1),
            DeleteBranch(model="credit", branch="wide"),
            CreateTag(model="credit", tag="fourth", version=1),
            MoveAliases(model="credit", to={"production": head, "challenger": 1}),
            RecordMetrics(model="credit", version=1, metrics={"f1": 1}),
            Annotate(model="credit", version=1, annotations={"a": 2}),
        )
        return [calls(lambda command=command: past.record(*past.decided(command))) for command in commands]

    def at(length: int) -> list[int]:
        past = Past(saving(1), CreateBranch(model="credit", branch="wide", version=1))
        grow(past, length)
        return costs(past)

    at(2)  # a type's schema is built when its first event is made
    assert at(1000) == pytest.approx(at(50), rel=0.05)


def grow(past: Past, length: int) -> None:
    for n in range(2, length):
        past.ask(saving(n, n - 1, tags=(f"t{n}",)))
        past.ask(CreateBranch(model="credit", branch=f"b{n}", version=n))
        past.ask(MoveAliases(model="credit", to={f"a{n}": n, "live": n}))
