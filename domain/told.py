"""What other services told: the aggregates of data sets and endpoints, as far as a decision needs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

from ..events.outside import DatasetRecorded
from ..plain import plain, same
from .append import Append
from .model.state import ModelState
from .names import checked_metrics, checked_times
from .streams import dataset_stream, endpoint_stream, model_stream

if TYPE_CHECKING:
    from .commands import RecordDataset, RecordObservation


@dataclass(frozen=True, slots=True)
class Dataset:
    """A data set: its fingerprint as told last."""

    data: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint: its observations may be many, and no decision looks at them."""

    folds: ClassVar[tuple[type, ...]] = ()


def record_dataset(known: Dataset, command: RecordDataset) -> tuple[Append, ...]:
    """The fingerprint, unless it is the one told last."""
    data = plain(command.data, "data")
    if known.data is not None and same(known.data, data):
        return ()
    return (Append(dataset_stream(command.dataset), DatasetRecorded(data=data)),)


def record_observation(state: Mapping[str, Any], command: RecordObservation) -> tuple[Append, ...]:
    """What was seen, of a version that there is, in finite figures."""
    observed = command.observed
    cast(ModelState, state[model_stream(observed.model)]).version(observed.version)
    checked_metrics(observed.metrics)
    checked_times(observed.since, observed.until)
    return (Append(endpoint_stream(command.endpoint), observed),)
