"""Ancestry and moves: the same answers as from looking at everything, from looking at little."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_ai.domain.commands import RollBack
from lepton_ai.domain.model.ancestry import below, comes_from, descent, first_parents_ago, newest_first
from lepton_ai.domain.model.moves import RefMove, all_moves, moves_between, moves_of_branch, moves_up_to
from lepton_ai.domain.model.resolve import parse, resolve
from lepton_ai.domain.model.state import ModelState

from ..examples import examples
from .past import Past, saving
from .test_laws import Ask, calls, lived, pasts


class Counted(dict[int, Any]):
    """A model's versions, counting how often one is looked at."""

    looks = 0

    def __getitem__(self, number: int) -> Any:
        self.looks += 1
        return super().__getitem__(number)


def made(*lines: tuple[int, ...]) -> Counted:
    """Versions 1, 2, ... with these parents."""
    versions = Counted()
    for number, parents in enumerate(lines, 1):
        versions[number] = SimpleNamespace(number=number, parents=parents, descent=descent(versions, parents))
    versions.looks = 0
    return versions


@st.composite
def histories(draw: st.DrawFn) -> Counted:
    lines: list[tuple[int, ...]] = [()]
    for number in range(2, draw(st.integers(2, 40))):
        latest = st.integers(max(1, number - 3), number - 1)
        parents = draw(st.lists(latest | st.integers(1, number - 1), max_size=3, unique=True))
        lines.append(tuple(parents or [number - 1] * draw(st.integers(0, 1))))
    return made(*lines)


def whole(versions: Mapping[int, Any], *numbers: int) -> set[int]:
    """Ancestors by looking at every parent there is."""
    known = set(numbers)
    for number in sorted(versions, reverse=True):
        if number in known:
            known.update(versions[number].parents)
    return known


@settings(max_examples=examples(100), deadline=None)
@given(histories(), st.data())
def test_every_question_about_ancestors_is_answered_as_by_looking_at_all(
    versions: Counted, data: st.DataObject
) -> None:
    one, other, ancestor = (data.draw(st.sampled_from(sorted(versions))) for _ in range(3))

    assert comes_from(versions, (one, other), ancestor) == (ancestor in whole(versions, one, other))
    assert list(newest_first(versions, (one, other))) == sorted(whole(versions, one, other), reverse=True)
    assert list(newest_first(versions, (one,), (other,))) == sorted(
        whole(versions, one) - whole(versions, other), reverse=True
    )
    known = (below(versions, some, ancestor) for some in ((one,), (other,)))
    assert list(newest_first(versions, *known)) == sorted(
        (number for number in whole(versions, one) - whole(versions, other) if number < ancestor), reverse=True
    )
    line = [one]
    while parents := versions[line[-1]].parents:
        line.append(parents[0])
    assert versions[one].descent.depth == len(line) - 1
    assert [first_parents_ago(versions, one, n) for n in range(len(line))] == line


def test_a_line_of_twenty_thousand_versions_is_crossed_in_a_few_jumps() -> None:
    versions = made((), *((number,) for number in range(1, 20_000)))

    assert comes_from(versions, (20_000,), 2)
    assert first_parents_ago(versions, 20_000, 19_990) == 10
    assert list(newest_first(versions, (20_000,), (19_990,))) == list(range(20_000, 19_990, -1))
    assert list(islice(newest_first(versions, (20_000,)), 20))[-1] == 19_981
    assert below(versions, (20_000,), 10) == {9}
    assert versions.looks < 500


def branched(model: ModelState, branch: str) -> Iterator[RefMove]:
    for each in all_moves(model):
        committed = each.move.kind in ("committed", "merged", "created")
        inside = each.move.to_version in model.past(branch)
        if (each.kind == "branch" and each.ref.name == branch) or (inside and (committed or each.kind == "alias")):
            yield each


def committed(model: ModelState, versions: set[int]) -> list[RefMove]:
    kinds = ("committed", "merged", "created")
    return [each for each in all_moves(model) if each.move.kind in kinds and each.move.to_version in versions]


@given(pasts, st.data())
@settings(max_examples=examples(60), deadline=None)
def test_a_log_read_from_its_end_is_the_log_of_all_moves(sequence: list[Ask], data: st.DataObject) -> None:
    model = lived(sequence).credit
    before, after = (data.draw(st.sampled_from(sorted(model.versions))) for _ in range(2))
    seqs = [each.move.seq for each in all_moves(model)]

    assert seqs == sorted(seqs, reverse=True)
    assert len(seqs) == sum(len(ref.moves) for ref in (*model.branches.values(), *model.aliases.values()))
    for branch in model.branches:
        assert list(moves_of_branch(model, branch)) == list(branched(model, branch))
        assert all(model.in_past(branch, n) == (n in model.past(branch)) for n in model.versions)
    assert list(moves_up_to(model, after)) == committed(model, set(model.ancestry(after)))
    inside = set(model.ancestry(after)) - set(model.ancestry(before))
    assert list(moves_between(model, before, after)) == committed(model, inside)
    for seq in seqs:
        page = list(all_moves(model, seq))
        assert [each.move.seq for each in page] == [each for each in seqs if each < seq]
        for paged, all_of_it in (
            (moves_of_branch(model, "main", seq), moves_of_branch(model, "main")),
            (moves_up_to(model, after, seq), moves_up_to(model, after)),
            (moves_between(model, before, after, seq), moves_between(model, before, after)),
        ):
            assert list(paged) == [each for each in all_of_it if each.move.seq < seq]
    for number, tags in model.tagged.items():
        assert list(tags) == sorted(tag for tag, on in model.tags.items() if on == number)


def test_questions_about_the_past_cost_the_same_at_any_length_of_history() -> None:
    def costs(length: int) -> list[int]:
        past = Past(saving(1))
        for n in range(1, length):
            past.ask(saving(n + 1, n))
        model, digest = past.credit, past.credit.version(2).event.digest
        back = RollBack(model="credit", branch="main", to=2, from_version=length)
        instant = datetime(2100, 1, 1, tzinfo=UTC).isoformat()
        return [
            calls(lambda: past.decided(back)),
            calls(lambda: [*islice(all_moves(model), 20)]),
            calls(lambda: [*islice(moves_of_branch(model, "main"), 20)]),
            calls(lambda: [*islice(moves_up_to(model, length - 5), 20)]),
            calls(lambda: [*moves_between(model, length - 9, length)]),
            *(
                calls(lambda: [*islice(page, 20)])  # noqa: B023 - called at once
                for page in (
                    all_moves(model, model.version(40).seq),
                    moves_of_branch(model, "main", model.version(40).seq),
                    moves_up_to(model, length - 5, model.version(40).seq),
                )
            ),
            calls(lambda: resolve(model, parse(digest))),
            calls(lambda: resolve(model, parse(f"main@{{{length - 10}}}"))),
            calls(lambda: resolve(model, parse(f"main@{{{instant}}}"))),
        ]

    early, late = costs(100), costs(1000)

    assert all(after <= 1.5 * before for before, after in zip(early, late, strict=True)), (early, late)
