"""The place of an event in the log and its time, read from its bytes without parsing them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from ..errors import Damaged

_RECORDED: Final = re.compile(rb'"recordedtime":"([^"]+)"')
_SEQUENCE: Final = re.compile(rb'"sequence":"(\d{20})"')


def sequence(envelope: bytes) -> int:
    """The `seq` that an envelope bears. `Damaged` where it bears none.

    Lepton writes it before `data`, and within a JSON text a quote is escaped: the first match is the attribute itself.
    """
    if found := _SEQUENCE.search(envelope):
        return int(found[1])
    raise Damaged("a record of the events' topic", expected="an event of this ledger", found="no sequence")


def age(envelope: bytes) -> float:
    """Seconds since an event was recorded, by this machine's clock: how long it took to get here."""
    found = _RECORDED.search(envelope)
    return (datetime.now(UTC) - datetime.fromisoformat(found[1].decode())).total_seconds() if found else 0.0
