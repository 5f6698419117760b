"""The shape of an architecture, found out without its memory: it is built on torch's device `meta`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

import torch

from ..errors import Malformed
from ..tensors.tensor import Tensor
from .model import Model
from .registry import build
from .state import EXTRA, torch_dtype
from .wrapped import bare_names


def check_shape(architecture: Mapping[str, Any], tensors: Mapping[str, Tensor], most: int | None = None) -> None:
    """Hold that tensors have the names, dtypes and shapes of an architecture, which takes no memory to find out.

    A dtype may be another of its sort, as in a copy of half precision. Raises `Malformed` naming what is missing,
    unexpected or different, or where the module would take more than `most` bytes with all that it does not keep.
    """
    with torch.device("meta"):
        built = build(architecture)
    module = built.trained() if isinstance(built, Model) else built
    assert isinstance(module, torch.nn.Module)
    state = {name: each for name, each in module.state_dict().items() if isinstance(each, torch.Tensor)}
    bare = bare_names(module, state)
    state = {bare[name]: each for name, each in state.items() if name in bare}
    if faults := list(_faults(state, {bare.get(name, name): each for name, each in tensors.items()})):
        more = f" and {len(faults) - 5} more" if len(faults) > 5 else ""
        raise Malformed(f"the tensors do not fit the module: {'; '.join(faults[:5])}{more}; nothing was built")
    size = sum(each.numel() * each.element_size() for each in chain(module.parameters(), module.buffers()))
    if most is not None and size > most:
        raise Malformed(f"the module would take {size:,} bytes of the {most:,} that an offer may; offer a smaller one")


def _alike(one: torch.dtype, other: torch.dtype) -> bool:
    """Whether what is made in one dtype may be kept in the other: both are real, both complex, or the same."""
    real = one.is_floating_point and other.is_floating_point
    return one == other or real or (one.is_complex and other.is_complex)


def _faults(state: Mapping[str, torch.Tensor], tensors: Mapping[str, Tensor]) -> Iterator[str]:
    yield from (f"missing {name!r}" for name in state if name not in tensors)
    yield from (f"unexpected {name!r}" for name in tensors if name not in state)
    for name in (name for name in state if name in tensors):
        here, given = state[name], tensors[name]
        dtype = str(here.dtype).removeprefix("torch.")
        if name.rpartition(".")[2] == EXTRA:
            continue  # as long as the module likes
        if not _alike(here.dtype, torch_dtype(given.dtype)) or tuple(here.shape) != tuple(given.shape):
            yield f"{name!r} is {dtype}{list(here.shape)} here, {given.dtype}{list(given.shape)} there"
