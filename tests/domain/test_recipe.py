"""What makes two versions the same in every ledger, pinned for ever."""

from __future__ import annotations

from immutables import Map

from lepton_ai.domain.commands import RollBack
from lepton_ai.domain.model.recipe import Recipe, version_digest
from lepton_ai.events.model import Parent

from .past import Past, digest, saving

RECIPE = Recipe(
    hyperparameters={"learning_rate": 0.01, "layers": [64, 32], "名": "信用", "momentum": 1e-7},
    architecture={"class": "lepton.credit_scoring", "dropout": 0.2, "bias": True},
    settings={"epochs": 30, "seed": 0},
    data={"digest": "sha256:" + "ab" * 32, "rows": 1000},
    derivation=None,
)


def test_the_recipe_of_a_version_is_what_it_was_when_it_was_defined() -> None:
    assert RECIPE.digest() == "sha256:547a4d3b32cf5062b47b52026c2b3e26fd4518e3359ca9bb5f8dec6d86b0d54d"
    assert Recipe().digest() == "sha256:78bc5e5a280e1da59a28555647ddf8c890796d9392e7667a1f261e6cd2480b5b"


def test_the_digest_of_a_version_is_what_it_was_when_it_was_defined() -> None:
    root = version_digest("sha256:" + "11" * 32, [], RECIPE.digest())
    merged = version_digest(
        "sha256:" + "22" * 32, [(root, "merged"), ("sha256:" + "33" * 32, "merged")], RECIPE.digest()
    )

    assert root == "sha256:61b1be11dacfc57f231addaace836adb41a74879088da4b26d37576453abcbd7"
    assert merged == "sha256:51531ac6b271ce4caf8d4d0935374dee1c0ca2fb0468786846ca0d7b197b6fa8"


def test_the_order_and_kind_of_a_mapping_make_no_other_recipe() -> None:
    settings = {"epochs": 3, "inner": {"a": 1, "b": (1, 2)}}
    turned = Map({"inner": Map({"b": [1, 2], "a": 1.0}), "epochs": 3})

    assert Recipe(settings=settings).digest() == Recipe(settings=turned).digest()


def test_each_part_of_a_recipe_makes_another_recipe() -> None:
    parts = ("hyperparameters", "architecture", "settings", "data", "derivation")

    digests = {Recipe(**{part: {"a": 1}}).digest() for part in parts}

    assert len(digests | {Recipe().digest(), Recipe(data={}).digest()}) == len(parts) + 2


def test_order_and_role_of_parents_make_another_version() -> None:
    one, other = digest(1), digest(2)
    lines = ([(one, "merged"), (other, "merged")], [(other, "merged"), (one, "merged")], [(one, "trained")], [])

    assert len({version_digest(digest("θ"), line, digest("recipe")) for line in lines}) == 4


def test_a_version_has_one_digest_in_every_ledger_whatever_its_number_branch_or_words() -> None:
    here = Past(saving(1), saving(2, 1, message="tuned", metrics={"f1": 0.9}, tags=("v1",), environment={"host": "a"}))
    there = Past(
        saving("other"),
        saving("line", 1),
        RollBack(model="credit", branch="main", to=1, from_version=2),
        saving(1, model="fraud"),
        saving(2, 1, model="fraud", branch="main", environment={"host": "b"}, code={"dirty": True}),
    )

    fraud = there.state("model/fraud")
    assert [version.event.digest for _, version in sorted(here.credit.versions.items())] == [
        version.event.digest
        for _, version in sorted(fraud.versions.items())  # pyright: ignore[reportAttributeAccessIssue]
    ]


def test_a_parents_role_shows_in_the_digest_of_the_version() -> None:
    digests = {
        Past(saving(1)).decided(saving(2, Parent(model="credit", version=1, role=role)))[0].event.digest
        for role in ("trained", "fine_tuned", "pruned")
    }

    assert len(digests) == 3
