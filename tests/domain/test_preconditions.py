"""Preconditions: a write that expects a name's last move is refused once anybody moved it, whatever it stands on."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lepton_ai import LastMove
from lepton_ai.domain.commands import (
    AnyCommand,
    CreateBranch,
    CreateTag,
    DeleteAlias,
    DeleteBranch,
    DeleteTag,
    MoveAliases,
    RollBack,
    RollBackAlias,
)
from lepton_ai.domain.gates.commands import ProtectAlias, UnprotectAlias
from lepton_ai.domain.model.state import NameKind
from lepton_ai.errors import LeptonError, Refused, Stale, UnknownRevision
from lepton_ai.events.envelope import decode
from lepton_ai.plain import canonical
from lepton_ai.results.last_move import NOWHERE, SOMEWHERE

from ..examples import examples
from .past import CREDIT, Past, saving
from .test_laws import Ask, lived, pasts

KINDS: dict[NameKind, str] = {"branch": "branch", "tag": "tag", "alias": "alias"}


def moved(**to: int) -> MoveAliases:
    return MoveAliases(model="credit", to=to)


def three() -> Past:
    """main: 1, 2, 3; wide on 2, tag v1 on 1, production on 2."""
    past = Past(saving(1), saving(2, 1), saving(3, 2))
    past.ask(CreateBranch(model="credit", branch="wide", version=2))
    past.ask(CreateTag(model="credit", tag="v1", version=1))
    past.ask(moved(production=2))
    return past


def there_and_back(past: Past, kind: NameKind) -> None:
    """Move a name and put it back on the version that it stood on."""
    match kind:
        case "branch":
            past.ask(saving(4, 2, branch="wide"))
            past.ask(RollBack(model="credit", branch="wide", to=2, from_version=4))
        case "tag":
            past.ask(DeleteTag(model="credit", tag="v1"))
            past.ask(CreateTag(model="credit", tag="v1", version=1))
        case "alias":
            past.ask(moved(production=3))
            past.ask(moved(production=2))


WRITES: dict[str, tuple[NameKind, str, Callable[[Any], AnyCommand]]] = {
    "create a branch": (
        "branch",
        "wide",
        lambda e: CreateBranch(model="credit", branch="wide", version=2, expected=e),
    ),
    "delete a branch": ("branch", "wide", lambda e: DeleteBranch(model="credit", branch="wide", expected=e)),
    "create a tag": ("tag", "v1", lambda e: CreateTag(model="credit", tag="v1", version=1, expected=e)),
    "delete a tag": ("tag", "v1", lambda e: DeleteTag(model="credit", tag="v1", expected=e)),
    "move an alias": (
        "alias",
        "production",
        lambda e: MoveAliases(model="credit", to={"production": 3}, expected={"production": e}),
    ),
    "delete an alias": ("alias", "production", lambda e: DeleteAlias(model="credit", alias="production", expected=e)),
    "roll a branch back": (
        "branch",
        "wide",
        lambda e: RollBack(model="credit", branch="wide", to=1, from_version=2, expected=e),
    ),
    "roll an alias back": (
        "alias",
        "production",
        lambda e: RollBackAlias(model="credit", alias="production", to=2, from_version=2, expected=e),
    ),
    "commit": ("branch", "wide", lambda e: saving(9, 2, branch="wide", expected=e)),
    "commit what stands": ("branch", "wide", lambda e: saving(2, 2, branch="wide", expected=e)),
}


@pytest.mark.parametrize("write", WRITES)
def test_a_name_that_was_moved_and_put_back_is_not_where_it_was(write: str) -> None:
    kind, name, ask = WRITES[write]
    past = three()
    seen = past.credit.last_move(kind, name)
    past.decided(ask(LastMove(seen)))  # nobody moved it yet
    there_and_back(past, kind)

    with pytest.raises(Stale, match=f"{kind} '{name}' is at event {len(past.log)}, not at event {seen}"):
        past.decided(ask(LastMove(seen)))
    past.decided(ask(LastMove(len(past.log))))


@pytest.mark.parametrize("write", WRITES)
def test_a_write_may_expect_that_a_name_is_there_or_that_it_is_not(write: str) -> None:
    _, _, ask = WRITES[write]
    past = three()

    past.decided(ask(SOMEWHERE))
    with pytest.raises(Stale, match="not at nowhere"):
        past.decided(ask(NOWHERE))


def test_what_was_given_up_is_nowhere_and_may_be_made_anew_as_that() -> None:
    past = three()
    seen = past.credit.last_move("alias", "production")
    past.ask(DeleteAlias(model="credit", alias="production"))

    assert past.credit.last_move("alias", "production") == 0
    assert past.credit.last_of_all("alias") == len(past.log)
    again = {"model": "credit", "to": {"production": 1}}
    for stale in (LastMove(seen), SOMEWHERE):
        with pytest.raises(Stale, match="alias 'production' is at nowhere"):
            past.decided(MoveAliases(**again, expected={"production": stale}))
    assert past.decided(MoveAliases(**again, expected={"production": NOWHERE}))


def test_what_is_not_there_is_unknown_whatever_was_expected_of_it() -> None:
    past = three()

    for gone in (
        DeleteBranch(model="credit", branch="gone", expected=LastMove(3)),
        DeleteTag(model="credit", tag="gone", expected=LastMove(3)),
        DeleteAlias(model="credit", alias="gone", expected=LastMove(3)),
        RollBackAlias(model="credit", alias="gone", to=1, from_version=1, expected=LastMove(3)),
    ):
        with pytest.raises(UnknownRevision, match=r"has no \w+ 'gone'"):
            past.decided(gone)


def test_aliases_move_all_or_none_where_one_of_them_moved() -> None:
    past = three()
    past.ask(moved(challenger=3))
    one, other = (past.credit.last_move("alias", name) for name in ("production", "challenger"))
    past.ask(moved(challenger=1))
    expected = {"production": LastMove(one), "challenger": LastMove(other)}

    with pytest.raises(Stale, match="challenger"):
        past.decided(MoveAliases(model="credit", to={"production": 1, "challenger": 2}, expected=expected))


def test_a_protection_is_expected_by_the_event_that_made_it() -> None:
    past = three()

    def protect(text: str, expected: LastMove | None = None) -> ProtectAlias:
        return ProtectAlias(model="credit", alias="production", requirements=(text,), expected=expected)

    past.ask(protect("f1 > 0.5", NOWHERE))
    first = past.credit.last_protection("production")
    past.ask(protect("f1 > 0.6", LastMove(first)))

    with pytest.raises(Stale, match=f"the protection of alias 'production' is at event {first + 1}"):
        past.decided(protect("f1 > 0.7", LastMove(first)))
    with pytest.raises(Stale):
        past.decided(UnprotectAlias(model="credit", alias="production", expected=LastMove(first)))
    past.ask(UnprotectAlias(model="credit", alias="production", expected=LastMove(first + 1)))
    assert past.credit.last_protection("production") == 0


def test_an_expectation_counts_of_a_command_and_one_without_is_what_it_was_before_there_were_any() -> None:
    plain, expecting = (
        CreateTag(model="credit", tag="v1", version=1, expected=expected).content() for expected in (None, LastMove(7))
    )

    assert "expected" not in plain
    assert expecting == plain | {"expected": "event 7"}
    moves = MoveAliases(model="credit", to={"a": 1}, expected={"a": LastMove(7, others=(9,))})
    assert '"expected": {"a": "event 7 or event 9"}' in canonical(moves.content())
    assert '"expected": "any event but nowhere"' in canonical(saving(1, expected=SOMEWHERE).content())


def test_a_stale_error_is_carried_whole() -> None:
    past = three()
    with pytest.raises(Stale) as raised:
        past.decided(DeleteTag(model="credit", tag="v1", expected=LastMove(1)))

    error: LeptonError = pickle.loads(pickle.dumps(raised.value))
    sentence = "tag 'v1' is at event 6, not at event 1; look at what moved it and try again"
    assert str(error) == str(raised.value) == sentence
    assert error.expected == "event 1"  # pyright: ignore[reportAttributeAccessIssue]


# ── laws ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def last_of(past: Past, kind: NameKind, name: str) -> int:
    """The last event that bound, moved or gave up a name, read from the log; 0 where it left the name nowhere."""
    last = 0
    for recorded in map(decode, past.log):
        event = recorded.event
        word = event.type.split(".")[1]
        named = getattr(event, kind, None) if word in (kind, "version") else None
        if recorded.stream != CREDIT or named != name:
            continue
        last = 0 if event.type.split(".")[2] == "deleted" else recorded.seq
    return last


@given(pasts)
@settings(max_examples=examples(60), deadline=None)
def test_the_last_move_of_every_name_is_the_last_event_that_moved_it(sequence: list[Ask]) -> None:
    def law(past: Past) -> None:
        for kind in KINDS:
            for name in ("main", "wide", "deep/er", "production", "challenger", "v1", "best"):
                assert past.credit.last_move(kind, name) == last_of(past, kind, name)

    lived(sequence, law)


@given(pasts, st.integers(0, 40), st.sampled_from(["wide", "production", "challenger"]), st.integers(1, 3))
@settings(max_examples=examples(60), deadline=None)
def test_an_alias_moves_by_an_expected_last_move_exactly_where_that_is_its_last(
    sequence: list[Ask], seen: int, name: str, to: int
) -> None:
    past = lived(sequence)
    last = past.credit.last_move("alias", name)
    command = MoveAliases(model="credit", to={name: to}, expected={name: LastMove(seen)})
    try:
        past.decided(command)
    except Stale:
        assert last != seen
    except Refused:
        pass  # the model is archived, or has no such version, or another kind bears the name
    else:
        assert last == seen
