"""Studies and trials by their ids: the `seq` of the event that created or began them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple, cast

from ...domain.streams import study_stream
from ...domain.studies.state import StudyState, Trial
from ...errors import UnknownStudy
from ...events.envelope import decode
from ...events.study import StudyCreated, TrialBegun
from ..workspace import Workspace

_PREFIX: Final = study_stream("")


class TrialPlace(NamedTuple):
    """Where a trial stands: its study's name, and its number there."""

    study: str
    number: int


class KnownStudies:
    """Finds studies and trials of a ledger; which name or number an id has never changes, so it is looked up once."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._places: dict[int, TrialPlace] = {}

    def named(self, workspace: Workspace, name: str) -> StudyState:
        """A study by its name. Raises `UnknownStudy`."""
        study = study_of(workspace, name)
        if not study.created:
            raise UnknownStudy(f"there is no study {name!r}")
        return study

    def study(self, workspace: Workspace, id: int) -> StudyState:
        """A study by its id. Raises `UnknownStudy`."""
        if id not in self._names:
            stream, event = _event(workspace, id)
            if not isinstance(event, StudyCreated):
                raise UnknownStudy(f"there is no study with the id {id}")
            self._names[id] = stream.removeprefix(_PREFIX)
        study = study_of(workspace, self._names[id])
        if study.created != id:
            raise UnknownStudy(f"there is no study with the id {id} any more")
        return study

    def trial(self, workspace: Workspace, id: int) -> tuple[StudyState, Trial]:
        """A trial by its id, with its study. Raises `UnknownStudy`."""
        if id not in self._places:
            stream, event = _event(workspace, id)
            if not isinstance(event, TrialBegun):
                raise UnknownStudy(f"there is no trial with the id {id}")
            self._places[id] = TrialPlace(stream.removeprefix(_PREFIX), event.trial)
        name, number = self._places[id]
        study = study_of(workspace, name)
        trial = study.trials.get(number)
        if trial is None or trial.seq != id:
            raise UnknownStudy(f"there is no trial with the id {id} any more")
        return study, trial

    def every(self, workspace: Workspace) -> Iterator[StudyState]:
        """The studies that may be read, the oldest first."""
        names = (stream.removeprefix(_PREFIX) for stream in workspace.ledger.store.streams(_PREFIX))
        studies = (study_of(workspace, name) for name in names)
        yield from sorted((study for study in studies if study.created), key=lambda study: study.created)


def study_of(workspace: Workspace, name: str) -> StudyState:
    """A study's state; an empty one where there is none of that name, or it may not be read."""
    workspace.rights.check("read")
    study = cast(StudyState, workspace.ledger.state(study_stream(name)))
    covered = workspace.rights.everywhere or (study.model is not None and workspace.rights.covers(study.model))
    return study if covered else StudyState(name)


def _event(workspace: Workspace, seq: int) -> tuple[str, object]:
    """The stream and the event of a `seq`; nothing where there is none."""
    if seq < 1:
        return "", None
    for row in workspace.ledger.store.read(seq - 1, 1):
        recorded = decode(row.envelope, row.leaf, row.seq)
        return recorded.stream, recorded.event
    return "", None
