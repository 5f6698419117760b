"""Gates: by which figures a version is judged, what is refused, and when a protected alias may move."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_ai.domain.append import Append
from lepton_ai.domain.commands import (
    CreateBranch,
    CreateTag,
    DeleteAlias,
    MoveAliases,
    RecordEvaluation,
    RecordMetrics,
    RollBack,
    RollBackAlias,
)
from lepton_ai.domain.gates.commands import JudgeGate, ProtectAlias, UnprotectAlias
from lepton_ai.domain.model.kept_fold import plain_model, recalled_model
from lepton_ai.domain.suites.commands import DefineSuite
from lepton_ai.errors import GateNotMet, LeptonError, Malformed, Refused, Stale, UnknownRevision, read_at
from lepton_ai.events.envelope import decode
from lepton_ai.events.model import (
    AliasDeleted,
    AliasMoved,
    AliasProtected,
    AliasRolledBack,
    AliasUnprotected,
    BranchRolledBack,
    GateJudged,
    JudgedRequirement,
)

from .past import CREDIT, Past, credit, saving

HOLDOUT, OTHER = {"digest": "sha256:h", "rows": 100}, {"digest": "sha256:o", "rows": 50}
BETTER = "f1 >= against.f1 - 0.01"


def evaluated(
    version: int, rows: dict[str, Any] = HOLDOUT, name: str = "holdout", **metrics: float
) -> RecordEvaluation:
    return RecordEvaluation(model="credit", version=version, data=rows, name=name, metrics=metrics, task="binary")


def gate(version: int, *requirements: str, **more: Any) -> JudgeGate:
    return JudgeGate(model="credit", version=version, requirements=requirements, **more)


def judged(past: Past, *asked: Any, **more: Any) -> GateJudged:
    ((_, event),) = past.ask(gate(*asked, **more))
    return cast(GateJudged, event)


def alias(version: int, **more: Any) -> MoveAliases:
    return MoveAliases(model="credit", to={"production": version}, **more)


def protect(*requirements: str, **more: Any) -> ProtectAlias:
    return ProtectAlias(model="credit", alias="production", requirements=requirements, **more)


def four() -> Past:
    """main: 1, 2, 3, 4; all evaluated on the hold-out."""
    past = Past(saving(1), saving(2, 1), saving(3, 2), saving(4, 3))
    for version, f1 in enumerate((0.8, 0.81, 0.7, 0.9), 1):
        past.ask(evaluated(version, f1=f1, ks=0.5))
    return past


def guarded(*requirements: str, **more: Any) -> Past:
    """The same, production on version 1 and protected."""
    past = four()
    past.ask(alias(1))
    past.ask(protect(*(requirements or (BETTER,)), **more))
    return past


# ── gates ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_gate_records_requirements_and_the_figures_of_both_sides() -> None:
    past = four()

    assert past.ask(
        gate(3, "f1>=against.f1-0.01".replace("-", " - "), "ks = 0.5", against=1, name="holdout")
    ) == credit(
        GateJudged(
            version=3,
            against=1,
            name="holdout",
            requirements=(JudgedRequirement(text=BETTER, holds=False), JudgedRequirement(text="ks = 0.5", holds=True)),
            metrics={"f1": 0.7, "ks": 0.5},
            metrics_against={"f1": 0.8},
            rows=("sha256:h",),
            passed=False,
        )
    )
    assert judged(past, 4, BETTER, against=1).passed


def test_the_parent_is_the_first_parent() -> None:
    found = judged(four(), 3, "f1 > parent.f1", "parent.ks > 0")

    assert (found.parent, found.against, found.metrics_parent) == (2, None, {"f1": 0.81, "ks": 0.5})


def test_a_bare_name_is_the_versions_own_figure_before_any_evaluations() -> None:
    past = Past(saving(1, metrics={"f1": 0.5}, validation=OTHER), saving(2, 1, metrics={"f1": 0.6}, validation=OTHER))
    past.ask(evaluated(1, f1=0.9))
    past.ask(evaluated(2, f1=0.8))

    assert judged(past, 2, "f1 > parent.f1").metrics == {"f1": 0.6}
    assert judged(past, 2, "f1 > parent.f1", name="holdout").metrics == {"f1": 0.8}
    assert judged(past, 2, "holdout/f1 > parent.holdout/f1").metrics == {"holdout/f1": 0.8}
    assert judged(past, 2, "holdout/f1 > 0.7 and f1 > 0.5").rows == ("sha256:h", "sha256:o")


def test_both_sides_are_judged_on_the_same_rows_however_they_are_called() -> None:
    past = Past(saving(1), saving(2, 1))
    past.ask(evaluated(1, f1=0.9))
    past.ask(evaluated(1, OTHER, "stress", f1=0.3))
    past.ask(evaluated(2, OTHER, "night", f1=0.4))

    assert judged(past, 2, "f1 > parent.f1").metrics_parent == {"f1": 0.3}


def test_rows_that_are_known_by_an_older_digest_too_are_told_by_the_newer_one() -> None:
    older, newer = {"digest": "sha256:z", "rows": 9}, {"digest": "sha256:a", "rows": 9, "v1": "sha256:z"}
    past = Past(saving(1), saving(2, 1), evaluated(1, older, f1=0.9), evaluated(2, newer, f1=0.8))

    assert judged(past, 2, "f1 > parent.f1").rows == ("sha256:a",)


def test_figures_that_were_just_evaluated_are_of_the_same_rows_as_each_version_reads_them() -> None:
    past = Past(saving(1), saving(2, 1), evaluated(1, OTHER, "gate", f1=0.9), evaluated(2, HOLDOUT, "gate", f1=0.8))

    found = judged(past, 2, "f1 > parent.f1", name="gate", rows={1: "sha256:o", 2: "sha256:h"})

    assert (found.metrics, found.metrics_parent, found.passed) == ({"f1": 0.8}, {"f1": 0.9}, False)


@pytest.mark.parametrize("text", ["f1 > 0.1 and roc > parent.f1", "roc > parent.roc", "f1 > nan", "not nan > 1"])
def test_what_hangs_on_a_figure_that_is_missing_is_not_met(text: str) -> None:
    past = Past(saving(1), saving(2, 1), evaluated(1, f1=0.9, roc=1.0, nan=1.0), evaluated(2, f1=0.8, nan=math.nan))

    found = judged(past, 2, text)

    assert (found.requirements[0].holds, found.passed) == (None, False)


def test_a_requirement_given_twice_is_judged_once() -> None:
    assert judged(four(), 3, "f1 > 0.1", "f1>0.1").requirements == (JudgedRequirement(text="f1 > 0.1", holds=True),)


@pytest.mark.parametrize(
    ("command", "kind", "says"),
    [
        (gate(3), Malformed, "100 requirements at most, and one at least"),
        (gate(3, ""), Malformed, "at character 1: expected a name"),
        (gate(3, *(f"f1 > {n}" for n in range(101))), Malformed, "100 requirements at most"),
        (
            gate(3, "holdout/f2 > 1"),
            Malformed,
            "no version that is judged here has a figure 'holdout/f2'; did you mean holdout/f1",
        ),
        (gate(3, "qqq > 1"), Malformed, "has a figure 'qqq'; there are f1, holdout/f1, holdout/ks and ks"),
        (gate(3, "f1 > parent.f1-0.01"), Malformed, "'f1-0.01'; put spaces around - and /"),
        (gate(3, "other.f1 > 1"), Malformed, "has a figure 'other.f1'"),
        (gate(3, "f1 > 'high'"), Malformed, "figures are compared with numbers, not with 'high'"),
        (gate(3, "(f1 > 1"), Malformed, "expected `)`"),
        (gate(3, BETTER), Malformed, "name one by --against REV"),
        (gate(1, "f1 > parent.f1"), Refused, "version 1 of credit has no parent"),
        (gate(3, BETTER, against=3), Malformed, "version 3 of credit is not gated against itself"),
        (gate(9, "f1 > 1"), UnknownRevision, "credit has no version 9"),
        (gate(3, BETTER, against=9), UnknownRevision, "credit has no version 9"),
        (gate(3, BETTER, against=5), Refused, "versions 3 and 5 of credit were not judged on the same rows, so"),
        (gate(3, BETTER, against=1, name="stress"), Refused, "were not judged on the same rows called 'stress'"),
        (gate(5, "f1 > 1"), Refused, "no figure of version 5 of credit is known to be of any rows; --data FILE"),
        (gate(3, BETTER, against=6), Refused, "as binary and version 6 as ranking, whose figures are not compared"),
    ],
    ids=range(18),
)
def test_what_cannot_be_judged_is_refused(command: JudgeGate, kind: type[LeptonError], says: str) -> None:
    past = four()
    past.ask(saving(5, 4))
    past.ask(RecordMetrics(model="credit", version=5, metrics={"f1": 0.9}))
    past.ask(saving(6, 5))
    past.ask(replace(evaluated(6, f1=1.0), task="ranking"))

    with pytest.raises(kind) as refusal:
        past.decided(command)
    with read_at("cli"):
        assert says in str(refusal.value)


# ── protected aliases ────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_alias_is_protected_by_what_a_version_must_meet() -> None:
    past = four()
    past.ask(alias(1))

    assert past.ask(protect("f1>against.f1", "f1 > against.f1", "ks > 0.4", reason="audit")) == credit(
        AliasProtected(
            alias="production", requirements=("f1 > against.f1", "ks > 0.4"), against="production", reason="audit"
        )
    )
    assert past.decided(protect("f1 > against.f1", "ks > 0.4", reason="again")) == ()
    assert past.decided(protect("ks > 0.4")) == credit(AliasProtected(alias="production", requirements=("ks > 0.4",)))


@pytest.mark.parametrize(
    ("command", "kind", "says"),
    [
        (protect(), Malformed, "say what a version must meet"),
        (protect("f1 >"), Malformed, "at character 5"),
        (
            protect("f1 > 0.5", against="main"),
            Malformed,
            "no requirement compares with against., so 'main' says nothing",
        ),
        (protect(BETTER, against="nowhere"), UnknownRevision, "no alias, branch or tag 'nowhere' to compare with"),
        (ProtectAlias(model="credit", alias="main", requirements=(BETTER,)), Refused, "'main' is a branch of credit"),
        (ProtectAlias(model="credit", alias="1x", requirements=(BETTER,)), Malformed, "cannot name a alias"),
        (UnprotectAlias(model="credit", alias="production"), Refused, "is not protected; there is nothing to take off"),
    ],
    ids=range(7),
)
def test_a_protection_that_makes_no_sense_is_refused(command: Any, kind: type[LeptonError], says: str) -> None:
    past = four()
    past.ask(alias(1))

    with pytest.raises(kind) as refusal:
        past.decided(command)
    assert says in str(refusal.value)


def test_a_protected_alias_moves_where_the_gate_was_passed_and_says_by_which() -> None:
    past = guarded()
    past.ask(gate(4, BETTER, "ks > 0", against=1))

    assert past.ask(alias(4)) == credit(
        AliasMoved(alias="production", from_version=1, to_version=4, gate=len(past.log) - 1)
    )


def test_a_protected_alias_does_not_move_where_no_gate_was_passed() -> None:
    past = guarded("f1 >= against.f1 - 0.01", "ks > 0.4")
    past.ask(gate(3, BETTER, "ks > 0.4", against=1))  # which is not met
    past.ask(gate(4, BETTER, against=1))  # which requires less

    for version in (2, 3, 4):
        with pytest.raises(GateNotMet) as refusal:
            past.decided(alias(version))
        with read_at("cli"):
            said = str(refusal.value)
        assert said == (
            f"alias 'production' of credit is protected, and version {version} passed no gate that requires "
            "f1 >= against.f1 - 0.01 and ks > 0.4; "
            f"`lepton gate credit@{version} --against credit@production --require 'f1 >= against.f1 - 0.01' --require "
            "'ks > 0.4'` judges it, or move it with --override --reason TEXT"
        )


def test_a_gate_against_a_version_that_the_alias_left_is_stale() -> None:
    past = guarded()
    past.ask(gate(4, BETTER, against=1))
    past.ask(gate(2, BETTER, against=1))
    past.ask(alias(2))

    with pytest.raises(GateNotMet) as refusal:
        past.decided(alias(4))
    assert "compared it with version 1, and production stands on version 2 by now; gate('credit@4', " in str(
        refusal.value
    )
    past.ask(gate(4, BETTER, against=2))
    assert past.ask(alias(4)) != ()


def test_what_a_gate_compares_with_may_be_a_tag_or_a_branch() -> None:
    past = four()
    past.ask(CreateTag(model="credit", tag="baseline", version=2))
    past.ask(alias(1))
    past.ask(protect(BETTER, against="baseline"))
    past.ask(gate(4, BETTER, against=1))

    with pytest.raises(GateNotMet, match="compared it with version 1, and baseline stands on version 2"):
        past.decided(alias(4))
    past.ask(gate(4, BETTER, against=2))
    assert past.ask(alias(4)) != ()


def test_a_protected_alias_is_moved_all_the_same_for_a_reason_that_is_recorded() -> None:
    past = guarded()

    with pytest.raises(Malformed, match="moved all the same only for a reason"):
        past.decided(alias(3, override=True))
    assert past.decided(alias(3, override=True, reason="outage")) == credit(
        AliasMoved(alias="production", from_version=1, to_version=3, reason="outage", override=True)
    )
    past.ask(gate(4, BETTER, against=1))
    ((_, moved),) = past.decided(alias(4, override=True, reason="outage"))
    assert (cast(AliasMoved, moved).gate, cast(AliasMoved, moved).override) == (len(past.log), False)


def test_no_way_to_move_a_protected_alias_goes_round_its_gate() -> None:
    past = four()
    for move in (alias(2), alias(1), MoveAliases(model="credit", to={"staging": 1}), protect(BETTER)):
        past.ask(move)
    back = RollBackAlias(model="credit", alias="production", to=2, from_version=1)
    branch = RollBack(model="credit", branch="main", to=2, from_version=4, move_aliases=("production",))

    for move in (
        alias(2), back, branch,
        MoveAliases(model="credit", to={"staging": 2, "production": 2}),
    ):  # fmt: skip
        with pytest.raises(GateNotMet):
            past.decided(move)
    with pytest.raises(Refused, match="is protected, and is not deleted before that is taken off"):
        past.decided(DeleteAlias(model="credit", alias="production"))

    past.ask(gate(2, BETTER, against=1))
    seq = len(past.log)
    assert past.decided(back) == credit(AliasRolledBack(alias="production", from_version=1, to_version=2, gate=seq))
    assert past.decided(branch) == credit(
        BranchRolledBack(branch="main", from_version=4, to_version=2),
        AliasRolledBack(alias="production", from_version=1, to_version=2, gate=seq),
    )


def test_a_rollback_overrides_for_a_reason() -> None:
    past = guarded()
    past.ask(alias(4, override=True, reason="a hurry"))
    told: dict[str, Any] = {"override": True, "reason": "alarms"}

    assert past.decided(RollBackAlias(model="credit", alias="production", to=1, from_version=4, **told)) == credit(
        AliasRolledBack(alias="production", from_version=4, to_version=1, **told)
    )
    (_, (_, taken)) = past.decided(
        RollBack(model="credit", branch="main", to=1, from_version=4, move_aliases=("production",), **told)
    )
    assert cast(AliasRolledBack, taken).override


def test_an_alias_may_be_protected_before_it_stands_anywhere() -> None:
    past = four()
    past.ask(protect(BETTER))

    with pytest.raises(GateNotMet, match="production stands on no version yet to be compared with; override=True"):
        past.decided(alias(1))
    for other in (
        CreateBranch(model="credit", branch="production", version=1),
        CreateTag(model="credit", tag="production", version=1),
        saving(9, 4, branch="production"),
        saving(9, 4, tags=("production",)),
    ):
        with pytest.raises(Refused, match="'production' is a protected alias of credit"):
            past.decided(other)
    past.ask(protect("ks > 0.4"))
    past.ask(gate(1, "ks > 0.4"))
    assert past.ask(alias(1)) != ()


def test_an_alias_that_is_protected_no_more_moves_freely() -> None:
    past = guarded()

    assert past.ask(UnprotectAlias(model="credit", alias="production", reason="moved elsewhere")) == credit(
        AliasUnprotected(alias="production", reason="moved elsewhere")
    )
    assert past.ask(alias(3)) == credit(AliasMoved(alias="production", from_version=1, to_version=3))
    assert past.ask(DeleteAlias(model="credit", alias="production")) != ()


def test_a_suites_gate_is_that_of_the_suite_as_it_is_defined_when_the_alias_moves() -> None:
    past = four()
    past.ask(alias(1))
    past.ask(protect(suite="nightly"))
    asked: dict[str, Any] = {"data": {"digest": "d"}, "label": "y", "evaluation": "nightly"}
    past.ask(DefineSuite(suite="nightly", requirements=("f1 > 0.5",), **asked))
    past.ask(gate(4, "f1 > 0.5"))

    with pytest.raises(GateNotMet) as refusal:
        past.decided(alias(4, suites={"nightly": 1}))
    assert "gate('credit@4', suite='nightly') judges it" in str(refusal.value)
    past.ask(gate(4, "f1 > 0.5", suite="nightly", suite_version=1))
    assert past.decided(alias(4, suites={"nightly": 1})) != ()
    past.ask(DefineSuite(suite="nightly", requirements=("f1 > 0.1",), **asked))
    with pytest.raises(Stale, match="suite 'nightly' is at definition 2, not at definition 1"):
        past.decided(alias(4, suites={"nightly": 1}))
    with pytest.raises(GateNotMet, match="passed no gate that requires what suite nightly does as it is defined now"):
        past.decided(alias(4, suites={"nightly": 2}))
    with pytest.raises(Stale, match="the protection of alias 'production' is at suite 'nightly'"):
        past.decided(alias(4))


def test_a_suites_gate_against_a_version_that_its_alias_left_is_stale() -> None:
    past = four()
    past.ask(alias(1))
    past.ask(protect(suite="nightly"))
    asked: dict[str, Any] = {"data": {"digest": "d"}, "label": "y", "evaluation": "nightly", "against": "production"}
    past.ask(DefineSuite(suite="nightly", requirements=(BETTER,), **asked))
    of_suite: dict[str, Any] = {"suite": "nightly", "suite_version": 1}
    past.ask(gate(4, BETTER, against=1, **of_suite))
    past.ask(gate(2, BETTER, against=1, **of_suite))
    assert past.ask(alias(2, suites={"nightly": 1})) != ()

    with pytest.raises(GateNotMet) as refusal:
        past.decided(alias(4, suites={"nightly": 1}))
    assert "and production stands on version 2 by now; gate('credit@4', suite='nightly') judges it" in str(
        refusal.value
    )
    past.ask(gate(4, BETTER, against=2, **of_suite))
    assert past.ask(alias(4, suites={"nightly": 1})) != ()


def test_a_gate_that_was_passed_counts_until_the_version_is_judged_again() -> None:
    past = guarded()
    past.ask(gate(2, BETTER, against=1))
    past.ask(evaluated(2, OTHER, "other", f1=0.1))
    past.ask(evaluated(1, OTHER, "other", f1=0.9))
    past.ask(gate(2, "ks > 0.999", against=1))  # the alias requires nothing of it
    past.ask(gate(2, BETTER, against=4, name="holdout"))
    assert past.decided(alias(2)) != ()

    past.ask(gate(2, BETTER, against=1, name="other"))

    with pytest.raises(GateNotMet, match=r"version 2 of credit was judged for alias 'production' again, and did not"):
        past.decided(alias(2))
    past.ask(gate(2, BETTER, against=1, name="holdout"))
    assert past.decided(alias(2)) != ()


def test_gates_and_protections_are_the_same_replayed_and_recalled() -> None:
    past = guarded()
    past.ask(gate(4, BETTER, against=1))
    past.ask(gate(3, BETTER, against=1))

    told = plain_model(past.credit)
    read = lambda seq: next(each for each in map(decode, past.log) if each.seq == seq)  # noqa: E731
    recalled = recalled_model(told.facts, [mapping.rows for mapping in told.mappings], read)

    assert past.replayed(CREDIT) == past.credit
    for state in (past.credit, recalled):
        assert {seq: each.passed for seq, each in state.gates.items()} == {
            len(past.log) - 1: True,
            len(past.log): False,
        }
        assert dict(state.passed.items()) == {4: (len(past.log) - 1,)}
        assert state.protected["production"].requirements == (BETTER,)


VERSIONS = st.integers(1, 4)
TEXTS = st.sampled_from(["f1 >= against.f1 - 0.01", "f1 > 0.75", "f1 > parent.f1"])
COMMANDS = st.one_of(
    st.builds(gate, VERSIONS, TEXTS, TEXTS, against=st.none()),
    st.builds(protect, TEXTS, against=st.sampled_from([None, "staging", "main"])),
    st.just(UnprotectAlias(model="credit", alias="production")),
    st.builds(alias, VERSIONS, override=st.booleans(), reason=st.sampled_from(["", "hurry"])),
    st.builds(
        lambda one, other: MoveAliases(model="credit", to={"staging": one, "production": other}), VERSIONS, VERSIONS
    ),
    st.builds(
        RollBackAlias, model=st.just("credit"), alias=st.just("production"), to=VERSIONS, from_version=VERSIONS,
        override=st.booleans(), reason=st.sampled_from(["", "hurry"]),
    ),
    st.builds(
        RollBack, model=st.just("credit"), branch=st.just("main"), to=VERSIONS, from_version=VERSIONS,
        move_aliases=st.just(("production",)), override=st.booleans(), reason=st.sampled_from(["", "hurry"]),
    ),
    st.just(DeleteAlias(model="credit", alias="production")),
    st.builds(lambda version: CreateBranch(model="credit", branch="production", version=version), VERSIONS),
)  # fmt: skip


TRIED = st.builds(lambda to, text, other: (gate(to, text, against=other), alias(to)), VERSIONS, TEXTS, VERSIONS)
"""A gate, and the move that somebody wants by it."""


@given(st.lists(COMMANDS.map(lambda command: (command,)) | TRIED, max_size=12))
def test_whatever_is_asked_a_protected_alias_moves_by_its_gate_or_for_a_reason(asked: list[tuple[Any, ...]]) -> None:
    past = guarded()
    for command in chain.from_iterable(asked):
        before = past.credit
        events: tuple[Append, ...] = ()
        with suppress(LeptonError):
            events = past.ask(command)
        protection = before.protected.get("production")
        for _, event in events:
            if protection and isinstance(event, AliasMoved | AliasRolledBack) and event.alias == "production":
                passed = before.gates.get(event.gate) if event.gate else None
                assert (passed is not None) is not (event.override and bool(event.reason))
                if passed:
                    assert passed.passed
                    assert passed.version == event.to_version
                    assert {each.text for each in passed.requirements} >= {*protection.requirements}
                    if protection.against:
                        standing = before.alias(protection.against) or before.head(protection.against)
                        assert passed.against == standing
                    for seq, each in before.gates.items():
                        if (each.version, each.against) == (passed.version, passed.against) and seq > event.gate:
                            assert all(it.holds for it in each.requirements if it.text in protection.requirements)
            assert not (protection and isinstance(event, AliasDeleted))
    assert past.credit.taken("production") != "branch" or not past.credit.protected
