"""A registered class built anew, to hold what a version kept, or on torch's device `meta`, for its shapes alone."""

from __future__ import annotations

import copy
from collections.abc import Generator, Hashable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import Any, TypeVar

import torch

from ..errors import Malformed
from ..tensors.tensor import Tensor
from .hyperparameter import Json
from .model import Model
from .registry import build
from .state import EXTRA, memory_of, torch_dtype
from .wrapped import bare_names

T = TypeVar("T")


def rebuilt(architecture: Mapping[str, Json], tensors: Mapping[str, Tensor]) -> Any:
    """The empty `Model` or module that an architecture describes, ready to be filled with these tensors.

    Raises what `build` does. A constructor makes its tensors in torch's default dtype, whatever they were later.
    """
    default = torch.get_default_device()
    with torch.device("cpu" if default.type == "meta" else default):  # to be filled, it needs memory
        module = _module(built := build(architecture), tensors)
    if isinstance(module, torch.nn.Module):
        take_dtypes(module, {name: tensor.dtype for name, tensor in tensors.items()})
    return built


def _module(built: Any, tensors: Mapping[str, Tensor]) -> torch.nn.Module | Mapping[str, torch.Tensor]:
    """What is to be filled of an object that was built, with room for these tensors."""
    if not isinstance(built, Model):
        return built
    built.make_room({name: (tensor.dtype, tuple(tensor.shape)) for name, tensor in tensors.items()})
    return built.holder()


@contextmanager
def with_room(target: T, tensors: Mapping[str, Tensor]) -> Generator[T]:
    """Whom to write tensors to: the target, or, where its shape is that of its tensors, a twin of it with room for
    these. What comes of the twin is the target's once it is whole."""
    twin = target
    if isinstance(target, Model) and isinstance(target.holder(), Mapping):
        _module(twin := copy.copy(target), tensors)
    yield twin
    if twin is not target:
        vars(target).update(vars(twin))


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


def check_shape(architecture: Mapping[str, Any], tensors: Mapping[str, Tensor], most: int | None = None) -> None:
    """Hold that tensors have the names, dtypes and shapes of an architecture, which takes no memory to find out.

    A dtype may be another of its sort, as in a copy of half precision. Raises `Malformed` naming what is missing,
    unexpected or different, or where the module would take more than `most` bytes with all that it does not keep.
    """
    with torch.device("meta"):
        module = _module(build(architecture), tensors)
    if isinstance(module, Mapping):
        return  # it takes the shapes that come, in the memory that these take
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
