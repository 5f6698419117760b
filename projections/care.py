"""Care for the read model in the process that holds it: built anew, compared with a rebuild, copied for others."""

from __future__ import annotations

import secrets
from typing import NamedTuple

from ..errors import Damaged
from ..permissions import own
from .check import compare
from .export import snapshot
from .projector import Projection


class Checked(NamedTuple):
    """What a comparison with a rebuild found."""

    replaced: Damaged | None
    """What was wrong with a file that was built anew."""
    differences: list[str]


def checked(projection: Projection) -> Checked:
    """The read model, brought up to the end of its log, beside a rebuild."""
    projection.mended(projection.catch_up)
    differences = projection.mended(lambda: list(compare(projection, projection.log)))
    return Checked(projection.replaced, differences)


def handed_out(projection: Projection) -> str:
    """The name of a copy in the read model's folder, for whoever asked to move where it belongs."""
    projection.mended(projection.catch_up)
    place = projection.path.with_name(f"{projection.ledger}-snapshot-{secrets.token_hex(16)}")
    snapshot(projection, place)
    own(place)
    return place.name
