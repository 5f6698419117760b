"""What others may tell: each type of outside event, and the command that it asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ..errors import Malformed
from ..events.event import Event
from ..events.inbox import Outside
from ..events.model import EvaluationRecorded, MetricsRecorded, VersionAnnotated
from ..events.outside import DatasetRecorded, ObservationRecorded
from .commands import Annotate, AnyCommand, RecordDataset, RecordEvaluation, RecordMetrics, RecordObservation
from .names import checked_model


def command_of(told: Outside) -> AnyCommand:
    """The command an outside event asks for.

    Raises `Malformed` where its type is none that outsiders may send, its subject no stream of that type, or its data
    not as the type's schema says (pydantic's `ValidationError`).
    """
    if told.type not in ACCEPTED:
        raise Malformed(f"type {told.type!r} is none that others may send; those are {', '.join(ACCEPTED)}")
    kind, prefix, command = ACCEPTED[told.type]
    if not told.subject.startswith(prefix) or told.subject == prefix:
        raise Malformed(f"subject is {told.subject!r}; events of {told.type} belong to {prefix}<name>")
    name = told.subject.removeprefix(prefix)
    checked_model(name)
    return command(name, kind.model_validate(told.data))


ACCEPTED: Final[Mapping[str, tuple[type[Event], str, Callable[[str, Any], AnyCommand]]]] = {
    MetricsRecorded.type_name(): (
        MetricsRecorded,
        "model/",
        lambda name, event: RecordMetrics(model=name, version=event.version, metrics=event.metrics),
    ),
    EvaluationRecorded.type_name(): (
        EvaluationRecorded,
        "model/",
        lambda name, event: RecordEvaluation(
            model=name, version=event.version, data=event.data, name=event.name, metrics=event.metrics
        ),
    ),
    VersionAnnotated.type_name(): (
        VersionAnnotated,
        "model/",
        lambda name, event: Annotate(model=name, version=event.version, annotations=event.annotations),
    ),
    DatasetRecorded.type_name(): (
        DatasetRecorded,
        "dataset/",
        lambda name, event: RecordDataset(dataset=name, data=event.data),
    ),
    ObservationRecorded.type_name(): (
        ObservationRecorded,
        "endpoint/",
        lambda name, event: RecordObservation(endpoint=name, observed=event),
    ),
}
"""By type: the schema, what its streams begin with, and how name and data become a command."""
