"""Named data as it is shown: what each name stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from ...datasets.selection import ALL
from ...events.actor import FORGOTTEN
from ...results.data.named import ColumnProfile, DataSets, NamedData
from ..workspace import Workspace
from .named_data import KnownData, known_data, names, opened, source_of, state_of


def listed(workspace: Workspace) -> DataSets:
    """All names, in order, each as what it stands for now."""
    return DataSets(show(workspace, name) for name in names(workspace))


def show(workspace: Workspace, words: str) -> NamedData:
    """What NAME or NAME@N stands for. Raises `UnknownRevision`."""
    return described(workspace, known_data(workspace, words))


def described(workspace: Workspace, known: KnownData) -> NamedData:
    """A version of a name, with the texts that its reader may see."""
    event, texts = known.rows.event, opened(workspace, known.rows)
    profile: dict[str, Any] = dict(event.profile)
    labels: Mapping[str, Any] | None = profile.get("labels")
    actor = workspace.actors.all().get(known.rows.actor)
    return NamedData(
        name=known.name,
        version=known.version,
        versions=len(state_of(workspace, known.name).versions),
        digest=str(event.data["digest"]),
        rows=cast("int", event.data["rows"]),
        columns=tuple(map(ColumnProfile.of, profile.get("columns", ()))),
        labels=ColumnProfile.of({**labels, "name": event.label or labels.get("name") or "label"}) if labels else None,
        kept=event.kept,
        bytes=event.bytes,
        source=texts.source or None,
        message=texts.message,
        actor=actor.name if actor else FORGOTTEN,
        named=known.rows.named,
        seq=known.rows.seq,
    )


def load(workspace: Workspace, words: str) -> tuple[Any, Any]:
    """The rows of a name as they were named, an Arrow table and the labels' column, None where there are none."""
    return source_of(workspace, known_data(workspace, words)).split(chosen=ALL)
