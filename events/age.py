"""How long ago an event was recorded, read from its bytes without parsing them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

_RECORDED: Final = re.compile(rb'"recordedtime":"([^"]+)"')


def age(envelope: bytes) -> float:
    """Seconds since an event was recorded, by this machine's clock.

    Lepton writes that time before `data`, and within a JSON text a quote is escaped: the first match is the attribute
    itself.
    """
    found = _RECORDED.search(envelope)
    return (datetime.now(UTC) - datetime.fromisoformat(found[1].decode())).total_seconds() if found else 0.0
