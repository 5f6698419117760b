"""The memory of a live module or mapping, tensor by tensor: what a version is written into, bit for bit in place."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import suppress
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch

from ..errors import Malformed, Refused
from ..tensors.manifest import CHUNK
from ..tensors.tensor import Bytes, Tensor
from .model import Model
from .state import EXTRA, TorchTensor, check_source, empty_torch, memory_of, plain_tensor
from .wrapped import bare_names, part, unwrapped


def fill(target: Model | torch.nn.Module | Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Write tensors into a module's parameters and buffers, or a mapping's tensors and arrays, bit for bit in place.

    Strict as `load_state_dict`: raises `Malformed` as `fitting_places` does; then nothing has been written.
    """
    written: set[int] = set()
    places = fitting_places(target, tensors)
    for name, place in places.items():
        if id(place) in written or not place.nbytes:
            continue
        written.add(id(place))
        raw = tensors[name].raw()
        for start in range(0, place.nbytes, CHUNK):
            place.write(start, raw[start : start + CHUNK])
    hand_over(target, places)


def hand_over(target: Model | torch.nn.Module | Mapping[str, Any], places: Mapping[str, TorchTensor]) -> None:
    """Give modules the extra state that was written for them: it has no place of its own in them.

    Raises `Refused` where a module does not take it; its tensors are written by then.
    """
    module = _module(target)
    for name in filter(_gives_extra_state(module), places):
        try:
            _owner(module, name).set_extra_state(places[name].value)
        except Exception as error:
            raise Refused(
                f"{name!r} was read, and the module's set_extra_state does not take it "
                f"({type(error).__name__}: {error}); mend that, and load again"
            ) from error


def fitting_places(
    target: Model | torch.nn.Module | Mapping[str, Any], tensors: Mapping[str, Tensor]
) -> dict[str, TorchTensor]:
    """The places of a target that tensors are to be written to, by name; those over the same memory are one object.

    What is written to the places of extra state, `hand_over` then gives the modules. Raises `Malformed` naming what is
    missing, unexpected, or of another shape or dtype, what cannot be written in place, and names that share memory but
    would get different values there.
    """
    places = places_of(target)
    if places.keys() != tensors.keys() and (raw := _raw_places(target)).keys() == tensors.keys():
        places = raw  # kept when the names were still those of the wrappers
    for name in filter(_gives_extra_state(_module(target)), places.keys() & tensors.keys()):
        _, places[name] = empty_torch(tensors[name].dtype, tuple(tensors[name].shape))
    faults = [f"missing {name!r}" for name in places if name not in tensors]
    faults += [f"unexpected {name!r}" for name in tensors if name not in places]
    faults += [fault for name in places if name in tensors for fault in _misfit(name, places[name], tensors[name])]
    if not faults:
        faults += _conflicts({name: place.value for name, place in places.items()}, tensors)
    if faults:
        more = f" and {len(faults) - 5} more" if len(faults) > 5 else ""
        raise Malformed(f"the tensors do not fit the module: {'; '.join(faults[:5])}{more}; nothing was written")
    return places


def places_of(target: Model | torch.nn.Module | Mapping[str, Any]) -> dict[str, TorchTensor]:
    """The memory of a module's parameters and buffers, or of a mapping's values, by name; tied ones are one object.

    Raises `Malformed` on what cannot be written in place.
    """
    check_source(target)
    if isinstance(module := _module(target), Mapping):
        return _places({name: _place(name, value) for name, value in module.items()})
    own = _own(module)
    return _places({bare: plain_tensor(bare, own[name]) for name, bare in bare_names(module, own).items()})


def _raw_places(target: Any) -> dict[str, TorchTensor]:
    """As `places_of`, by the names that a module under what trains it gives its state itself."""
    check_source(target)
    module = target.holder() if isinstance(target, Model) else target
    return {} if isinstance(module, Mapping) else _places(_own(module))


def _module(target: Model | torch.nn.Module | Mapping[str, Any]) -> torch.nn.Module | Mapping[str, Any]:
    return unwrapped(target.holder() if isinstance(target, Model) else target)


def _gives_extra_state(module: torch.nn.Module | Mapping[str, Any]) -> Callable[[str], bool]:
    """Whether a name is that of what a part's `get_extra_state` gives."""

    def gives(name: str) -> bool:
        if name.rpartition(".")[2] != EXTRA or isinstance(module, Mapping):
            return False
        return type(_owner(module, name)).get_extra_state is not torch.nn.Module.get_extra_state

    return gives


def _owner(module: Any, name: str) -> Any:
    return part(module, name.rpartition(".")[0])


def _places(values: Mapping[str, torch.Tensor]) -> dict[str, TorchTensor]:
    places: dict[str, TorchTensor] = {}
    seen: dict[Hashable, TorchTensor] = {}
    for name, value in values.items():
        key = memory_of(value) if value.numel() else name
        if key in seen:
            seen[key].tie(value)
        places[name] = seen.setdefault(key, TorchTensor(value))
    return places


def _misfit(name: str, place: TorchTensor, tensor: Tensor) -> Iterator[str]:
    here, given = (place.dtype, place.shape), (tensor.dtype, tuple(tensor.shape))
    if here != given:
        yield f"{name!r} is {here[0]}{list(here[1])} here, {given[0]}{list(given[1])} there"


def _own(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The module's own memory by state name; what it makes up in `state_dict` has none and is refused."""
    own = dict(module.named_parameters(remove_duplicate=False)) | dict(module.named_buffers(remove_duplicate=False))
    state = module.state_dict()
    _check_device(module, state)
    for name in filter(_gives_extra_state(module), state):
        # written apart, for it may be a copy or memory that the module uses; `hand_over` then gives it to the module
        value = state[name]
        own[name] = state[name] = (
            plain_tensor(name, value).clone() if isinstance(value, torch.Tensor) else torch.empty(0)
        )
    for name, value in state.items():
        place, read = own.get(name), memory_of(plain_tensor(name, value))
        if place is None or memory_of(plain_tensor(name, place)) != read or not _writable(place):
            raise Malformed(
                f"{type(module).__name__} makes up its state {name!r}, which cannot be written in place; "
                "give its load_state_dict() what load_tensors returns"
            )
    return {name: own[name] for name in state}


def _check_device(module: torch.nn.Module, state: Mapping[str, Any]) -> None:
    """Refuse a module without memory, by the way that gives it some; `to_empty` leaves what is not state undefined."""
    empty = next((name for name, value in state.items() if getattr(value, "is_meta", False)), None)
    if empty is None:
        return
    beside = next((name for name, _ in module.named_buffers() if name not in state), None)
    way = (
        "give module.to_empty(device='cpu') in its place, or module.load_state_dict(…, assign=True) what load_tensors "
        "returns"
        if beside is None
        else f"build it on the CPU, since its buffer {beside!r} is in no version"
    )
    raise Malformed(f"{type(module).__name__} has no memory for {empty!r} (device meta); {way}")


def _place(name: str, value: Any) -> torch.Tensor:
    """A mapping's value as a tensor over the same memory."""
    if isinstance(value, np.ndarray) and value.flags.writeable:
        with suppress(TypeError, ValueError):  # kinds and strides that torch does not know
            value = torch.from_numpy(cast("npt.NDArray[Any]", value))
    if not isinstance(value, torch.Tensor) or not _writable(value):
        raise Malformed(f"{name!r} cannot be written in place; give a tensor or a writable array of plain numbers")
    return plain_tensor(name, value)


def _writable(value: torch.Tensor) -> bool:
    """Whether each element has memory of its own, and that memory holds the element as it reads."""
    repeats = any(not stride and side > 1 for side, stride in zip(value.shape, value.stride(), strict=True))
    return not (repeats or value.is_conj() or value.is_neg())


def _conflicts(places: Mapping[str, torch.Tensor], tensors: Mapping[str, Tensor]) -> Iterator[str]:
    """The names whose memory is another's too, wholly or in part, and cannot hold the values of both."""
    for names in _overlapping(places):
        one_here = len(names) > 1 and len({memory_of(places[name].detach()) for name in names}) == 1
        if one_here and len({id(tensors[name]) for name in names}) == 1:
            continue  # tied here and there
        start = min(_span(places[name])[0] for name in names)
        scratch = np.zeros(max(_span(places[name])[1] for name in names) - start, np.uint8)
        views = {name: _laid_out(places[name], scratch[_span(places[name])[0] - start :]) for name in names}
        for name, view in views.items():
            view[...] = tensors[name].raw().reshape(view.shape)
        if lost := [name for name, view in views.items() if (view != tensors[name].raw().reshape(view.shape)).any()]:
            both = sorted({lost[0], next((name for name in names if name != lost[0]), lost[0])})
            yield f"{' and '.join(map(repr, both))}: memory is shared here, and what is to lie in it differs"


def _overlapping(places: Mapping[str, torch.Tensor]) -> Iterator[list[str]]:
    """The places, by name, in whose memory an element might have to serve twice: those whose spans meet."""
    spans = sorted((str(place.device), *_span(place), name) for name, place in places.items() if place.numel())
    groups: list[list[str]] = []
    last: tuple[str, int] = ("", 0)
    for device, start, end, name in spans:
        if device != last[0] or start >= last[1]:
            groups.append([])
            last = (device, end)
        groups[-1].append(name)
        last = (device, max(end, last[1]))
    return (group for group in groups if len(group) > 1 or not _apart(places[group[0]]))


def _apart(value: torch.Tensor) -> bool:
    """Whether it is plain from its strides that no two elements share memory."""
    reach = 0
    for stride, side in sorted((stride, side) for stride, side in zip(value.stride(), value.shape, strict=True)):
        if side > 1 and stride <= reach:
            return False
        reach += (side - 1) * stride
    return True


def _span(value: torch.Tensor) -> tuple[int, int]:
    """The address of a tensor's first byte, and the one behind its last."""
    steps = sum((side - 1) * stride for side, stride in zip(value.shape, value.stride(), strict=True))
    return value.data_ptr(), value.data_ptr() + (steps + 1) * value.element_size()


def _laid_out(value: torch.Tensor, memory: Bytes) -> Bytes:
    """A tensor's bytes in other memory, element by element as they lie in its own, shape (*shape, bytes)."""
    size = value.element_size()
    strides = (*(stride * size for stride in value.stride()), 1)
    return np.lib.stride_tricks.as_strided(memory, (*value.shape, size), strides)
