"""The events of the ledger itself."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .bounds import SmallOrdinal
from .event import Event

FORMAT = 3
"""The format this Lepton writes and reads: raised with the first event type that an older one cannot read."""


class LedgerCreated(Event):
    """The ledger came into being."""

    type: Literal["lepton.ledger.created.v1"] = "lepton.ledger.created.v1"
    ledger: str = Field(description="the id that `source` bears")
    format: SmallOrdinal = Field(description="the format that its writers may use")


class LedgerUpgraded(Event):
    """Writers may use what a newer format brought."""

    type: Literal["lepton.ledger.upgraded.v1"] = "lepton.ledger.upgraded.v1"
    format: SmallOrdinal = Field(description="the format that its writers may use")


LedgerEvent = LedgerCreated | LedgerUpgraded
