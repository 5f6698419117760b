"""Bounds: where what an outside service offers may lie, what it may be, and who looks at it."""

from __future__ import annotations

from dataclasses import replace

from ..addresses import within
from ..domain.job.commands import OfferVersion
from ..errors import Refused
from ..settings import Offers


def bounded(command: OfferVersion, allowed: Offers) -> OfferVersion:
    """An outsider's offer, held to what is allowed: it chooses neither its workers nor what they may spend on it.

    Raises `Refused` where it lies in none of the allowed places.
    """
    if not within(command.source, allowed.places):
        raise Refused(
            "source lies where no offer may; LEPTON_OFFERS_FROM names the buckets and folders from which they are taken"
        )
    return replace(
        command,
        pool=allowed.pool,
        seconds=allowed.seconds,
        memory=allowed.memory,
        limits={"bytes": allowed.bytes, "tensors": allowed.tensors, "elements": allowed.elements},
    )
