"""Labelled rows to judge versions on: as they are, or from a file that each version has read as what it learnt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

from ..domain.model.state import ModelState
from ..errors import Refused
from .restore import load
from .workspace import Workspace

if TYPE_CHECKING:
    from ..datasets.columns import Kind


@dataclass(frozen=True)
class LabelledFile:
    """A file of rows, read once for each schema."""

    path: str
    _read: dict[tuple[str, frozenset[tuple[str, Kind]]], tuple[Any, Any]] = field(default_factory=dict[Any, Any])

    def labelled(self, label: str, schema: Mapping[str, Kind]) -> tuple[Any, Any]:
        """The rows and labels by a version's schema. Raises what `datasets.read.labelled` does."""
        from ..datasets.read import labelled

        key = (label, frozenset(schema.items()))
        if key not in self._read:
            self._read[key] = labelled(self.path, label, schema=schema)
        return self._read[key]


def read_once(rows: Any) -> Any:
    """Rows to rehearse on, a file's path as a file that is read once however many versions are judged on it."""
    match rows:
        case (path, str() as label, *rest) if isinstance(path, str | PathLike):
            return (LabelledFile(fspath(path)), label, *rest)
        case _:
            return rows


def to_judge(workspace: Workspace, model: ModelState, number: int) -> Any:
    """The object of a version, to be judged: as `load`, whose ways out have no use there."""
    try:
        return load(workspace, model, number)
    except Refused as refusal:
        from ..models.registry import FROM_PYTHON, INTO

        refusal.python = refusal.python.replace(INTO, "judge it yourself and keep the figures with record_metrics")
        refusal.cli = refusal.cli.replace(FROM_PYTHON, "judge it from Python, in a process that has the class")
        raise


def as_learnt(workspace: Workspace, model: ModelState, number: int, data: Any, labels: Any) -> tuple[Any, Any]:
    """The rows and labels to judge a version on: of a file, read by the schema that the version recorded."""
    if isinstance(data, str | PathLike):
        data = LabelledFile(fspath(data))
    if not isinstance(data, LabelledFile) or not isinstance(labels, str):
        return data, labels
    from ..datasets.selection import schema_of

    event = model.version(number).event
    learnt_labels = getattr(to_judge(workspace, model, number), "label_type", None)
    return data.labelled(labels, schema_of(event.architecture, event.data, {labels: learnt_labels}))
