"""The suites that there are: what each was defined as, where its rows are, and who may read that."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from ...datasets.selection import Selection
from ...domain.model.state import ModelState
from ...domain.names import DATA_PREFIX
from ...domain.streams import suite_stream
from ...domain.suites.state import SuiteState, SuiteVersion
from ...errors import Damaged, Refused, UnknownRevision
from ...events.actor import FORGOTTEN
from ..data import named_data
from ..workspace import Workspace

if TYPE_CHECKING:
    from ...datasets.suite_rows import SuiteSource

log = logging.getLogger("lepton.suites")


class SuiteTexts(NamedTuple):
    """The texts of a definition as their reader sees them."""

    source: str
    message: str


def names(workspace: Workspace) -> list[str]:
    """The names of all suites, in order."""
    return [stream.removeprefix("suite/") for stream in workspace.ledger.store.streams("suite/")]


def suite_of(workspace: Workspace, name: str) -> SuiteState:
    """A suite's state; one without a version where nobody defined it."""
    return cast(SuiteState, workspace.ledger.state(suite_stream(name)))


def every(workspace: Workspace) -> list[SuiteState]:
    """All suites that may be read, by name: every model may that they watch or watched."""
    workspace.rights.check("read")
    suites = (suite_of(workspace, name) for name in names(workspace))
    return [suite for suite in suites if workspace.rights.covers(*suite.watched)]


def readable(workspace: Workspace) -> list[SuiteState]:
    """As `every`, without those whose events are damaged: these hold up no other. `fsck` names them."""
    found: list[SuiteState] = []
    for name in names(workspace):
        try:
            found.append(suite_of(workspace, name))
        except Damaged as error:
            log.error("suite %s is passed over: %s", name, error)
    return found


def protecting(workspace: Workspace, model: ModelState) -> dict[str, int]:
    """The suites that protect aliases of a model, each with the number of its definition that counts."""
    suites = (each.suite for each in model.protected.values())
    return {name: len(suite_of(workspace, name).versions) for name in suites if name is not None}


def known_suite(workspace: Workspace, name: str) -> SuiteState:
    """A suite's state. Raises `UnknownRevision` with the name that is near."""
    workspace.rights.check("read")
    suite = suite_of(workspace, name)
    if not (suite.versions and workspace.rights.covers(*suite.watched)):
        near = get_close_matches(name, known := [each.name for each in every(workspace)], 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known) or 'none'}"
        raise UnknownRevision(f"there is no suite {name!r}; {hint}")
    return suite


def opened(workspace: Workspace, version: SuiteVersion) -> SuiteTexts:
    """Where a suite's rows lie and what it is for; empty where who said so was forgotten."""
    event = version.event
    actors = workspace.actors.all() if event.source or event.message else {}
    texts = (workspace.opened(version.actor, text, actors) for text in (event.source, event.message))
    return SuiteTexts(*("" if text == FORGOTTEN else text for text in texts))


def source_of(workspace: Workspace, version: SuiteVersion) -> SuiteSource:
    """How a suite's rows are read, and held against those that it was defined on. Raises `Refused` where nobody knows
    where they lie."""
    from ...datasets.suite_rows import SuiteSource

    event = version.event
    if event.named:
        named = named_data.source_of(workspace, named_data.known_data(workspace, f"{DATA_PREFIX}{event.named}"))
        return SuiteSource(version.words, named.digest, named.rows, named.label, named.chosen, named.path, named.kept)
    path = opened(workspace, version).source
    if not path:
        raise forgotten(version)
    digest, rows = cast("tuple[str, int]", (event.data["digest"], event.data["rows"]))
    return SuiteSource(version.words, digest, rows, event.label, selected_as(version), path)


def selected_as(version: SuiteVersion) -> Selection:
    """The selection that a suite's rows were read by."""
    told = cast("Mapping[str, Any]", version.event.selection)
    columns = told.get("columns")
    return Selection(told.get("types", {}), tuple(told.get("drop", ())), None if columns is None else tuple(columns))


def forgotten(version: SuiteVersion) -> Refused:
    """Why a suite's rows are not found."""
    name = version.event.suite
    return Refused(
        f"whoever defined suite {version.words} was forgotten, and with them where its rows lie",
        python=f"define_suite({name!r}, ...) says it anew",
        cli=f"`lepton suite define {name} ...` says it anew",
    )
