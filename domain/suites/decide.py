"""How a suite's definition is decided: what it must fit, and when it is news."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from pydantic import ValidationError

from ...errors import Malformed, Stale, first_fault
from ...events.suite import SuiteDefined, SuiteRetired
from ...plain import plain, same
from ..append import Append
from ..commands import OfSuite
from ..expressions.judging import requirement
from ..expressions.tree import Condition, names
from ..gates.protection import compares
from ..job.kinds import REPORT_OPTIONS, JudgesVersion
from ..model.state import ModelState
from ..names import checked_label, checked_model, checked_name, checked_pool, checked_task
from ..streams import model_stream, suite_stream
from .commands import DefineSuite, JudgeSuite, RetireSuite, SuiteCommand
from .judging import judged
from .state import SuiteState

if TYPE_CHECKING:
    from ..state import State

LONGEST: Final = 100
"""Characters of a suite's name: keys bear it beside a model's."""
MOST: Final = 50
"""Requirements and metrics of a suite."""
_UNSAID: Final = {"type", "source", "message"}
"""What of a definition is sealed, or the same for all."""


def decide_suite(state: State, asked: OfSuite) -> tuple[Append, ...]:
    """The events that a command becomes, none where there is nothing to do; `Refused` where a rule forbids it."""
    stream, command = suite_stream(asked.suite), cast(SuiteCommand, asked)
    suite = cast(SuiteState, state[stream])
    match command:
        case JudgeSuite():
            return judged(suite, cast(ModelState, state[model_stream(command.model)]), command)
        case DefineSuite():
            defined = _defined(command)
            return () if _stands(suite, command, defined) else (Append(stream, defined),)
        case RetireSuite():
            suite.newest  # noqa: B018 - there is one
            return () if suite.retired is not None else (Append(stream, SuiteRetired(reason=command.reason)),)


def check_newest(state: State, suites: Mapping[str, int]) -> None:
    """Hold that definitions are those that count. Raises `Stale` where a suite was defined anew meanwhile."""
    for name, number in suites.items():
        newest = len(cast(SuiteState, state[suite_stream(name)]).versions)
        if newest != number:
            raise Stale(f"suite {name!r}", f"definition {number}", f"definition {newest}", "look at it and try again")


def compared_with(state: State, suites: Iterable[str]) -> dict[str, str]:
    """By suite, the alias, branch or tag that its requirements compare with, where they do."""
    newest = {name: cast(SuiteState, state[suite_stream(name)]).versions[-1:] for name in suites}
    return {
        name: version.event.against
        for name, versions in newest.items()
        for version in versions
        if version.event.against is not None and compares(version.event.requirements)
    }


def checked_suite(name: str) -> str:
    """A suite's name, or `Malformed`: what its evaluations are called has no `/`."""
    if len(name) > LONGEST or "/" in name:
        raise Malformed(f"{name[:120]!r} cannot name a suite; a name has no / and {LONGEST} characters at most")
    return checked_name(name, "suite")


def checked_requirements(texts: Iterable[str], against: str | None) -> tuple[tuple[str, Condition], ...]:
    """Requirements with their trees. `Malformed` where one cannot be read, or names `against.` where nothing is."""
    trees = tuple((text, requirement(text)) for text in _several(texts, "requirements"))
    for text, tree in trees:
        if against is None and any(name.side == "against" for name in names(tree)):
            raise Malformed(
                f"the requirement {text!r} compares with another version, and nothing says with which",
                python="say so with against='production'",
                cli="say so with --against production",
            )
    return trees


def _defined(command: DefineSuite) -> SuiteDefined:
    checked_suite(command.suite)
    checked_requirements(command.requirements, command.against)
    if (command.watched is None) != (command.branch is None):
        raise Malformed("a suite watches a branch of a model; name both of them, or neither")
    if command.against is not None and command.against == command.branch:
        raise Malformed(
            f"the suite watches {command.branch!r}, whose head is the version that it judges; compare with parent. or "
            "with an alias"
        )
    return SuiteDefined(
        suite=command.suite,
        data=plain(command.data, "data"),
        named=command.named,
        source=command.source,
        label=command.label,
        selection=plain(command.selection, "selection"),
        evaluation=_evaluation(command.evaluation),
        metrics=tuple(checked_label(name, "metric") for name in _several(command.metrics, "metrics")),
        requirements=command.requirements,
        against=None if command.against is None else checked_name(command.against, "branch, tag or alias"),
        model=None if command.watched is None else checked_model(command.watched),
        branch=None if command.branch is None else checked_name(command.branch, "branch"),
        task=checked_task(command.task),
        report=_report(command.report),
        pool=checked_pool(command.pool),
        message=command.message,
    )


def _stands(suite: SuiteState, command: DefineSuite, defined: SuiteDefined) -> bool:
    """Whether the suite is defined so already; where the rows lie and the message are sealed, and told apart before."""
    if not suite.versions or suite.retired is not None or command.moved or command.described:
        return False
    return same(_content(suite.newest.event), _content(defined))


def _content(event: SuiteDefined) -> dict[str, Any]:
    return event.model_dump(mode="json", exclude=_UNSAID) | {"data": event.data.get("digest")}


def _evaluation(name: str) -> str:
    if "/" in name:
        raise Malformed(f"{name[:120]!r} cannot name an evaluation of a suite; leave out the /")
    return checked_label(name, "suite's evaluation")


def _report(options: Mapping[str, Any]) -> dict[str, Any]:
    """What reports are asked with, or `Malformed` in one sentence."""
    if unknown := [name for name in options if name not in REPORT_OPTIONS]:
        raise Malformed(f"a suite's report takes no {unknown[0]!r}; it takes {', '.join(REPORT_OPTIONS)}")
    told = plain(options, "report")
    try:
        JudgesVersion.model_validate({"kind": "suite", "version": 1, **told}, extra="forbid")
    except ValidationError as error:
        place, message, _ = first_fault(error, "report")
        raise Malformed(f"the suite's report, {place}: {message}; look at what `evaluate` takes there") from None
    return told


def _several(given: Iterable[str], what: str) -> tuple[str, ...]:
    if isinstance(given, str):
        raise Malformed(f"{what} is a list, not the text {given!r}; write [{given!r}]")
    if len(several := tuple(given)) > MOST:
        raise Malformed(f"a suite has {MOST} {what} at most, and these are {len(several)}")
    return several
