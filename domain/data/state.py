"""The aggregate of one name of rows: what it stood for, version by version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from immutables import Map

from ...errors import UnknownRevision
from ...events.data import DataNamed
from ...events.envelope import Recorded


@dataclass(frozen=True, slots=True)
class NamedRows:
    """The rows of one version of a name, as they were told of last."""

    event: DataNamed
    seq: int
    named: datetime
    """When they were given the name first."""
    actor: str
    """Who told of them last: the address opens with that one's key."""


@dataclass(frozen=True, slots=True)
class DataState:
    """A name of rows, and what it stood for from version to version."""

    name: str = ""
    versions: Mapping[int, NamedRows] = Map()

    @property
    def newest(self) -> NamedRows | None:
        """What the name stands for."""
        return self.versions.get(len(self.versions))

    def version(self, number: int | None) -> NamedRows:
        """A version of it, the newest without a number. Raises `UnknownRevision`."""
        known = self.newest if number is None else self.versions.get(number)
        if known is None:
            many = f"its versions are 1 to {len(self.versions)}" if self.versions else "`lepton data list` lists names"
            raise UnknownRevision(f"there is no data {self.name}{'' if number is None else f'@{number}'}; {many}")
        return known


def evolve(state: DataState, recorded: Recorded) -> DataState:
    """The name after one more event."""
    event = recorded.event
    if not isinstance(event, DataNamed):
        return state
    before = state.versions.get(event.version)
    named = before.named if before else recorded.recorded
    rows = NamedRows(event, recorded.seq, named, recorded.actor)
    return replace(state, versions=Map({**state.versions, event.version: rows}))
