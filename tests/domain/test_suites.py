"""Suites as commands become events: defined, defined anew, retired, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from lepton_ai.domain.commands import AnyCommand
from lepton_ai.domain.decide import decide
from lepton_ai.domain.state import empty
from lepton_ai.domain.suites.commands import DefineSuite, RetireSuite
from lepton_ai.domain.suites.state import SuiteState
from lepton_ai.errors import Malformed, Refused, UnknownRevision
from lepton_ai.events.suite import SuiteDefined

from .past import Past

STREAM = "suite/nightly"
ASKED = DefineSuite(
    suite="nightly",
    data={"digest": "d", "rows": 9},
    source="sealed:1",
    label="default",
    evaluation="nightly",
    requirements=("f1 >= parent.f1 - 0.01",),
    watched="credit",
    branch="main",
)


def after(*commands: AnyCommand) -> SuiteState:
    """The suite once these were decided, one after another."""
    return cast(SuiteState, Past(*commands).state(STREAM))


def test_a_suite_is_defined_and_another_definition_is_its_next_version() -> None:
    other = replace(ASKED, requirements=("f1 > 0.5",))
    suite = after(ASKED, other)

    assert [(each.number, each.event.requirements) for each in suite.versions] == [
        (1, ASKED.requirements),
        (2, other.requirements),
    ]
    assert suite.newest.words == "nightly@2"
    assert suite.at(suite.versions[1].seq) == suite.versions[0], "who comes before a definition is judged by the last"
    assert suite.at(suite.versions[0].seq) is None


def test_defining_the_same_again_changes_nothing_wherever_the_rows_lie_sealed() -> None:
    suite = after(ASKED)

    assert decide({STREAM: suite}, replace(ASKED, source="sealed:2")) == ()
    assert len(decide({STREAM: suite}, replace(ASKED, source="sealed:2", moved=True))) == 1
    assert len(decide({STREAM: suite}, replace(ASKED, message="sealed:3", described=True))) == 1
    assert len(decide({STREAM: suite}, replace(ASKED, data={"digest": "e", "rows": 9}))) == 1


def test_a_retired_suite_judges_nothing_until_it_is_defined_again() -> None:
    suite = after(ASKED, RetireSuite(suite="nightly", reason="sealed:r"))

    assert decide({STREAM: suite}, RetireSuite(suite="nightly")) == ()
    with pytest.raises(Refused, match="suite 'nightly' is retired"):
        suite.judging  # noqa: B018
    again = after(ASKED, RetireSuite(suite="nightly"), ASKED)
    assert again.judging.number == 2
    assert [type(each.event) for each in again.versions] == [SuiteDefined, SuiteDefined]


def test_a_suite_that_nobody_defined_is_not_retired() -> None:
    with pytest.raises(UnknownRevision, match="there is no suite 'nightly'; `lepton suite list`"):
        decide({STREAM: empty(STREAM)}, RetireSuite(suite="nightly"))


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"suite": "a/b"}, "'a/b' cannot name a suite; a name has no /"),
        ({"suite": "7"}, "cannot name a suite; begin with a letter"),
        ({"suite": "n" * 101}, "100 characters at most"),
        ({"evaluation": "a/b"}, "cannot name an evaluation of a suite"),
        ({"evaluation": " "}, "cannot name a suite's evaluation"),
        ({"requirements": ("f1 >=",)}, "in 'f1 >=' at character 6"),
        ({"requirements": ("0.5 > 0.4",)}, "names a figure at least on one side"),
        ({"requirements": ("param.lr > 0.4",)}, "param.lr is no figure"),
        ({"requirements": ("f1 > against.f1",)}, "nothing says with which; say so with"),
        ({"requirements": "f1 > 0.5"}, "requirements is a list, not the text"),
        ({"requirements": ("f1 > 0.5",) * 51}, "50 requirements at most"),
        ({"metrics": ("",)}, "cannot name a metric"),
        ({"branch": None}, "watches a branch of a model; name both"),
        ({"branch": ".."}, "cannot name a branch"),
        ({"watched": ".."}, "cannot name a model"),
        ({"against": "~1"}, "cannot name a branch, tag or alias"),
        ({"against": "main"}, "watches 'main', whose head is the version that it judges"),
        ({"report": {"draws": -1}}, "the suite's report, draws: input should be greater"),
        ({"report": {"drawn": 1}}, "a suite's report takes no 'drawn'"),
    ],
)
def test_what_defines_no_suite_is_refused(changed: dict[str, Any], complaint: str) -> None:
    command = replace(ASKED, **changed)

    with pytest.raises(Refused, match=complaint) as refusal:
        decide({f"suite/{command.suite}": empty(f"suite/{command.suite}")}, command)
    assert isinstance(refusal.value, Malformed)
