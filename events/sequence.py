"""The place of an event in the log, read from its bytes without parsing them."""

from __future__ import annotations

import re
from typing import Final

from ..errors import Damaged

_SEQUENCE: Final = re.compile(rb'"sequence":"(\d{20})"')


def sequence(envelope: bytes) -> int:
    """The `seq` that an envelope bears. `Damaged` where it bears none.

    Lepton writes it before `data`, and within a JSON text a quote is escaped: the first match is the attribute itself.
    """
    if found := _SEQUENCE.search(envelope):
        return int(found[1])
    raise Damaged("a record of the events' topic", expected="an event of this ledger", found="no sequence")
