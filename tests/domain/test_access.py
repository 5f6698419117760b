"""Who may: what each command needs, by its class, and that none passes with less."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_ai import domain
from lepton_ai.domain.access.authorise import Principal, authorise
from lepton_ai.domain.access.needs import NEEDS, WHOLE_LEDGER, models_of
from lepton_ai.domain.access.rights import ALL, SCOPES, Rights, Scope
from lepton_ai.domain.command import Command
from lepton_ai.domain.commands import LogMetrics, OfStudy, RollBack
from lepton_ai.domain.job.commands import CancelJob
from lepton_ai.domain.job.state import JobState
from lepton_ai.domain.run.state import RunState
from lepton_ai.domain.state import Aggregate, empty
from lepton_ai.domain.suites.commands import RetireSuite
from lepton_ai.errors import Forbidden, UnknownRevision
from lepton_ai.events.model import Parent

from .past import saving
from .test_commands import KINDS, example

IMPLIED: dict[Scope, set[Scope]] = {
    "read": {"read", "write", "move", "admin"},
    "write": {"write", "admin"},
    "move": {"move", "admin"},
    "admin": {"admin"},
    "sql": {"sql", "admin"},
}
GLOBS = ("*", "credit", "cred*", "team/*", "fraud", "[cf]raud")
RIGHTS = st.builds(
    Rights,
    st.frozensets(st.sampled_from(SCOPES)),
    st.lists(st.sampled_from(GLOBS), min_size=1, max_size=3, unique=True).map(tuple),
)
STATES: dict[str, Aggregate] = {"job/j1": JobState(model="credit"), "run/r1": RunState("credit", "open")}


def state(stream: str) -> Aggregate:
    return STATES.get(stream) or empty(stream)


def kinds(kind: type[Command] = Command) -> Iterator[type[Command]]:
    """The commands that may be sent."""
    below = [each for each in kind.__subclasses__() if getattr(sys.modules[each.__module__], each.__name__) is each]
    if not below and kind.__module__.startswith(domain.__name__):
        yield kind
    yield from chain.from_iterable(map(kinds, below))


def test_every_command_says_which_scope_it_needs() -> None:
    for module in pkgutil.walk_packages(domain.__path__, f"{domain.__name__}."):
        importlib.import_module(module.name)  # a new room's commands are among them, though nobody imports it yet

    assert set(NEEDS) == set(kinds()) == set(KINDS)


def test_writes_moves_and_what_administers_a_ledger_are_told_apart() -> None:
    named = {scope: sorted(kind.__name__ for kind, needed in NEEDS.items() if needed == scope) for scope in SCOPES}

    assert named["read"] == named["sql"] == []
    assert named["move"] == [
        "ClearVersion", "CreateBranch", "CreateTag", "DeleteAlias", "DeleteBranch", "DeleteTag", "MoveAliases",
        "ProtectAlias", "RollBack", "RollBackAlias", "UnprotectAlias",
    ]  # fmt: skip
    assert set(named["admin"]) >= {"Archive", "Repack", "Unarchive", "UpgradeLedger"}


@given(st.sampled_from(KINDS), RIGHTS)
def test_no_command_passes_with_less_than_its_class_needs(kind: type[Command], rights: Rights) -> None:
    command = example(kind)
    scopes = IMPLIED[NEEDS[kind]]
    models = tuple(models_of(command, state))
    enough = bool(scopes & rights.scopes) and all(map(rights.covers, models))
    if isinstance(command, WHOLE_LEDGER) or (isinstance(command, OfStudy) and not models):
        enough = enough and "*" in rights.models

    try:
        authorise(Principal("ada", rights=rights), command, state)
        passed = True
    except Forbidden:
        passed = False

    assert passed == enough


@given(RIGHTS, st.sampled_from(SCOPES), st.sampled_from(("credit", "fraud", "team/credit", "Credit")))
def test_rights_hold_for_the_models_that_their_globs_fit(rights: Rights, scope: Scope, model: str) -> None:
    fits = {"*": True, "cred*": model == "credit", "team/*": model == "team/credit", "[cf]raud": model == "fraud"}
    covered = any(fits.get(glob, glob == model) for glob in rights.models)

    assert rights.may(scope) == bool(IMPLIED[scope] & rights.scopes)
    assert rights.may(scope, model) == (rights.may(scope) and covered)


def test_a_command_that_the_table_lacks_passes_with_all_rights_alone() -> None:
    class Unheard(Command):
        pass

    authorise(Principal("ada"), Unheard(), state)
    with pytest.raises(Forbidden, match="needs the scope admin on all models"):
        authorise(Principal("ada", rights=Rights(frozenset(SCOPES), ("credit",))), Unheard(), state)


def test_a_merge_is_a_move_and_a_parent_of_another_model_must_be_readable() -> None:
    writer = Principal("ada", rights=Rights(frozenset(("write",)), ("credit",)))
    authorise(writer, saving(1, 1), state)

    with pytest.raises(Forbidden, match="needs the scope move on model 'credit'"):
        authorise(writer, saving(1, 1, 2), state)
    with pytest.raises(Forbidden, match="needs the scope read on model 'teacher'"):
        authorise(writer, saving(1, Parent(model="teacher", version=1, role="teacher")), state)


def test_a_run_and_a_job_belong_to_their_model() -> None:
    def asks(command: Command, model: str) -> None:
        authorise(Principal("ada", rights=Rights(frozenset(("write",)), (model,))), command, state)

    for command in (LogMetrics(run="r1", blocks=()), CancelJob(job="j1", epoch=0)):
        asks(command, "credit")
        with pytest.raises(Forbidden, match="on model 'credit'"):
            asks(command, "fraud")


def test_who_may_everything_is_asked_for_no_stream() -> None:
    def nothing(stream: str) -> Aggregate:
        raise UnknownRevision(stream)

    for command in (saving(1), RetireSuite(suite="weekly"), LogMetrics(run="r1", blocks=())):
        authorise(Principal("ada", rights=ALL), command, nothing)


def test_a_refusal_says_what_is_needed() -> None:
    with pytest.raises(Forbidden) as error:
        authorise(
            Principal("ada", rights=Rights(frozenset(("write",)))),
            RollBack(model="credit", branch="main", to=1, from_version=2),
            state,
        )

    assert (error.value.scope, error.value.model) == ("move", None)
    assert "lepton token create" in str(error.value)
