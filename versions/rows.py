"""Labelled rows to judge versions on: as they are, or from a file that each version has read as what it learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

from ..datasets.selection import ALL, Selection, schema_of
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
    _read: dict[tuple[str, frozenset[tuple[str, Kind]], str], tuple[Any, Any]] = field(default_factory=dict[Any, Any])

    def labelled(self, label: str, schema: Mapping[str, Kind], chosen: Selection = ALL) -> tuple[Any, Any]:
        """The rows and labels by a version's schema, or a selection. Raises what `datasets.read.labelled` does."""
        key = (label, frozenset(schema.items()), repr(chosen))
        if key not in self._read:
            self._read[key] = self._rows(label, schema, chosen)
        return self._read[key]

    def columns(self, names: Sequence[str] | None) -> Any:
        """Columns of the file as what they seem to be, an Arrow table; None for all of them."""
        from ..datasets.read import columns_beside

        return columns_beside(self.path, names)

    def _rows(self, label: str, schema: Mapping[str, Kind], chosen: Selection) -> tuple[Any, Any]:
        from ..datasets.read import labelled

        return labelled(self.path, label, chosen, schema)


def read_once(workspace: Workspace, rows: Any) -> Any:
    """Rows to rehearse on, a file's path or named data as what is read once however many versions are judged on it."""
    from .data.named_data import rows_of

    match rows:
        case str() as name:
            data, label, _ = rows_of(workspace, name)
            return data, label
        case (path, None | str() as label, *rest) if isinstance(path, str | PathLike):
            data, label, _ = rows_of(workspace, path, label)
            return (data, label, *rest)
        case _:
            return rows


def to_judge(workspace: Workspace, model: ModelState, number: int) -> Any:
    """The object of a version, to be judged: as `load`, whose ways out have no use there."""
    try:
        return load(workspace, model, number)
    except Refused as refusal:
        from ..models.registry import FROM_PYTHON, INTO

        refusal.python = refusal.python.replace(INTO, "judge what it predicted by evaluate_predictions")
        refusal.cli = refusal.cli.replace(FROM_PYTHON, "judge it from Python, in a process that has the class")
        raise


def evaluated_as(model: ModelState, number: int, chosen: Selection) -> Selection:
    """The selection that rows are judged by. Raises `Refused` where a version recorded what it learnt from."""
    event = model.version(number).event
    if chosen and schema_of(event.architecture, event.data):
        raise Refused(
            f"version {number} of {model.name} recorded the columns that it learnt and their types, and is judged by "
            "these; leave types, drop and columns out (they are for versions that recorded none)"
        )
    return chosen


def as_learnt(
    workspace: Workspace, model: ModelState, number: int, data: Any, labels: Any, chosen: Selection = ALL
) -> tuple[Any, Any]:
    """The rows and labels to judge a version on: of a file, read by the schema that the version recorded.

    Where it recorded none, by the selection that is given.
    """
    chosen = evaluated_as(model, number, chosen)
    if isinstance(data, str | PathLike):
        data = LabelledFile(fspath(data))
    if not isinstance(data, LabelledFile) or not isinstance(labels, str):
        return (_selected(data, chosen) if chosen else data), labels
    event = model.version(number).event
    learnt_labels = getattr(to_judge(workspace, model, number), "label_type", None)
    return data.labelled(labels, schema_of(event.architecture, event.data, {labels: learnt_labels}), chosen)


def _selected(data: Any, chosen: Selection) -> Any:
    from ..datasets.tables import selected

    return selected(data, chosen)
