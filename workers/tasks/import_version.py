"""Import a version: the file of one that was trained elsewhere, looked at and kept as the branch's next version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from ...domain.job.kinds import MakesVersion
from ...errors import Malformed
from ...events.event import Digest, Json, Metrics
from ..task import task

if TYPE_CHECKING:
    from ...datasets.bounds import Bounds
    from ...jobs.protocol.messages import Finished
    from ...tensors.tensor import Tensor
    from ..context import Context

RECORDED: Final = ("hyperparameters", "architecture", "settings", "data", "metrics", "validation", "task")
"""What was told of the version, and is recorded as it was told."""


class ImportVersion(MakesVersion):
    """What is told of the version; an outside service's file is held to limits, in bytes, tensors and elements."""

    kind: Literal["verify"] = "verify"
    digest: Digest
    hyperparameters: Json = {}
    architecture: Json = {}
    settings: Json = {}
    data: Json | None = None
    metrics: Metrics = {}
    validation: Json | None = None
    task: str | None = None
    limits: dict[str, int] | None = None


@task(ImportVersion)
def import_version(payload: ImportVersion, context: Context) -> Finished:
    """Fetch what was offered, hold it against what was said of it, and keep it."""
    from ...datasets.bounds import bounds_of
    from ...datasets.fetch import fetched
    from ...tensors.safetensors_file import tensors_in

    bounds = bounds_of(payload.limits)
    with fetched(context.order.source, payload.digest, context.stopping, bounds) as path:
        tensors = tensors_in(path)
        if not tensors:
            raise Malformed("the file holds no tensor; offer one that does")
        if bounds:
            bounds.check(tensors)
        _fit(payload.architecture, tensors, bounds)
        kept = context.keep(tensors)
    made = context.version(kept, **{name: getattr(payload, name) for name in RECORDED})
    return context.finished(made, {"tensors": len(kept.manifest.tensors), "parameters": kept.manifest.parameters})


def _fit(architecture: Mapping[str, Any], tensors: Mapping[str, Tensor], bounds: Bounds | None) -> None:
    """Where the architecture is of a class known here, build it and hold that the tensors fill it.

    It is built without memory first: what an architecture asks for may be anything, what fits the file is as large.
    """
    if not architecture.get("class"):
        return
    from ...models.places import fill
    from ...models.rebuild import check_shape, rebuilt
    from ...models.registry import knows

    if knows(architecture.get("class")):
        check_shape(architecture, tensors, bounds and bounds.bytes)
        fill(rebuilt(architecture, tensors), tensors)
