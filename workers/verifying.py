"""Verifying: the file of a version that was trained elsewhere, looked at and kept as the version that it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..errors import Malformed
from ..tensors.tensor import Tensor
from . import keeping
from .fetching import fetched
from .messages import Finished
from .work import Work

RECORDED: Final = ("hyperparameters", "architecture", "settings", "data", "metrics")
"""What was told of the version, and is recorded as it was told."""


def verify(work: Work) -> Finished:
    """Fetch what was offered, hold it against what was said of it, and keep it as the branch's next version."""
    order = work.order
    with fetched(order.source, order.payload["digest"], work.stopping) as path:
        tensors = _read(path)
        _fit(order.payload["architecture"], tensors)
        kept = keeping.keep(work, tensors, order.base)
    made = keeping.version(kept, order.base, **{name: order.payload[name] for name in RECORDED})
    result: dict[str, Any] = {"tensors": len(kept.manifest.tensors), "parameters": kept.manifest.parameters}
    return Finished(job=order.job, epoch=order.epoch, n=0, made=made, result=result)


def _read(path: str) -> dict[str, Tensor]:
    """The tensors of a safetensors file, which holds nothing that could be run. Raises `Malformed` on any other."""
    from safetensors import SafetensorError, safe_open

    from ..models.state import tensors_of

    try:
        opened: Any = safe_open(path, framework="pt")
        with opened as file:
            found: dict[str, Any] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
    except (SafetensorError, AttributeError) as error:  # the second where torch is older than a dtype
        raise Malformed(f"the file cannot be read as safetensors ({error}); save it with that library") from None
    if not found:
        raise Malformed("the file holds no tensor; offer one that does")
    return tensors_of(found)


def _fit(architecture: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Where the architecture is of a class known here, build it and hold that the tensors fill it."""
    from ..models.registry import build, knows
    from ..models.state import fill

    if knows(architecture.get("class")):
        fill(build(architecture), tensors)
