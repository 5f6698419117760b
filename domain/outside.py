"""What others may tell: each type of outside event, and the command that it asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from ..addresses import checked_source
from ..errors import Malformed
from ..events.event import Event
from ..events.inbox import Outside
from ..events.model import EvaluationRecorded, MetricsRecorded, VersionAnnotated
from ..events.outside import DatasetRecorded, ObservationRecorded, VersionOffered
from .commands import Annotate, AnyCommand, RecordDataset, RecordEvaluation, RecordMetrics, RecordObservation
from .job.commands import OfferVersion
from .model.recipe import Recipe
from .names import checked_model


def command_of(told: Outside, teller: str) -> AnyCommand:
    """The command an outside event asks for, told by an actor of that pseudonym.

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
    return command(name, kind.model_validate(told.data), f"{teller}\n{told.id}")


def _evaluated(name: str, event: EvaluationRecorded) -> RecordEvaluation:
    if event.report is not None:
        raise Malformed("an evaluation told from outside names no report, for its bytes lie in the ledger's own store")
    return RecordEvaluation(
        model=name,
        version=event.version,
        data=event.data,
        name=event.name,
        metrics=event.metrics,
        task=event.task,
        intervals=event.intervals,
        bootstrap=None if event.bootstrap is None else event.bootstrap.model_dump(),
    )


def _offered(name: str, event: VersionOffered, told: str) -> OfferVersion:
    """The offer, whose job bears an id made of what names the event for good: told again, it is the same job."""
    if unknown := sorted(event.model_extra or ()):
        fields = ", ".join(each for each in VersionOffered.model_fields if each != "type")
        raise Malformed(f"a version that is offered has no field {unknown[0]!r}; it has {fields}")
    return OfferVersion(
        job=str(uuid5(NAMESPACE_URL, told)),
        model=name,
        source=checked_source(event.source),
        digest=event.digest,
        branch=event.branch,
        recipe=Recipe(event.hyperparameters, event.architecture, event.settings, event.data),
        metrics=event.metrics,
        validation=event.validation,
        task=event.task,
        better=event.better or {},
        tags=event.tags,
        message=event.message,
    )


ACCEPTED: Final[Mapping[str, tuple[type[Event], str, Callable[[str, Any, str], AnyCommand]]]] = {
    MetricsRecorded.type_name(): (
        MetricsRecorded,
        "model/",
        lambda name, event, _: RecordMetrics(
            model=name,
            version=event.version,
            metrics=event.metrics,
            validation=event.validation,
            task=event.task,
        ),
    ),
    EvaluationRecorded.type_name(): (
        EvaluationRecorded,
        "model/",
        lambda name, event, _: _evaluated(name, event),
    ),
    VersionAnnotated.type_name(): (
        VersionAnnotated,
        "model/",
        lambda name, event, _: Annotate(model=name, version=event.version, annotations=event.annotations),
    ),
    DatasetRecorded.type_name(): (
        DatasetRecorded,
        "dataset/",
        lambda name, event, _: RecordDataset(dataset=name, data=event.data),
    ),
    ObservationRecorded.type_name(): (
        ObservationRecorded,
        "endpoint/",
        lambda name, event, _: RecordObservation(endpoint=name, observed=event),
    ),
    VersionOffered.type_name(): (VersionOffered, "model/", _offered),
}
"""By type: the schema, what its streams begin with, and how name, data and what names the event become a command."""
