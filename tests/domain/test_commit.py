"""Commits: what they must fit, what they become, and when they become nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lepton_ai.domain.append import Append
from lepton_ai.domain.commands import (
    OBJECTS,
    Annotate,
    Archive,
    Commit,
    CreateBranch,
    CreateTag,
    DeleteBranch,
    Delta,
    MoveAliases,
    RollBack,
    Stored,
)
from lepton_ai.domain.model.recipe import Recipe
from lepton_ai.errors import Condemned, Malformed, Refused, Stale, UnknownRevision
from lepton_ai.events.model import (
    BranchCreated,
    DeltaRecorded,
    File,
    MetricsRecorded,
    ModelRegistered,
    Parent,
    TagCreated,
    VersionAnnotated,
    VersionCommitted,
)
from lepton_ai.events.objects import ManifestWritten, ObjectsCondemned, PackWritten

from .past import START, Past, credit, digest, saving

PACK = PackWritten(pack="packs/1", bytes=120, entries=2, index=digest("index"))
PAGE = ManifestWritten(
    manifest=digest("θ"), page=0, names=("w",), dtypes=("float32",), shapes=((2,),), bytes=(8,), digests=(digest("w"),)
)


def kinds(appends: tuple[Append, ...]) -> list[type]:
    return [type(append.event) for append in appends]


def committed(past: Past, command: Commit) -> VersionCommitted:
    return next(event for _, event in past.decided(command) if isinstance(event, VersionCommitted))


def test_the_first_commit_registers_the_model_and_is_version_1() -> None:
    appended = Past().decided(saving(1))

    assert kinds(appended) == [ModelRegistered, VersionCommitted]
    assert appended[0] == Append("model/credit", ModelRegistered(model="credit"))
    assert (appended[1].event.version, appended[1].event.branch, appended[1].event.parents) == (1, "main", ())


def test_a_version_records_all_it_was_made_of() -> None:
    recipe = Recipe({"lr": 0.1}, {"class": "mlp"}, {"epochs": 3}, {"digest": "d"}, {"merge": "average"})
    command = saving(
        1, recipe=recipe, environment={"python": "3.11"}, code={"dirty": False}, metrics={"f1": 1},
        files=(File(name="a/b.txt", digest=digest("f"), bytes=3),), run="r1", message="first",
    )  # fmt: skip

    event = committed(Past(), command)

    assert event.hyperparameters == {"lr": 0.1}
    assert (event.architecture, event.settings) == ({"class": "mlp"}, {"epochs": 3})
    assert (event.data, event.derivation) == ({"digest": "d"}, {"merge": "average"})
    assert (event.environment, event.code, event.metrics) == ({"python": "3.11"}, {"dirty": False}, {"f1": 1.0})
    assert (event.files, event.run, event.message) == (command.files, "r1", "first")
    assert (event.tensors, event.tensor_count, event.parameters, event.bytes) == (digest(1), 2, 30, 120)
    assert event.recipe == recipe.digest()


def test_the_next_commit_goes_on_from_the_head() -> None:
    past = Past(saving(1))

    past.ask(saving(2, 1))

    assert past.credit.version(2).parents == (1,)
    assert past.credit.head("main") == 2


def test_tuples_in_a_recipe_are_lists_in_the_event() -> None:
    event = committed(Past(), saving(1, recipe=Recipe(hyperparameters={"layers": (64, 32)})))

    assert event.hyperparameters == {"layers": [64, 32]}


def test_what_was_stored_is_told_before_the_version_that_needs_it() -> None:
    appended = Past().decided(saving(1, stored=Stored((PACK,), (PAGE,))))

    assert appended[:2] == (Append(OBJECTS, PACK), Append(OBJECTS, PAGE))
    assert kinds(appended[2:]) == [ModelRegistered, VersionCommitted]


def test_a_delta_is_recorded_with_its_version() -> None:
    delta = Delta(digest=digest("Δ"), bytes=10, elements=4, tensors=1, two_way=True)

    appended = Past(saving(1)).decided(saving(2, 1, keyframe=False, delta=delta))

    assert appended[1:] == credit(
        DeltaRecorded(from_version=1, to_version=2, digest=digest("Δ"), bytes=10, elements=4, tensors=1, two_way=True)
    )


def test_a_delta_without_a_parent_is_refused() -> None:
    delta = Delta(digest=digest("Δ"), bytes=10, elements=4, tensors=1, two_way=True)

    with pytest.raises(Malformed, match="a delta leads from a parent"):
        Past().decided(saving(1, delta=delta))


def test_a_branch_that_is_not_there_opens_at_the_first_parent() -> None:
    appended = Past(saving(1), saving(2, 1)).decided(saving(3, 1, branch="wide"))

    assert appended[0] == credit(BranchCreated(branch="wide", version=1))[0]
    assert kinds(appended) == [BranchCreated, VersionCommitted]


def test_a_branch_that_is_not_there_is_refused_without_parents() -> None:
    with pytest.raises(
        Refused, match=r"credit has no branch 'wide' yet, .*; open it with `lepton branch wide REV`, or name a parent"
    ):
        Past(saving(1)).decided(saving(2, branch="wide"))


def test_a_branch_that_was_deleted_opens_again_and_goes_on() -> None:
    past = Past(saving(1), saving(2, 1, branch="wide"), DeleteBranch(model="credit", branch="wide"))

    appended = past.ask(saving(3, 2, branch="wide"))

    assert kinds(appended) == [BranchCreated, VersionCommitted]
    assert past.credit.head("wide") == 3


def test_a_merge_has_two_parents_and_two_roles() -> None:
    past = Past(saving(1), saving(2, 1), saving(3, 1, branch="wide"))
    parents = (Parent(model="credit", version=2, role="merged"), Parent(model="credit", version=3, role="merged"))

    past.ask(saving(4, *parents))

    assert past.credit.version(4).event.parents == parents
    assert set(past.credit.ancestry(4)) == {1, 2, 3, 4}
    assert next(past.credit.branches["main"].history()).kind == "merged"


def test_saving_from_anything_but_the_head_is_stale_and_says_both_ways_out() -> None:
    past = Past(saving(1), saving(2, 1))

    with pytest.raises(Stale, match=r"branch 'main' is at 2, not at 1; load its head.*or save on a branch") as refused:
        past.decided(saving(3, 1))

    assert (refused.value.expected, refused.value.found) == ("1", 2)


def test_saving_with_no_parent_beside_a_head_is_stale() -> None:
    with pytest.raises(Stale, match="branch 'main' is at 1, not at nothing"):
        Past(saving(1)).decided(saving(2))


@pytest.mark.parametrize(("expected", "words"), [(1, "is at 2, not at 1"), (0, "is at 2, not at nowhere")])
def test_a_head_that_is_not_the_expected_one_is_stale(expected: int, words: str) -> None:
    with pytest.raises(Stale, match=f"branch 'main' {words}"):
        Past(saving(1), saving(2, 1)).decided(saving(3, 2, expected=expected))


def test_a_branch_expected_somewhere_that_is_nowhere_is_stale() -> None:
    with pytest.raises(Stale, match="branch 'wide' is at nowhere, not at 1"):
        Past(saving(1)).decided(saving(2, 1, branch="wide", expected=1))


def test_expecting_nowhere_lets_a_first_commit_pass_and_expecting_the_head_the_next() -> None:
    past = Past(saving(1, expected=0), saving(2, 1, expected=1))

    assert past.credit.head("main") == 2


def test_an_unknown_parent_is_refused_by_its_number() -> None:
    with pytest.raises(UnknownRevision, match="credit has no version 9"):
        Past(saving(1)).decided(saving(2, 1, 9))


def test_a_parent_named_twice_is_refused() -> None:
    with pytest.raises(Malformed, match="cannot be its own second parent"):
        Past(saving(1)).decided(saving(2, 1, 1))


@pytest.mark.parametrize(
    "name",
    ["", "1st", "a b", "-x", "a..b", "a/", "a/../b", "a/./b", "x" * 201, "e\u0301", "\u212bngstrom", "a@b", "a."],
)
def test_a_name_that_no_model_can_have_is_refused(name: str) -> None:
    with pytest.raises(Malformed, match="cannot name a model"):
        Past().decided(saving(1, model=name))


@pytest.mark.parametrize("name", ["credit", "team/credit-2.0_b", "信用", "Ångström"])
def test_a_model_may_be_named_in_any_script(name: str) -> None:
    assert kinds(Past().decided(saving(1, model=name))) == [ModelRegistered, VersionCommitted]


@pytest.mark.parametrize("name", ["", "1st", "a b", "a..b", "a/", "a.", "a//b", "信用", "main\n", "x" * 201])
def test_a_name_that_no_branch_can_have_is_refused(name: str) -> None:
    with pytest.raises(Malformed, match="cannot name a branch"):
        Past().decided(saving(1, branch=name))


def test_a_branch_cannot_take_the_name_of_a_tag_or_an_alias() -> None:
    past = Past(
        saving(1), CreateTag(model="credit", tag="v1", version=1), MoveAliases(model="credit", to={"production": 1})
    )

    with pytest.raises(Refused, match="'v1' is a tag of credit; branches, tags and aliases share one"):
        past.decided(saving(2, 1, branch="v1"))
    with pytest.raises(Refused, match="'production' is an alias of credit; branches, tags"):
        past.decided(saving(2, 1, branch="production"))


def test_an_archived_model_takes_no_commit() -> None:
    with pytest.raises(Refused, match="model 'credit' is archived; `unarchive` opens it again"):
        Past(saving(1), Archive(model="credit")).decided(saving(2, 1))


def test_a_pack_about_to_be_deleted_is_refused_by_name() -> None:
    past = Past(saving(1))
    past.record(Append(OBJECTS, ObjectsCondemned(packs=("packs/0",), delete_after=START)))

    with pytest.raises(Condemned, match="pack packs/0 is condemned; save again") as refused:
        past.decided(saving(2, 1, stored=Stored(relies_on=frozenset({"packs/0", "packs/1"}))))

    assert refused.value.packs == ("packs/0",)


def test_tags_and_notes_come_with_the_version() -> None:
    appended = Past().decided(saving(1, tags=("v1", "best", "v1"), annotations={"ticket": "RISK-12"}))

    assert appended[2:] == credit(
        TagCreated(tag="v1", version=1),
        TagCreated(tag="best", version=1),
        VersionAnnotated(version=1, annotations={"ticket": "RISK-12"}),
    )


def test_a_tag_in_use_refuses_the_whole_commit() -> None:
    past = Past(saving(1, tags=("v1",)))

    with pytest.raises(Refused, match="tag 'v1' is on version 1 already; tags do not move"):
        past.decided(saving(2, 1, tags=("v1",)))
    with pytest.raises(Refused, match="'main' is a branch of credit"):
        past.decided(saving(2, 1, tags=("main",)))
    with pytest.raises(Refused, match="'wide' is a branch of credit"):
        past.decided(saving(2, 1, branch="wide", tags=("wide",)))
    with pytest.raises(Malformed, match="'1a' cannot name a tag"):
        past.decided(saving(2, 1, tags=("1a",)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"metrics": {"f1": "high"}}, "metric 'f1' is a str"),
        ({"metrics": {"f1": 1j}}, "metric 'f1' is a complex"),
        ({"metrics": {"f1": 10**400}}, "metric 'f1' is an int"),
        ({"metrics": {"": 1.0}}, "'' cannot name a metric"),
        ({"metrics": {"a\nb": 1.0}}, "leave out its control characters"),
        ({"annotations": {"x" * 201: 1}}, "cannot name a note"),
        ({"annotations": {"n": [1]}}, "note 'n' is a list"),
        ({"annotations": {"n": "\ud800"}}, "note 'n' has half a character"),
        ({"environment": {"gpu": {"memory": object()}}}, "environment.gpu.memory is an object"),
        ({"recipe": Recipe(hyperparameters={"layers": [1, object()]})}, r"hyperparameters.layers\[1\] is an object"),
        ({"recipe": Recipe(settings={1: 2, "1": 3})}, "settings has two keys that are '1'"),  # pyright: ignore
        ({"recipe": Recipe(settings={"\ud800": 1})}, "settings has half a character"),
        ({"files": (File(name="../a", digest=digest(1), bytes=1),)}, "'../a' cannot name a file"),
        ({"files": (File(name="/a", digest=digest(1), bytes=1),)}, "'/a' cannot name a file"),
        ({"files": (File(name="a", digest=digest(1), bytes=1),) * 2}, "two files of a version have one name"),
    ],
)
def test_what_an_event_cannot_hold_is_refused_by_its_place(changes: dict, words: str) -> None:
    with pytest.raises(Malformed, match=words):
        Past().decided(saving(1, **changes))


def test_a_recipe_nested_too_deep_is_refused_before_any_parser_chokes() -> None:
    nested: dict = {}
    for _ in range(500):
        nested = {"in": nested}

    with pytest.raises(Malformed, match="nested more than 64 levels deep"):
        Past().decided(saving(1, recipe=Recipe(settings=nested)))


# ── saving again what stands already ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("parents", [(2,), (1,)], ids=["loaded from the head", "saved again as before"])
def test_committing_the_head_again_becomes_nothing(parents: tuple[int, ...]) -> None:
    past = Past(saving(1), saving(2, 1))

    assert past.decided(saving(2, *parents)) == ()


def test_a_message_or_environment_alone_makes_no_version() -> None:
    past = Past(saving(1))

    assert past.decided(saving(1, 1, message="again", environment={"host": "b"}, code={"dirty": True})) == ()


def test_tags_notes_and_figures_given_again_are_applied_to_the_head() -> None:
    past = Past(saving(1, tags=("v1",), annotations={"a": 1}, metrics={"f1": 0.5}))

    appended = past.decided(
        saving(1, 1, tags=("v1", "best"), annotations={"a": 1, "b": True}, metrics={"f1": 0.5, "ks": 0.3})
    )

    assert appended == credit(
        TagCreated(tag="best", version=1),
        VersionAnnotated(version=1, annotations={"b": True}),
        MetricsRecorded(version=1, metrics={"ks": 0.3}),
    )


def test_a_note_that_turns_from_1_to_true_is_new() -> None:
    past = Past(saving(1, annotations={"checked": 1}))

    assert past.decided(saving(1, 1, annotations={"checked": True})) == credit(
        VersionAnnotated(version=1, annotations={"checked": True})
    )


def test_a_note_of_null_takes_the_note_off() -> None:
    past = Past(saving(1, annotations={"ticket": "R-1"}))

    past.ask(Annotate(model="credit", version=1, annotations={"ticket": None}))

    assert dict(past.credit.notes[1]) == {}


@pytest.mark.parametrize(
    "change",
    [
        {"tensors": digest("other")},
        {"recipe": Recipe(hyperparameters={"learning_rate": 0.02})},
        {"files": (File(name="b", digest=digest("f"), bytes=1),)},
    ],
    ids=["tensors", "recipe", "a file's name"],
)
def test_anything_that_makes_a_version_makes_a_new_one(change: dict) -> None:
    past = Past(saving(1, files=(File(name="a", digest=digest("f"), bytes=1),)))

    assert VersionCommitted in kinds(past.decided(replace(saving(1, 1), **change)))


def test_what_stands_further_back_is_a_version_of_its_own_when_it_comes_again() -> None:
    past = Past(saving(1), saving(2, 1))

    past.ask(saving(1, 2))

    assert past.credit.head("main") == 3


def test_repeating_the_head_with_a_wrong_expectation_is_stale_all_the_same() -> None:
    with pytest.raises(Stale, match="branch 'main' is at 2, not at 1"):
        Past(saving(1), saving(2, 1)).decided(saving(2, 2, expected=1))


def test_merging_what_the_head_contains_already_becomes_nothing() -> None:
    past = Past(saving(1), saving(2, 1), saving(3, 2))
    merge = replace(saving(3, 3, 1).recipe, derivation={"merge": "average"})

    assert past.decided(saving(3, 3, 1, recipe=merge)) == ()
    assert past.decided(saving(3, 3, 3, recipe=merge)) == ()


def test_merging_what_the_head_contains_is_a_version_where_it_changes_tensors_or_recipe() -> None:
    past = Past(saving(1), saving(2, 1), saving(3, 2))

    assert kinds(past.decided(saving("soup", 3, 1))) == [VersionCommitted]
    assert kinds(past.decided(saving(3, 3, 1, recipe=Recipe(settings={"epochs": 2})))) == [VersionCommitted]


def test_merging_another_line_is_a_version_even_where_the_tensors_stay() -> None:
    past = Past(saving(1), saving(2, 1), saving(3, 1, branch="wide"))

    assert kinds(past.decided(saving(2, 2, 3))) == [VersionCommitted]


def test_the_work_done_again_after_a_rollback_has_the_digest_it_had() -> None:
    past = Past(saving(1), saving(2, 1), RollBack(model="credit", branch="main", to=1, from_version=2))

    past.ask(saving(2, 1))

    assert past.credit.version(3).event.digest == past.credit.version(2).event.digest


def test_a_branch_made_beforehand_is_committed_to_from_where_it_stands() -> None:
    past = Past(saving(1), CreateBranch(model="credit", branch="wide", version=1))

    assert kinds(past.decided(saving(2, 1, branch="wide"))) == [VersionCommitted]
