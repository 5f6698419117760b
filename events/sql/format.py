"""The format of a ledger, against the one that this Lepton reads and writes."""

from __future__ import annotations

from ...errors import NewerLedger, Refused
from ..ledger import FORMAT


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
