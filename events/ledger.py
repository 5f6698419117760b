"""The events of the ledger itself."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ..errors import NewerLedger, Refused
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


def checked_format(found: int | None) -> int:
    """The format of today. An older ledger is `Refused`, naming `lepton upgrade`; a newer one raises `NewerLedger`."""
    if found is None or found < FORMAT:
        raise Refused(f"the ledger has the older format {found}; `lepton upgrade` brings it to {FORMAT}")
    if found > FORMAT:
        raise newer(found)
    return found


def newer(found: int) -> NewerLedger:
    """Why a ledger of a newer format is left alone."""
    return NewerLedger(f"the ledger has format {found}, this Lepton knows {FORMAT}: update the package")
