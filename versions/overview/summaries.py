"""Versions at a glance, newest first, a page at a time: of all, of a branch, or where an expression holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from ...domain.model.state import ModelState
from ...errors import Malformed, UnknownRevision
from ...events.actor import Actor
from ...results import Version, VersionSummaries, VersionSummary
from ..workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionPage:
    """Which versions: of a branch or of all, at most so many, with numbers below `before`."""

    branch: str | None = None
    most: int
    before: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("most", self.most), ("before", self.before)):
            if value is not None and value < 1:
                raise Malformed(f"{name} is {value}; give a whole number from 1 on")


def listed(
    workspace: Workspace, model: ModelState, page: VersionPage, matching: Sequence[int] | None
) -> VersionSummaries:
    """A page of a model's versions, or those of `matching`, which are a page already.

    Raises `UnknownRevision` for a branch that the model never had.
    """
    if page.branch is not None and page.branch not in model.branches:
        raise UnknownRevision(f"{model.name} never had a branch {page.branch!r}; `lepton branch` lists them")
    numbers = islice(_numbers(model, page), page.most) if matching is None else matching
    actors = workspace.actors.all()
    names = {kind: _by_version(model.live(kind)) for kind in ("branch", "alias")}
    return VersionSummaries(
        model.name,
        tuple(_summary(workspace, model, number, actors, names["branch"], names["alias"]) for number in numbers),
    )


def of_versions(workspace: Workspace, versions: Iterable[Version]) -> list[VersionSummary]:
    """Versions of any models at a glance, in their order."""
    actors, told, seen = workspace.actors.all(), list[VersionSummary](), dict[str, _Standing]()
    for version in versions:
        model = workspace.model(version.model)
        if model.name not in seen:
            seen[model.name] = _Standing(_by_version(model.live("branch")), _by_version(model.live("alias")))
        told.append(_summary(workspace, model, int(version), actors, *seen[model.name]))
    return told


class _Standing(NamedTuple):
    branches: Mapping[int, tuple[str, ...]]
    aliases: Mapping[int, tuple[str, ...]]


def _numbers(model: ModelState, page: VersionPage) -> Iterator[int]:
    last = min(page.before or model.next_number, model.next_number)
    if page.branch is None:
        return iter(range(last - 1, 0, -1))
    before = None if last == model.next_number else model.version(last).seq
    return model.committed_newest_first(page.branch, before)


def _summary(
    workspace: Workspace,
    model: ModelState,
    number: int,
    actors: Mapping[str, Actor],
    branches: Mapping[int, tuple[str, ...]],
    aliases: Mapping[int, tuple[str, ...]],
) -> VersionSummary:
    version = model.version(number)
    return VersionSummary(
        version=workspace.version(model, number),
        seq=version.seq,
        time=version.recorded,
        actor=actors[version.actor].name if version.actor in actors else "[forgotten]",
        message=workspace.opened(version.actor, version.event.message, actors),
        tags=model.tagged.get(number, ()),
        branches=branches.get(number, ()),
        aliases=aliases.get(number, ()),
        metrics=model.metrics_of(number),
    )


def _by_version(names: Mapping[str, int]) -> dict[int, tuple[str, ...]]:
    standing: dict[int, tuple[str, ...]] = {}
    for name, number in names.items():
        standing[number] = (*standing.get(number, ()), name)
    return standing
