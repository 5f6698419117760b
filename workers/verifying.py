"""Verifying: the file of a version that was trained elsewhere, looked at and kept as the version that it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..datasets.bounds import Bounds, bounds_of
from ..datasets.fetch import fetched
from ..domain.job.offers import LIMITS
from ..errors import Malformed
from ..jobs.protocol.messages import Finished
from ..tensors.safetensors_file import tensors_in
from ..tensors.tensor import Tensor
from . import keep
from .context import Work

RECORDED: Final = ("hyperparameters", "architecture", "settings", "data", "metrics")
"""What was told of the version, and is recorded as it was told."""


def verify(work: Work) -> Finished:
    """Fetch what was offered, hold it against what was said of it, and keep it as the branch's next version."""
    order = work.order
    bounds = bounds_of(order.payload.get(LIMITS))
    with fetched(order.source, order.payload["digest"], work.stopping, bounds) as path:
        tensors = tensors_in(path)
        if not tensors:
            raise Malformed("the file holds no tensor; offer one that does")
        if bounds:
            bounds.check(tensors)
        _fit(order.payload["architecture"], tensors, bounds)
        kept = keep.keep(work, tensors, order.base)
    made = keep.version(kept, order.base, **{name: order.payload[name] for name in RECORDED})
    result: dict[str, Any] = {"tensors": len(kept.manifest.tensors), "parameters": kept.manifest.parameters}
    return Finished(job=order.job, epoch=order.epoch, n=0, made=made, result=result)


def _fit(architecture: Mapping[str, Any], tensors: Mapping[str, Tensor], bounds: Bounds | None) -> None:
    """Where the architecture is of a class known here, build it and hold that the tensors fill it.

    It is built without memory first: what an architecture asks for may be anything, what fits the file is as large.
    """
    if not architecture.get("class"):
        return
    from ..models.registry import build, knows
    from ..models.shape import check_shape
    from ..models.state import fill

    if knows(architecture.get("class")):
        check_shape(architecture, tensors, bounds and bounds.bytes)
        fill(build(architecture), tensors)
