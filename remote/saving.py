"""Saving over HTTP: chunks that the server lacks are uploaded, then one request makes a version of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..results import Version

if TYPE_CHECKING:
    from ..tensors.tensor import Tensor
    from ..versions.save_request import Save
    from ..versions.source import Subject
    from .server import Server


def saved(server: Server, subject: Subject, save: Save, key: str, time: datetime | None = None) -> Version:
    """Keep a subject as the next version of a branch, on the server; `save` is what `filled` gave.

    Parents, origin and `expected` that were pending bear their numbers by now. Raises what the server refuses, and
    `Unavailable` with the key while it is away: what was uploaded by then is not uploaded again.
    """
    raise NotImplementedError


def checkpointed(
    server: Server,
    model: str,
    run: str,
    tensors: Mapping[str, Tensor],
    step: int | None,
    key: str,
    *,
    time: datetime | None = None,
    architecture: Mapping[str, Any] | None = None,
    writer: str | None = None,
) -> str:
    """Keep the tensors of a run of a model on its way: the digest of their manifest."""
    raise NotImplementedError
