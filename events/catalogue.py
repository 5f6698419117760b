"""Every type of event there is, by its stored name."""

from __future__ import annotations

from typing import get_args

from .chain import ChainEvent
from .data import DataNamed
from .event import Event
from .job import JobEvent
from .ledger import LedgerEvent
from .model import ModelEvent
from .objects import ObjectsEvent
from .outside import OutsideEvent
from .run import RunEvent
from .study import StudyEvent
from .suite import SuiteEvent
from .token import TokenEvent

_FAMILIES = (
    *(LedgerEvent, ObjectsEvent, ModelEvent, RunEvent, JobEvent, SuiteEvent, ChainEvent, StudyEvent, TokenEvent),
    OutsideEvent,
)

_KINDS = (*(kind for family in _FAMILIES for kind in get_args(family)), DataNamed)

CATALOGUE: dict[str, type[Event]] = {kind.type_name(): kind for kind in _KINDS}
