"""Versions at a glance: newest first, page by page, of a branch, or where an expression holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lepton_ai import ModelManager, UnknownRevision
from lepton_ai.errors import Malformed


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> ModelManager:
    """A net of nine versions, every third on a branch of its own, and another model."""
    manager = ModelManager(tmp_path_factory.mktemp("summaries"), actor="ada")
    for number in range(1, 10):
        told = {"message": f"step {number}", "metrics": {"f1": number / 10}}
        parents = ["main"] if number == 3 else None
        weights = {"weight": np.full(4, number, dtype=np.float32)}
        manager.save_version(weights, name="net", branch="main" if number % 3 else "trial", parents=parents, **told)
    manager.save_version({"weight": np.zeros(2, dtype=np.float32)}, name="other", metrics={"f1": 0.9})
    manager.tag("best", "net@9")
    manager.alias("production", "net@8")
    return manager


def numbers(manager: ModelManager, **asked: object) -> list[int]:
    return [int(each.version) for each in manager.versions("net", **asked)]  # pyright: ignore[reportArgumentType]


def test_a_page_has_the_newest_versions_and_the_last_number_asks_for_the_next(manager: ModelManager) -> None:
    assert numbers(manager, most=4) == [9, 8, 7, 6]
    assert numbers(manager, most=4, before=6) == [5, 4, 3, 2]
    assert numbers(manager, most=4, before=2) == [1]
    assert numbers(manager, before=1) == []


def test_of_a_branch_those_are_listed_that_were_committed_on_it(manager: ModelManager) -> None:
    manager.rollback(3, model="net", branch="trial", reason="a move that makes no version")

    assert numbers(manager, branch="trial") == [9, 6, 3]
    assert numbers(manager, branch="trial", most=1, before=9) == [6]
    assert numbers(manager, branch="main", most=2, before=8) == [7, 5]


def test_an_expression_is_searched_for_within_the_model_and_the_page(manager: ModelManager) -> None:
    assert numbers(manager, where="metric.f1 > 0.45", most=3) == [9, 8, 7]
    assert numbers(manager, where="metric.f1 > 0.45", most=3, before=7) == [6, 5]
    assert numbers(manager, where="metric.f1 > 0.45", branch="trial") == [9, 6]
    assert numbers(manager, where="version.message = 'step 4'") == [4]


def test_a_version_at_a_glance_says_who_made_it_when_and_what_stands_on_it(manager: ModelManager) -> None:
    eight, *_ = manager.versions("net", most=1, before=9)

    assert (eight.actor, eight.message, eight.aliases, eight.branches) == ("ada", "step 8", ("production",), ("main",))
    assert dict(eight.metrics) == {"f1": 0.8}
    told = eight.to_dict()
    assert told["version"] == 8
    assert told["digest"] == manager.show("net@8").version.digest
    assert told["time"] == manager.show("net@8").time.isoformat()
    assert manager.versions("net", most=1).versions[0].tags == ("best",)
    assert "step 8" in str(manager.versions("net", most=2))


@pytest.mark.parametrize("asked", [{"most": 0}, {"before": 0}, {"where": "f1 >"}], ids=str)
def test_what_is_no_page_is_malformed(manager: ModelManager, asked: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        numbers(manager, **asked)


def test_a_branch_that_never_was_is_named(manager: ModelManager) -> None:
    with pytest.raises(UnknownRevision, match="never had a branch 'nightly'"):
        numbers(manager, branch="nightly")


def test_a_log_is_read_on_from_the_last_entry_of_a_page(manager: ModelManager) -> None:
    for rev in (None, "net@main", "net@trial", "net@7", "net@2..7"):
        whole = [each.seq for each in manager.log(rev, model="net")]
        paged: list[int] = []
        while page := [each.seq for each in manager.log(rev, model="net", most=2, before=paged[-1] if paged else None)]:
            paged += page
        assert paged == whole


def test_where_nothing_matches_nothing_is_listed(manager: ModelManager, tmp_path: Path) -> None:
    assert str(manager.versions("net", where="metric.f1 > 2")) != ""
    assert len(manager.versions("net", where="metric.f1 > 2")) == 0
    with pytest.raises(UnknownRevision):
        manager.versions("nothing")
