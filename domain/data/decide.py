"""How rows are given a name."""

from __future__ import annotations

from typing import cast

from ...events.data import DataNamed
from ...plain import plain
from ..append import Append
from ..commands import OfData
from ..model.commit import kept
from ..names import checked_data
from ..state import Objects, State
from ..streams import OBJECTS, data_stream
from .commands import NameData
from .state import DataState


def name_data(state: State, asked: OfData) -> tuple[Append, ...]:
    """The name for rows: the next version where they are others than it stands for, nothing where all is known."""
    command = cast(NameData, asked)
    named = cast(DataState, state[data_stream(checked_data(command.name))])
    newest, data = named.newest, plain(command.data, "data")
    same = newest.event if newest is not None and newest.event.data.get("digest") == data.get("digest") else None
    if same is not None and not _news(same, command):
        return ()
    held = same if same is not None and same.kept else command
    event = DataNamed(
        version=len(named.versions) + (0 if same else 1),
        data=data,
        label=command.label,
        selection=plain(command.selection, "selection"),
        profile=plain(command.profile, "profile"),
        source="" if held.kept else command.source,
        kept=held.kept,
        bytes=held.bytes,
        message=command.message,
    )
    stored = tuple(Append(OBJECTS, each) for each in kept(cast(Objects, state[OBJECTS]), command.stored))
    return (*stored, Append(data_stream(command.name), event))


def _news(known: DataNamed, command: NameData) -> bool:
    """Whether rows that bear the name already lie elsewhere now, or are kept at last, or are told of otherwise."""
    return bool(
        (command.moved and not known.kept)
        or (command.kept and not known.kept)
        or command.described
        or command.label != known.label
    )
