"""Revisions: the grammar, which version a text names, how far it goes, and the examples of docs/revisions.md."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_ai.domain.commands import CreateTag, DeleteAlias, DeleteBranch, MoveAliases, RollBack
from lepton_ai.domain.model.resolve import Resolved, Revision, parse, parse_range, resolve, split, split_range
from lepton_ai.domain.model.revision import Ancestor, AsOf, MovesAgo, NthParent
from lepton_ai.domain.model.state import ModelState
from lepton_ai.domain.names import NAME
from lepton_ai.errors import LeptonError, Malformed, Refused, UnknownRevision

from .past import Past, saving

DOCUMENT = (Path(__file__).parents[2] / "docs" / "revisions.md").read_text()


def at(day: int, hour: int) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def history() -> Past:
    """The history that docs/revisions.md tells."""
    past = Past()
    past.ask(saving(1), at=at(20, 9))
    past.ask(saving(2, 1), at=at(21, 9))
    past.ask(saving(3, 1, branch="wide"), at=at(21, 14))
    past.ask(saving(4, 2, 3, tags=("v1",)), at=at(22, 9))
    past.ask(MoveAliases(model="credit", to={"production": 2}), at=at(22, 10))
    past.ask(MoveAliases(model="credit", to={"production": 4}), at=at(23, 9))
    past.ask(RollBack(model="credit", branch="main", to=2, from_version=4, move_aliases=("production",)), at=at(24, 9))
    past.ask(saving(5, 2), at=at(24, 15))
    return past


CREDIT = history().credit


def version(text: str, model: ModelState = CREDIT) -> int:
    return resolve(model, parse(text)).version


def refusal(text: str, model: ModelState = CREDIT) -> str:
    with pytest.raises(Refused) as refused:
        resolve(model, parse(text))
    return str(refused.value)


# ── the document ─────────────────────────────────────────────────────────────────────────────────────────────────────

ROWS = [
    (cells[0].strip("` "), cells[1].strip())
    for line in DOCUMENT.splitlines()
    if line.startswith("| `") and len(cells := line.strip("|").split(" | ")) == 3
]


@pytest.mark.parametrize(("text", "answer"), ROWS, ids=[text for text, _ in ROWS])
def test_each_example_of_the_document_is_so(text: str, answer: str) -> None:
    models = ("credit", "fraud") if text.startswith("credit") else ("credit",)
    try:
        if ".." in text:
            _, first, last = split_range(text, models)
            found = f"{resolve(CREDIT, first).version} to {resolve(CREDIT, last).version}"
        else:
            found = str(resolve(CREDIT, split(text, models)[1]).version)
    except LeptonError as error:
        found = type(error).__name__

    assert found == answer


def test_the_document_has_examples_of_every_kind_of_step() -> None:
    texts = " ".join(text for text, _ in ROWS)

    assert all(part in texts for part in ("~", "^", "@{1}", "@{2026-11-23}", "T", "sha256:", "..", "credit@"))
    assert len(ROWS) > 25


# ── grammar ──────────────────────────────────────────────────────────────────────────────────────────────────────────

names = st.from_regex(NAME, fullmatch=True).filter(
    lambda n: not n.endswith(("/", ".")) and ".." not in n and "//" not in n
)
digests = st.from_regex(r"[0-9]{4}[a-f][0-9a-f]{3,59}|sha256:[0-9a-f]{8,64}", fullmatch=True)
counts = st.integers(0, 10**12)
instants = st.datetimes(timezones=st.just(UTC))
walks = st.lists(st.one_of(st.builds(Ancestor, counts), st.builds(NthParent, counts)), max_size=4).map(tuple)
stands = st.one_of(st.builds(MovesAgo, counts), st.builds(AsOf, instants)).map(lambda step: (step,))
models = st.none() | st.sampled_from(["credit", "team/credit-2.0", "信用/评分", "a_b"])
revisions = st.one_of(
    st.builds(Revision, counts | names | digests, walks, models),
    st.builds(lambda base, stand, walk, model: Revision(base, stand + walk, model), names, stands, walks, models),
)


@given(revisions)
def test_a_revision_is_read_back_from_its_text(revision: Revision) -> None:
    assert parse(str(revision)) == revision


@given(revisions, revisions)
def test_a_range_is_read_back_from_its_text(first: Revision, last: Revision) -> None:
    if last.model not in (None, first.model):
        with pytest.raises(Malformed, match="runs from one model into another"):
            parse_range(f"{first}..{last}")
    else:
        read = parse_range(f"{first}..{last}")
        assert read == (first, Revision(last.base, last.steps, first.model))


@given(st.text(max_size=40) | st.text(alphabet="ab1@{}~^.:/-T Z", max_size=20))
def test_any_text_is_a_revision_or_refused_in_our_words(text: str) -> None:
    try:
        revision = parse(text)
    except Malformed:
        return
    assert parse(str(revision)) == revision


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("main~", "main~1"),
        ("main^^2~03", "main^1^2~3"),
        ("007", "7"),
        ("main@{2026-11-24T09:30:00+08:00}", "main@{2026-11-24T01:30:00Z}"),
        ("main@{2026-11-24 09:30:00.5z}", "main@{2026-11-24T09:30:00.500000Z}"),
        ("main@{2026-11-24T23:59:59.999999Z}", "main@{2026-11-24}"),
        ("信用@main@{1}", "信用@main@{1}"),
    ],
)
def test_one_meaning_has_one_text(text: str, canonical: str) -> None:
    assert str(parse(text)) == canonical


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "'' is no revision"),
        ("@{1}", "is no revision"),
        ("main@", "is no revision"),
        ("main~x", "is no revision"),
        ("main@{1", "is no revision"),
        ("a@b@c", "is no revision"),
        ("x" * 5000, "is no revision"),
        ("@main", "'' cannot name a model"),
        ("cre dit@main", "'cre dit' cannot name a model"),
        ("ma in", "'ma in' cannot name a branch, tag or alias"),
        ("main\n", "cannot name a branch"),
        ("信用", "'信用' cannot name a branch"),
        ("１２", "cannot name a branch"),
        ("1a2b", "'1a2b' cannot name a branch, tag or alias"),
        ("1@{2}", "goes right behind a branch or alias"),
        ("main~1@{2}", "goes right behind a branch or alias"),
        ("main@{1}@{2}", "goes right behind a branch or alias"),
        ("main@{}", "has no count, date or time"),
        ("main@{yesterday}", "has no count, date or time"),
        ("main@{2026-02-30}", "has no count, date or time"),
        ("main@{2026-11-24T09:30:00}", "has no count, date or time"),
        ("main@{0001-01-01T00:00:00+14:00}", "has no count, date or time"),
        ("main@{-1}", "has no count, date or time"),
    ],
)
def test_what_the_grammar_does_not_know_is_refused(text: str, words: str) -> None:
    with pytest.raises(Malformed, match=re.escape(words)):
        parse(text)


@pytest.mark.parametrize("text", ["main", "..main", "main..", "a..b..c", "a...b"])
def test_a_range_has_two_ends(text: str) -> None:
    with pytest.raises(Malformed, match=r"is no range; write A\.\.B"):
        parse_range(text)


# ── which model ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_with_one_model_nobody_need_name_it() -> None:
    assert split("main~1", ["credit"]) == ("credit", parse("credit@main~1"))


def test_with_several_a_bare_revision_is_refused_and_they_are_listed() -> None:
    with pytest.raises(Refused, match="this ledger holds several models, credit, fraud; write MODEL@main"):
        split("main", ["credit", "fraud"])
    with pytest.raises(Refused, match=r"m00, .*, m09 and 90 more;"):
        split("main", [f"m{n:02}" for n in range(100)])


def test_a_bare_model_is_its_branch_main() -> None:
    assert split("信用", ["信用", "fraud"]) == ("信用", parse("信用@main"))
    assert split("team/credit~2", ["team/credit", "fraud"]) == ("team/credit", parse("team/credit@main~2"))
    assert split("credit@{1}", ["credit"]) == ("credit", parse("credit@main@{1}"))
    assert split("credit@credit", ["credit"]) == ("credit", parse("credit@credit"))


@pytest.mark.parametrize("text", ["credt@main", "credt@1~2"])
def test_an_unknown_model_is_answered_with_those_that_look_like_it(text: str) -> None:
    with pytest.raises(UnknownRevision, match="there is no model 'credt'; did you mean credit"):
        split(text, ["credit", "fraud"])
    with pytest.raises(UnknownRevision, match="there is no model 'credt'; `lepton models` lists them"):
        split(text, ["xyz"])


def test_a_home_without_models_says_so() -> None:
    with pytest.raises(UnknownRevision, match="there is no model yet; save_version or train makes the first"):
        split("main", [])


def test_the_end_of_a_range_is_of_the_model_of_its_beginning() -> None:
    both = ["credit", "fraud"]

    assert split_range("credit@1..main", both) == ("credit", parse("credit@1"), parse("credit@main"))
    assert split_range("credit..wide", both) == ("credit", parse("credit@main"), parse("credit@wide"))
    assert split_range("wide..credit", ["credit"]) == ("credit", parse("credit@wide"), parse("credit@main"))
    with pytest.raises(Malformed, match=r"'credit@1..fraud@2' runs from one model into another; `lepton diff A B`"):
        split_range("credit@1..fraud@2", both)
    with pytest.raises(Refused, match="several models"):
        split_range("1..2", both)


# ── which version ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_time_resolves_to_the_move_that_had_put_the_branch_there() -> None:
    resolved = resolve(CREDIT, parse("main@{2026-11-23}"))

    assert resolved == Resolved(4, CREDIT.version(4).seq)
    assert resolve(CREDIT, parse("main@{2026-11-23}~1")) == Resolved(2, CREDIT.version(4).seq)
    assert resolve(CREDIT, parse("main")) == Resolved(5, None)


def test_a_move_counts_from_its_very_microsecond() -> None:
    moved = at(24, 9)

    assert version(str(Revision("main", (AsOf(moved),)))) == 2
    assert version(str(Revision("main", (AsOf(moved - timedelta(microseconds=1)),)))) == 4
    assert version(f"main@{{{moved.astimezone(timezone(timedelta(hours=8))).isoformat()}}}") == 2


@given(st.integers(0, 4))
def test_moves_ago_and_moves_recorded_agree(n: int) -> None:
    moves = list(CREDIT.branches["main"].history())

    assert version(f"main@{{{n}}}") == moves[n].to_version


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("9", "credit has no version 9; `lepton log credit` lists them"),
        ("0", "credit has no version 0"),
        ("mian", "credit has no branch, tag or alias 'mian'; did you mean main?"),
        ("zzz", "credit has no branch, tag or alias 'zzz'; `lepton log credit` lists what it has"),
        ("deadbeef", "credit has no version whose digest begins with 'deadbeef'"),
        ("main~0", "'main~0' names nothing: ~ counts from ~1, the first parent of version 5"),
        ("main~99", "'main~99' names nothing: version 5 goes back as far as ~2"),
        ("1~1", "'1~1' names nothing: version 1 has no parent"),
        ("v1^0", "'v1^0' names nothing: version 4 has parents ^1 to ^2"),
        ("v1^3", "'v1^3' names nothing: version 4 has parents ^1 to ^2"),
        ("main^2", "'main^2' names nothing: version 5 has ^1 only"),
        ("1^", "'1^1' names nothing: version 1 has no parent"),
        ("main@{99}", "'main' cannot go back 99 moves: @{4} was its first place"),
        ("v1@{1}", "'v1' is a tag of credit; tags do not move: ask a branch or an alias"),
        ("prodction@{1}", "credit never had a branch or alias 'prodction'; did you mean production?"),
        ("zzz@{1}", "credit never had a branch or alias 'zzz'; `lepton branch` lists them"),
        ("main@{2026-11-19}", "'main' goes back to 2026-11-20T09:00:00+00:00; nothing stood there before"),
        ("fraud@main", "there is no model 'fraud' here"),
    ],
)
def test_what_names_no_version_says_how_far_it_goes(text: str, words: str) -> None:
    assert words in refusal(text)


def test_steps_put_together_by_hand_in_a_wrong_order_are_refused() -> None:
    with pytest.raises(UnknownRevision, match="goes right behind a name"):
        resolve(CREDIT, Revision("main", (Ancestor(1), MovesAgo(1))))


def test_a_model_that_was_never_saved_has_no_revisions() -> None:
    with pytest.raises(UnknownRevision, match="there is no model 'credit' here"):
        resolve(ModelState(name="credit"), parse("main"))


def test_the_last_place_of_what_was_deleted_can_still_be_named() -> None:
    past = history()
    past.ask(DeleteBranch(model="credit", branch="wide"), at=at(25, 9))
    past.ask(DeleteAlias(model="credit", alias="production"), at=at(25, 10))

    assert version("wide@{1}", past.credit) == 3
    assert version("production@{2026-11-24}", past.credit) == 2
    assert "no branch, tag or alias 'wide'" in refusal("wide", past.credit)
    assert "'wide@{0}' names nothing: 'wide' had been deleted; go farther back" in refusal("wide@{0}", past.credit)
    assert "'wide' had been deleted" in refusal("wide@{2026-11-25}", past.credit)


def test_a_name_that_was_a_branch_and_then_an_alias_has_both_pasts() -> None:
    past = history()
    past.ask(DeleteBranch(model="credit", branch="wide"), at=at(25, 9))
    past.ask(MoveAliases(model="credit", to={"wide": 5}), at=at(26, 9))

    assert version("wide", past.credit) == version("wide@{0}", past.credit) == 5
    assert version("wide@{2}", past.credit) == 3
    assert version("wide@{2026-11-23}", past.credit) == 3


# ── digests ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.integers(1, 5), st.integers(8, 64), st.booleans(), st.booleans())
def test_a_digest_is_known_by_any_beginning_of_eight_digits(
    number: int, length: int, marked: bool, upper: bool
) -> None:
    prefix = CREDIT.version(number).event.digest.removeprefix("sha256:")[:length]
    text = f"sha256:{prefix.upper() if upper else prefix}" if marked else prefix.upper() if upper else prefix

    if marked or (re.search("[a-f]", prefix) and (upper or not prefix.isdigit())):
        assert version(text) == number


def with_digests(*hexadecimal: str) -> ModelState:
    """Model credit whose versions have digests that begin so."""
    past = Past()
    for n, digits in enumerate(hexadecimal):
        appends = past.decided(saving(n, *([n] if n else [])))
        digest = f"sha256:{digits:0<64}"
        for append in appends:
            event = append.event
            update = {"digest": digest} if "digest" in type(event).model_fields else {}
            past.record(append._replace(event=event.model_copy(update=update)))
    return cast(ModelState, past.credit)


def test_a_beginning_that_several_digests_share_is_refused_with_its_candidates() -> None:
    model = with_digests("abcdef0011", "abcdef0022", "1234567890")

    words = refusal("abcdef00", model)

    assert "'abcdef00' fits several versions of credit: 1 (abcdef0011000000...), 2 (abcdef0022000000...)" in words
    assert version("abcdef001", model) == 1


def test_one_digest_under_two_numbers_is_the_first_of_them() -> None:
    past = Past(saving(1), saving(2, 1), RollBack(model="credit", branch="main", to=1, from_version=2), saving(2, 1))

    assert version(past.credit.version(3).event.digest, past.credit) == 2


def test_all_digits_are_a_number_unless_marked_as_a_digest() -> None:
    model = with_digests("1234567890")

    assert "no version 12345678" in refusal("12345678", model)
    assert version("sha256:12345678", model) == 1


def test_a_name_wins_over_a_digest() -> None:
    past = history()
    assert version("b6015ce4", past.credit) == 3

    past.ask(CreateTag(model="credit", tag="b6015ce4", version=1))

    assert version("b6015ce4", past.credit) == 1
    assert version("b6015ce4717d", past.credit) == 3
