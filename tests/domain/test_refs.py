"""Branches, tags and aliases: what moves them, what may not, and what a rollback reaches."""

from __future__ import annotations

from typing import Any

import pytest

from lepton_ai.domain.commands import (
    CreateBranch,
    CreateTag,
    DeleteAlias,
    DeleteBranch,
    DeleteTag,
    MoveAliases,
    RollBack,
    RollBackAlias,
)
from lepton_ai.domain.model.refs import before_last_move
from lepton_ai.errors import Malformed, NotInPast, Refused, Stale, UnknownRevision
from lepton_ai.events.model import (
    AliasDeleted,
    AliasMoved,
    AliasRolledBack,
    BranchCreated,
    BranchDeleted,
    BranchRolledBack,
    TagCreated,
    TagDeleted,
)

from .past import Past, credit, digest, saving


def branch(name: str, version: int) -> CreateBranch:
    return CreateBranch(model="credit", branch=name, version=version)


def unbranch(name: str) -> DeleteBranch:
    return DeleteBranch(model="credit", branch=name)


def tag(name: str, version: int) -> CreateTag:
    return CreateTag(model="credit", tag=name, version=version)


def alias(expected: dict[str, int] | None = None, reason: str = "", **to: int) -> MoveAliases:
    return MoveAliases(model="credit", to=to, expected=expected or {}, reason=reason)


def back(to: int, from_version: int, name: str = "main", **more: Any) -> RollBack:
    return RollBack(model="credit", branch=name, to=to, from_version=from_version, **more)


def alias_back(to: int, from_version: int, **more: Any) -> RollBackAlias:
    return RollBackAlias(model="credit", alias="production", to=to, from_version=from_version, **more)


def three() -> Past:
    """main: 1, 2, 3."""
    return Past(saving(1), saving(2, 1), saving(3, 2))


# ── branches ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_branch_opens_at_a_version() -> None:
    assert three().decided(branch("wide", 2)) == credit(BranchCreated(branch="wide", version=2))


def test_a_branch_opened_twice_at_one_version_is_opened_once() -> None:
    past = three()
    past.ask(branch("wide", 2))

    assert past.decided(branch("wide", 2)) == ()


def test_a_branch_is_not_opened_over_another_at_another_version() -> None:
    with pytest.raises(Refused, match="branch 'main' stands on version 3 already; `rollback` moves it"):
        three().decided(branch("main", 1))


def test_a_branch_opens_only_at_a_version_that_is() -> None:
    with pytest.raises(UnknownRevision, match="credit has no version 4; `lepton log credit` lists them"):
        three().decided(branch("wide", 4))


def test_a_branch_is_deleted_and_its_versions_stay() -> None:
    past = three()
    past.ask(branch("wide", 2))

    assert past.ask(unbranch("wide")) == credit(BranchDeleted(branch="wide", version=2))
    assert past.credit.head("wide") is None
    assert past.credit.live("branch") == {"main": 3}
    assert set(past.credit.versions) == {1, 2, 3}


def test_an_unknown_branch_is_not_deleted() -> None:
    with pytest.raises(Refused, match="credit has no branch 'wide'; `lepton branch` lists them"):
        three().decided(unbranch("wide"))


def test_the_last_branch_stays_though_another_was_deleted() -> None:
    past = three()
    past.ask(branch("wide", 2))
    past.ask(unbranch("wide"))

    with pytest.raises(Refused, match="'main' is the only branch of credit; a model keeps at least one"):
        past.decided(unbranch("main"))


# ── tags ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_tag_is_bound_once_and_repeated_it_is_nothing() -> None:
    past = three()

    assert past.ask(tag("v1", 2)) == credit(TagCreated(tag="v1", version=2))
    assert past.decided(tag("v1", 2)) == ()


def test_a_tag_does_not_move() -> None:
    past = three()
    past.ask(tag("v1", 2))

    with pytest.raises(Refused, match="tag 'v1' is on version 2 already; tags do not move"):
        past.decided(tag("v1", 3))


def test_a_tag_deleted_can_be_bound_anew() -> None:
    past = three()
    past.ask(tag("v1", 2))

    assert past.ask(DeleteTag(model="credit", tag="v1")) == credit(TagDeleted(tag="v1", version=2))
    assert past.ask(tag("v1", 3)) == credit(TagCreated(tag="v1", version=3))


def test_an_unknown_tag_is_not_deleted_and_an_unknown_version_not_tagged() -> None:
    with pytest.raises(Refused, match="credit has no tag 'v1'; `lepton tag` lists them"):
        three().decided(DeleteTag(model="credit", tag="v1"))
    with pytest.raises(UnknownRevision, match="credit has no version 9"):
        three().decided(tag("v1", 9))


# ── one name space ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("taken", "kind"),
    [(branch("x", 1), "a branch"), (tag("x", 1), "a tag"), (alias(x=1), "an alias")],
    ids=["branch", "tag", "alias"],
)
def test_branches_tags_and_aliases_share_one_name_space(taken: Any, kind: str) -> None:
    past = three()
    past.ask(taken)

    for command in (branch("x", 2), tag("x", 2), alias(x=2)):
        if type(command) is not type(taken):
            with pytest.raises(Refused, match=f"'x' is {kind} of credit; branches, tags and aliases share one"):
                past.decided(command)


@pytest.mark.parametrize("command", [branch("1x", 1), tag("1x", 1), alias(**{"1x": 1})], ids=["branch", "tag", "alias"])
def test_a_name_that_begins_with_a_digit_is_refused(command: Any) -> None:
    with pytest.raises(Malformed, match=r"'1x' cannot name a (branch|tag|alias)"):
        three().decided(command)


def test_a_name_given_up_is_free_for_another_kind() -> None:
    past = three()
    for command in (branch("x", 1), unbranch("x"), alias(x=2), DeleteAlias(model="credit", alias="x"), tag("x", 3)):
        past.ask(command)

    assert past.credit.taken("x") == "tag"


def test_each_model_has_its_own_names() -> None:
    past = Past(saving(1), saving(1, model="fraud"), tag("x", 1))

    assert past.decided(CreateBranch(model="fraud", branch="x", version=1)) != ()


# ── aliases ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_alias_is_put_on_a_version_and_moved_on() -> None:
    past = three()

    assert past.ask(alias(production=1, reason="go live")) == credit(
        AliasMoved(alias="production", from_version=None, to_version=1, reason="go live")
    )
    assert past.ask(alias(production=3)) == credit(AliasMoved(alias="production", from_version=1, to_version=3))
    assert past.decided(alias(production=3)) == ()


def test_several_aliases_move_all_or_none() -> None:
    past = three()
    past.ask(alias(production=1, challenger=2))

    with pytest.raises(Stale, match="alias 'challenger' is at 2, not at 1"):
        past.decided(alias(expected={"challenger": 1}, production=2, challenger=3))
    with pytest.raises(UnknownRevision, match="no version 9"):
        past.decided(alias(production=2, challenger=9))
    assert past.decided(alias(expected={"production": 1, "challenger": 2}, production=2, challenger=3)) == credit(
        AliasMoved(alias="production", from_version=1, to_version=2),
        AliasMoved(alias="challenger", from_version=2, to_version=3),
    )


def test_only_the_aliases_that_stand_elsewhere_move() -> None:
    past = three()
    past.ask(alias(production=1, challenger=2))

    assert past.decided(alias(production=2, challenger=2)) == credit(
        AliasMoved(alias="production", from_version=1, to_version=2)
    )


def test_an_alias_expected_nowhere_must_be_new() -> None:
    past = three()
    past.ask(alias(expected={"production": 0}, production=1))

    with pytest.raises(Stale, match="alias 'production' is at 1, not at nowhere"):
        past.decided(alias(expected={"production": 0}, production=2))
    with pytest.raises(Stale, match="alias 'challenger' is at nowhere, not at 1"):
        past.decided(alias(expected={"challenger": 1}, challenger=2))


def test_an_expectation_of_an_alias_that_does_not_move_is_refused() -> None:
    with pytest.raises(Refused, match="`expected` names challenger, which is not being moved"):
        three().decided(alias(expected={"challenger": 1}, production=2))


def test_an_alias_is_deleted() -> None:
    past = three()
    past.ask(alias(production=1))

    assert past.ask(DeleteAlias(model="credit", alias="production")) == credit(
        AliasDeleted(alias="production", from_version=1)
    )
    with pytest.raises(Refused, match="credit has no alias 'production'; `lepton alias` lists them"):
        past.decided(DeleteAlias(model="credit", alias="production"))


def test_an_alias_is_rolled_back_to_where_it_stood() -> None:
    past = three()
    past.ask(alias(production=1))
    past.ask(alias(production=3))

    assert before_last_move(past.credit, "production") == 1
    assert past.ask(alias_back(1, 3, replayed=(digest("Δ"),), reason="worse")) == credit(
        AliasRolledBack(alias="production", from_version=3, to_version=1, replayed=(digest("Δ"),), reason="worse")
    )
    assert past.decided(alias_back(1, 3)) == ()
    assert before_last_move(past.credit, "production") == 3


def test_an_alias_is_not_rolled_back_where_it_never_stood() -> None:
    past = three()
    past.ask(alias(production=1))

    with pytest.raises(Refused, match="alias 'production' never stood on version 2; `lepton alias production 2` puts"):
        past.decided(alias_back(2, 1))
    with pytest.raises(Refused, match="alias 'production' has stood on version 1 only; name a version"):
        before_last_move(past.credit, "production")


def test_an_alias_that_is_not_there_is_not_rolled_back() -> None:
    with pytest.raises(Refused, match="credit has no alias 'production'"):
        three().decided(alias_back(1, 3))


@pytest.mark.parametrize("guard", [{"expected": 2, "from_version": 3}, {"from_version": 2}], ids=["expected", "began"])
def test_an_alias_that_moved_meanwhile_is_not_rolled_back(guard: dict[str, int]) -> None:
    past = three()
    for number in (1, 2, 3):
        past.ask(alias(production=number))

    with pytest.raises(Stale, match="alias 'production' is at 3, not at 2; look at what moved it"):
        past.decided(alias_back(1, **guard))


# ── rollback ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_rolling_back_moves_the_branch_and_forgets_nothing() -> None:
    past = three()

    appended = past.ask(back(1, 3, replayed=(digest("Δ2"), digest("Δ1")), reason="worse in production"))

    assert appended == credit(
        BranchRolledBack(
            branch="main",
            from_version=3,
            to_version=1,
            replayed=(digest("Δ2"), digest("Δ1")),
            reason="worse in production",
        )
    )
    assert past.credit.head("main") == 1
    assert set(past.credit.versions) == {1, 2, 3}


def test_a_regretted_rollback_is_undone_by_another_forwards() -> None:
    past = three()
    past.ask(back(1, 3))

    past.ask(back(3, 1))

    assert past.credit.head("main") == 3
    assert [move.to_version for move in past.credit.branches["main"].history()] == [3, 1, 3, 2, 1]


def test_what_was_saved_before_a_rollback_stays_in_the_past_though_no_ancestor() -> None:
    past = three()
    past.ask(back(1, 3))
    past.ask(saving(4, 1))

    assert past.credit.past("main") == {1, 2, 3, 4}
    assert past.decided(back(2, 4)) != ()


def test_a_branch_off_has_the_past_it_left_from_and_not_what_came_after() -> None:
    past = three()
    past.ask(saving(4, 2, branch="wide"))

    assert past.credit.past("wide") == {1, 2, 4}
    with pytest.raises(NotInPast, match="branch 'wide' never reached version 3; `lepton log wide` lists where"):
        past.decided(back(3, 4, "wide"))
    with pytest.raises(NotInPast, match="branch 'main' never reached version 4"):
        past.decided(back(4, 3))


def test_a_merge_brings_the_other_line_into_the_past() -> None:
    past = three()
    past.ask(saving(4, 1, branch="wide"))
    past.ask(saving(5, 3, 4))

    assert past.credit.past("main") == {1, 2, 3, 4, 5}
    assert past.decided(back(4, 5)) == credit(BranchRolledBack(branch="main", from_version=5, to_version=4))


def test_a_branch_deleted_and_made_again_keeps_its_past() -> None:
    past = three()
    for command in (branch("wide", 3), unbranch("wide"), branch("wide", 1)):
        past.ask(command)

    assert past.credit.past("wide") == {1, 2, 3}
    assert past.decided(back(3, 1, "wide")) != ()


def test_a_branch_that_never_was_has_no_past() -> None:
    assert three().credit.past("wide") == frozenset()


def test_rolling_back_to_where_the_branch_stands_becomes_nothing() -> None:
    assert three().decided(back(3, 3)) == ()


def test_a_rollback_of_no_branch_or_to_no_version_is_refused() -> None:
    with pytest.raises(Refused, match="credit has no branch 'wide'; `lepton branch` lists them"):
        three().decided(back(1, 3, "wide"))
    with pytest.raises(UnknownRevision, match="credit has no version 9"):
        three().decided(back(9, 3))


@pytest.mark.parametrize("guard", [{"expected": 2, "from_version": 3}, {"from_version": 2}], ids=["expected", "began"])
def test_a_branch_that_moved_meanwhile_is_not_rolled_back(guard: dict[str, int]) -> None:
    with pytest.raises(Stale, match="branch 'main' is at 3, not at 2; look at what moved it and try again"):
        three().decided(back(1, **guard))


def test_aliases_named_go_with_the_branch_in_the_same_decision() -> None:
    past = three()
    past.ask(alias(production=1, challenger=3, shadow=1))
    past.ask(alias(production=3))

    appended = past.decided(back(1, 3, move_aliases=("production", "challenger", "shadow", "production"), reason="r"))

    assert appended == credit(
        BranchRolledBack(branch="main", from_version=3, to_version=1, reason="r"),
        AliasRolledBack(alias="production", from_version=3, to_version=1, reason="r"),
        AliasMoved(alias="challenger", from_version=3, to_version=1, reason="r"),
    )


def test_aliases_left_behind_follow_when_the_rollback_is_asked_again() -> None:
    past = three()
    past.ask(alias(production=3))
    past.ask(back(1, 3))

    assert past.decided(back(1, 1, move_aliases=("production",))) == credit(
        AliasMoved(alias="production", from_version=3, to_version=1)
    )


def test_an_alias_that_is_not_there_stops_the_whole_rollback() -> None:
    with pytest.raises(Refused, match="credit has no alias 'production'"):
        three().decided(back(1, 3, move_aliases=("production",)))
