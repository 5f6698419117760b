"""Where torch meets the tensor manifest: parameters as raw bytes, and raw bytes as parameters, bit for bit."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from contextlib import suppress
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch

from ..errors import Malformed, Refused
from ..tensors.tensor import KINDS, Array, Bytes, Tensor
from .model import Model

_KINDS: dict[str, torch.dtype] = {name: getattr(torch, name) for name in KINDS if hasattr(torch, name)}
_NAMES = {kind: name for name, kind in _KINDS.items()}
# Kinds that numpy knows through ml_dtypes, and those that it does not know at all: ml_dtypes' float4_e2m1fn holds one
# number a byte where torch's float4_e2m1fn_x2 holds two.
_ML_DTYPES = {"bfloat16", *(name for name in KINDS if name.startswith("float8_"))}
_TORCH_ONLY = {"complex32", "bcomplex32", "float4_e2m1fn_x2"}
_BITS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


class TorchTensor:
    """A torch tensor as the manifest sees it; `raw()` is the live memory where that is contiguous and on the CPU."""

    def __init__(self, value: torch.Tensor) -> None:
        self.value = value
        self.dtype = _NAMES[value.dtype]
        self.shape = tuple(value.shape)
        self.nbytes = value.numel() * value.element_size()

    @property
    def live(self) -> bool:
        """Whether writing to `raw()` writes to the tensor itself."""
        value = self.value
        return value.device.type == "cpu" and value.is_contiguous() and not (value.is_conj() or value.is_neg())

    def raw(self) -> Bytes:
        """The bytes in row-major little-endian order, shape (nbytes,): a view where `live`, else a copy made now."""
        if not self.nbytes:
            return np.empty(0, np.uint8)
        return _bits(self.value).cpu().contiguous().reshape(-1).view(torch.uint8).numpy()


def tensors_of(source: Any) -> dict[str, Tensor]:
    """Every parameter and persistent buffer of a Lepton model or torch module by its name; tied ones are one object.

    A mapping may hold torch tensors, parameters and numpy arrays (also of ml_dtypes' kinds). Nothing is copied here.
    Raises `Malformed` on what has no plain bytes: sparse, quantised, meta, nested and wrapped tensors,
    other objects.
    """
    _known(source)
    state = cast("Mapping[str, Any]", source if isinstance(source, Mapping) else source.state_dict())
    # As arrays and alive to the end: memory given back meanwhile could be mistaken for the next value's.
    values = {name: _array_of_scalar(value) for name, value in state.items()}
    tensors: dict[str, Tensor] = {}
    seen: dict[Hashable, Tensor] = {}
    for name, value in values.items():
        tensor = _adapt(name, value)
        tensors[name] = seen.setdefault(_memory(value), tensor) if tensor.nbytes else tensor
    return tensors


def in_place(tensors: Mapping[str, Tensor]) -> bool:
    """Whether writing to every tensor's `raw()` writes to the model itself."""
    return all(isinstance(tensor, TorchTensor) and tensor.live for tensor in tensors.values())


def to_torch(tensor: Tensor) -> torch.Tensor:
    """A new CPU tensor with exactly these bits, shape and dtype."""
    if tensor.dtype not in _KINDS:
        raise Malformed(f"torch here has no dtype {tensor.dtype!r}; load it with a newer torch, or by load_arrays")
    made = torch.empty(tensor.shape, dtype=_KINDS[tensor.dtype], device="cpu")
    if made.numel():
        made.reshape(-1).view(torch.uint8).numpy()[:] = tensor.raw()
    return made


def to_numpy(tensor: Tensor) -> npt.NDArray[Any]:
    """A new array with exactly these bits and shape; bfloat16 and the fp8 kinds as ml_dtypes' types.

    Raises `Refused` where numpy has no such number (complex32, packed float4) or ml_dtypes is not installed: bytes
    under another dtype would be taken for numbers.
    """
    if tensor.dtype in _TORCH_ONLY:
        raise Refused(f"numpy has no dtype for {tensor.dtype}; take it as a torch tensor with load_tensors")
    kind = _ml_dtype(tensor.dtype) if tensor.dtype in _ML_DTYPES else np.dtype(tensor.dtype)
    return np.array(tensor.raw(), copy=True).view(kind).reshape(tensor.shape)


def fill(target: Model | torch.nn.Module | Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Write tensors into a module's parameters and buffers, or a mapping's tensors and arrays, bit for bit in place.

    Strict as `load_state_dict`: raises `Malformed` naming what is missing, unexpected, or of another shape or dtype,
    and names that share memory but would get different values there; then nothing has been written.
    """
    _known(target)
    module = target.trained() if isinstance(target, Model) else target
    places = (
        {name: _place(name, value) for name, value in module.items()}
        if isinstance(module, Mapping)
        else _places(module)
    )
    _check_fit(places, tensors)
    with torch.no_grad():
        for name, place in places.items():
            if place.numel():
                bits = torch.from_numpy(np.array(tensors[name].raw(), copy=True))
                _bits(place).copy_(bits.view(_bits(place).dtype).reshape(_bits(place).shape))


def _known(source: object) -> None:
    if not isinstance(source, Model | torch.nn.Module | Mapping):
        raise Malformed(
            f"a {type(source).__name__} holds no parameters; give a Lepton model, a torch module or a mapping"
        )


def _adapt(name: str, value: Any) -> Tensor:
    if isinstance(value, torch.Tensor):
        return TorchTensor(_plain(name, value))
    if not isinstance(value, np.ndarray):
        raise Malformed(f"{name!r} is a {type(value).__name__}; keep such state as a tensor, or in a file")
    if isinstance(value, np.ma.MaskedArray):
        raise Malformed(f"array {name!r} is masked, which no tensor is; give its .filled(...), and its .mask beside it")
    array = cast("npt.NDArray[Any]", value)
    if array.dtype.name not in KINDS:
        raise Malformed(f"array {name!r} has dtype {array.dtype}, which no tensor has; convert it to a plain number")
    return Array.from_numpy(array)


def _array_of_scalar(value: Any) -> Any:
    return np.asarray(cast("Any", value)) if isinstance(value, np.generic) else value


def _plain(name: str, value: torch.Tensor) -> torch.Tensor:
    """The tensor without autograd, if it is one block of numbers in memory; else `Malformed`."""
    wrapped = type(value) not in (torch.Tensor, torch.nn.Parameter, torch.nn.Buffer)
    reason = (
        "is quantised; keep its int_repr(), scale and zero point as plain tensors"
        if value.is_quantized
        else f"is {value.layout}; give it as .to_dense(), or its indices and values as plain tensors"
        if value.layout != torch.strided or value.is_nested
        else f"is a {type(value).__name__}; give plain tensors (for a sharded one its .full_tensor())"
        if wrapped
        else "has no data (device meta); give the module its values first"
        if value.device.type == "meta"
        else f"has dtype {value.dtype}, which has no fixed bytes; give a kind of number"
        if value.dtype not in _NAMES
        else None
    )
    if reason:
        raise Malformed(f"tensor {name!r} {reason}")
    return value.detach()


def _memory(value: Any) -> Hashable:
    """What two names must share to be one tensor: the place in memory and the way it is read."""
    if isinstance(value, torch.Tensor):
        flags = (value.device, value.dtype, value.is_conj(), value.is_neg())
        return (value.untyped_storage().data_ptr(), value.storage_offset(), value.shape, value.stride(), flags)
    array: npt.NDArray[Any] = value
    return (array.__array_interface__["data"][0], array.shape, array.strides, array.dtype)


def _bits(value: torch.Tensor) -> torch.Tensor:
    """The tensor as integers over the same memory (a copy only of lazy conjugates and negatives).

    Whatever copies, broadcasts or moves them cannot quieten a NaN, and works for dtypes that torch barely knows.
    """
    value = value.detach().resolve_conj().resolve_neg()
    if value.dtype.is_complex and value.element_size() == 16:
        value = torch.view_as_real(value)
    return value.view(_BITS[value.element_size()])


def _places(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The module's own memory by state name; what it makes up in `state_dict` has none and is refused."""
    own = dict(module.named_parameters(remove_duplicate=False)) | dict(module.named_buffers(remove_duplicate=False))
    state = module.state_dict()
    for name, value in state.items():
        place = own.get(name)
        if place is None or _memory(_plain(name, value)) != _memory(_plain(name, place)) or not _writable(place):
            raise Malformed(
                f"{type(module).__name__} makes up its state {name!r}, which cannot be written in place; "
                "give its load_state_dict() what load_tensors returns"
            )
    return {name: own[name] for name in state}


def _place(name: str, value: Any) -> torch.Tensor:
    """A mapping's value as a tensor over the same memory."""
    if isinstance(value, np.ndarray) and value.flags.writeable:
        with suppress(TypeError, ValueError):  # kinds and strides that torch does not know
            value = torch.from_numpy(cast("npt.NDArray[Any]", value))
    if not isinstance(value, torch.Tensor) or not _writable(value):
        raise Malformed(f"{name!r} cannot be written in place; give a tensor or a writable array of plain numbers")
    return _plain(name, value)


def _writable(value: torch.Tensor) -> bool:
    """Whether each element has memory of its own, and that memory holds the element as it reads."""
    repeats = any(not stride and side > 1 for side, stride in zip(value.shape, value.stride(), strict=True))
    return not (repeats or value.is_conj() or value.is_neg())


def _check_fit(places: Mapping[str, torch.Tensor], tensors: Mapping[str, Tensor]) -> None:
    faults = [f"missing {name!r}" for name in places if name not in tensors]
    faults += [f"unexpected {name!r}" for name in tensors if name not in places]
    for name, place in places.items():
        if name not in tensors:
            continue
        here, given = _adapt(name, place), tensors[name]
        if (here.dtype, here.shape) != (given.dtype, tuple(given.shape)):
            faults.append(f"{name!r} is {here.dtype}{list(here.shape)} here, {given.dtype}{list(given.shape)} there")
    if not faults:
        faults += _conflicts(places, tensors)
    if faults:
        more = f" and {len(faults) - 5} more" if len(faults) > 5 else ""
        raise Malformed(f"the tensors do not fit the module: {'; '.join(faults[:5])}{more}; nothing was written")


def _conflicts(places: Mapping[str, torch.Tensor], tensors: Mapping[str, Tensor]) -> Iterator[str]:
    """The names whose memory is another's too, wholly or in part, and cannot hold the values of both."""
    for names in _overlapping(places):
        one_here = len(names) > 1 and len({_memory(places[name].detach()) for name in names}) == 1
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
    return (group for group in groups if len(group) > 1 or not places[group[0]].is_contiguous())


def _span(value: torch.Tensor) -> tuple[int, int]:
    """The address of a tensor's first byte, and the one behind its last."""
    steps = sum((side - 1) * stride for side, stride in zip(value.shape, value.stride(), strict=True))
    return value.data_ptr(), value.data_ptr() + (steps + 1) * value.element_size()


def _laid_out(value: torch.Tensor, memory: Bytes) -> Bytes:
    """A tensor's bytes in other memory, element by element as they lie in its own, shape (*shape, bytes)."""
    size = value.element_size()
    strides = (*(stride * size for stride in value.stride()), 1)
    return np.lib.stride_tricks.as_strided(memory, (*value.shape, size), strides)


def _ml_dtype(name: str) -> np.dtype[Any]:
    try:
        import ml_dtypes
    except ImportError as error:
        raise Refused(f"numpy alone has no {name}; install ml_dtypes, or take it as torch with load_tensors") from error
    return np.dtype(getattr(ml_dtypes, name))
