"""A registered class built anew, to hold what a version kept: its tensors' dtypes are the version's."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import torch

from ..tensors.tensor import Tensor
from .hyperparameter import Json
from .model import Model
from .registry import build
from .state import memory_of, torch_dtype
from .wrapped import bare_names


def rebuilt(architecture: Mapping[str, Json], tensors: Mapping[str, Tensor]) -> Any:
    """The empty `Model` or module that an architecture describes, ready to be filled with these tensors.

    Raises what `build` does. A constructor makes its tensors in torch's default dtype, whatever they were later.
    """
    default = torch.get_default_device()
    with torch.device("cpu" if default.type == "meta" else default):  # to be filled, it needs memory
        built = build(architecture)
    module = built.trained() if isinstance(built, Model) else built
    if isinstance(module, torch.nn.Module):
        take_dtypes(module, {name: tensor.dtype for name, tensor in tensors.items()})
    return built


def take_dtypes(module: torch.nn.Module, dtypes: Mapping[str, str]) -> None:
    """Give parameters and buffers the dtypes named, in new memory where that changes something; ties stay.

    A buffer that is not kept goes with the tensors that are, where all of its dtype went to one other: as in
    `module.bfloat16()`, after which an input meets no float32.
    """
    listed = dict(_own(module))
    bare = bare_names(module, listed)
    own = {bare[name]: value for name, value in listed.items() if name in bare}
    dtypes = {bare.get(name, name): dtype for name, dtype in dtypes.items()}
    wanted = {name: torch_dtype(dtypes[name]) for name in own if name in dtypes}
    went: dict[torch.dtype, set[torch.dtype]] = {}
    for name, dtype in wanted.items():
        went.setdefault(own[name].dtype, set()).add(dtype)
    kept = bare_names(module, module.state_dict()).values()
    for name, value in own.items():
        ways = went.get(value.dtype, set())
        if name not in kept and value.is_floating_point() and len(ways) == 1 and min(ways, key=str).is_floating_point:
            value.data = value.data.to(min(ways, key=str))
    keys = {name: memory_of(own[name]) for name in wanted}
    made: dict[Hashable, torch.Tensor] = {}
    for name, dtype in wanted.items():
        value = own[name]
        if value.dtype != dtype:
            if not (dtype.is_floating_point or dtype.is_complex):
                value.requires_grad_(False)  # torch has no gradients of whole numbers
            value.data = made.setdefault((keys[name], dtype), torch.empty_like(value, dtype=dtype, requires_grad=False))


def _own(module: torch.nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    for named in (module.named_parameters(remove_duplicate=False), module.named_buffers(remove_duplicate=False)):
        for name, value in named:
            if not torch.nn.parameter.is_lazy(value) and value.layout == torch.strided:
                yield name, value
