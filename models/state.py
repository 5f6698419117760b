"""Where torch meets the tensor manifest: parameters as raw bytes, and raw bytes as parameters, bit for bit."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch

from ..errors import Malformed, Refused
from ..tensors.tensor import KINDS, Array, Bytes, Tensor, nbytes_of
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
        self._twins: list[torch.Tensor] = []

    @property
    def live(self) -> bool:
        """Whether writing to `raw()` writes to the tensor itself."""
        value = self.value
        return value.device.type == "cpu" and value.is_contiguous() and not (value.is_conj() or value.is_neg())

    def tie(self, twin: torch.Tensor) -> None:
        """Note another tensor over the same memory: autograd may count what is written to each of them apart."""
        self._twins.append(twin)

    def raw(self) -> Bytes:
        """The bytes in row-major little-endian order, shape (nbytes,): a view where `live`, else a copy made now."""
        if not self.nbytes:
            return np.empty(0, np.uint8)
        return _as_bytes(bits_of(self.value))

    def read(self, start: int, stop: int) -> Bytes:
        """Bytes `start` to `stop` of `raw()`, whole elements: a view where `live`, else a copy of these alone."""
        if self.live:
            return self.raw()[start:stop]
        return np.concatenate([_as_bytes(run) for run in self._runs(start, stop)])

    def write(self, start: int, data: Bytes) -> None:
        """Put whole elements from byte `start` on in place, so that autograd notices as it does of torch's own writes.

        A backward pass that needs what was overwritten then fails; written unnoticed, its gradient would be wrong.
        """
        for each in (self.value, *self._twins):
            if not each.is_inference():  # such a tensor serves no backward pass, and has no count
                torch.autograd.graph.increment_version(each)
        if self.live:
            self.raw()[start : start + data.nbytes] = data
            return
        with torch.inference_mode(mode=self.value.is_inference()):
            for run in self._runs(start, start + data.nbytes):
                piece, data = np.split(data, [run.numel() * run.element_size()])
                run.copy_(torch.from_numpy(piece.copy()).view(run.dtype).reshape(run.shape))

    def _runs(self, start: int, stop: int) -> Iterator[torch.Tensor]:
        bits = bits_of(self.value)
        return _runs(bits, start // bits.element_size(), stop // bits.element_size())


def tensors_of(source: Any) -> dict[str, Tensor]:
    """Every parameter and persistent buffer of a Lepton model or torch module by its name; tied ones are one object.

    A mapping may hold torch tensors, parameters and numpy arrays (also of ml_dtypes' kinds). Nothing is copied here.
    Raises `Malformed` on what has no plain bytes: sparse, quantised, meta, nested and wrapped tensors,
    other objects.
    """
    check_source(source)
    state = cast("Mapping[str, Any]", source if isinstance(source, Mapping) else source.state_dict())
    # As arrays and alive to the end: memory given back meanwhile could be mistaken for the next value's.
    values = {name: _array_of_scalar(value) for name, value in state.items()}
    tensors: dict[str, Tensor] = {}
    seen: dict[Hashable, Tensor] = {}
    for name, value in values.items():
        tensor = adapted(name, value)
        tensors[name] = seen.setdefault(memory_of(value), tensor) if tensor.nbytes else tensor
    return tensors


def to_torch(tensor: Tensor) -> torch.Tensor:
    """A new CPU tensor with exactly these bits, shape and dtype."""
    made = torch.empty(tensor.shape, dtype=torch_dtype(tensor.dtype), device="cpu")
    if made.numel():
        made.reshape(-1).view(torch.uint8).numpy()[:] = tensor.raw()
    return made


def to_numpy(tensor: Tensor) -> npt.NDArray[Any]:
    """A new array with exactly these bits and shape; bfloat16 and the fp8 kinds as ml_dtypes' types.

    Raises `Refused` where numpy has no such number (complex32, packed float4) or ml_dtypes is not installed: bytes
    under another dtype would be taken for numbers.
    """
    kind = numpy_dtype(tensor.dtype)
    return np.array(tensor.raw(), copy=True).view(kind).reshape(tensor.shape)


def empty_torch(dtype: str, shape: tuple[int, ...]) -> tuple[torch.Tensor, TorchTensor]:
    """A CPU tensor that is still to be filled, and its memory; `Malformed` on a dtype that torch here has not."""
    made = torch.empty(shape, dtype=torch_dtype(dtype), device="cpu")
    return made, TorchTensor(made)


def empty_numpy(dtype: str, shape: tuple[int, ...]) -> tuple[npt.NDArray[Any], Array]:
    """An array that is still to be filled, and its memory; refuses the dtypes that `to_numpy` does."""
    memory = Array(dtype, shape, np.empty(nbytes_of(dtype, shape), np.uint8))
    return memory.buffer.view(numpy_dtype(dtype)).reshape(shape), memory


def torch_dtype(dtype: str) -> torch.dtype:
    """Torch's dtype of that name; `Malformed` where torch here has none."""
    if dtype not in _KINDS:
        raise Malformed(f"torch here has no dtype {dtype!r}; load it with a newer torch, or by load_arrays")
    return _KINDS[dtype]


def numpy_dtype(dtype: str) -> np.dtype[Any]:
    """Numpy's dtype of that name, or that of ml_dtypes; `Refused` where there is none."""
    if dtype in _TORCH_ONLY:
        raise Refused(f"numpy has no dtype for {dtype}; take it as a torch tensor with load_tensors")
    return _ml_dtype(dtype) if dtype in _ML_DTYPES else np.dtype(dtype)


def check_source(source: object) -> None:
    if not isinstance(source, Model | torch.nn.Module | Mapping):
        raise Malformed(
            f"a {type(source).__name__} holds no parameters; give a Lepton model, a torch module or a mapping"
        )


def adapted(name: str, value: Any) -> Tensor:
    if isinstance(value, torch.Tensor):
        return TorchTensor(plain_tensor(name, value))
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


def plain_tensor(name: str, value: torch.Tensor) -> torch.Tensor:
    """The tensor without autograd, if it is one block of numbers in memory; else `Malformed`."""
    wrapped = type(value) not in (torch.Tensor, torch.nn.Parameter, torch.nn.Buffer)
    reason = (
        "is quantised; keep its int_repr(), scale and zero point as plain tensors"
        if value.is_quantized
        else f"is {value.layout}; give it as .to_dense(), or its indices and values as plain tensors"
        if value.layout != torch.strided or value.is_nested
        else f"is a {type(value).__name__}; give plain tensors (for a sharded one its .full_tensor())"
        if wrapped
        else "has no data to keep (device meta); load_version(REV, into=module.to_empty(device='cpu')) gives it some"
        if value.device.type == "meta"
        else f"has dtype {value.dtype}, which has no fixed bytes; give a kind of number"
        if value.dtype not in _NAMES
        else None
    )
    if reason:
        raise Malformed(f"tensor {name!r} {reason}")
    return value.detach()


def memory_of(value: Any) -> Hashable:
    """What two names must share to be one tensor: the place in memory and the way it is read."""
    if isinstance(value, torch.Tensor):
        flags = (value.device, value.dtype, value.is_conj(), value.is_neg())
        return (value.untyped_storage().data_ptr(), value.storage_offset(), value.shape, value.stride(), flags)
    array: npt.NDArray[Any] = value
    return (array.__array_interface__["data"][0], array.shape, array.strides, array.dtype)


def bits_of(value: torch.Tensor) -> torch.Tensor:
    """The tensor as integers over the same memory (a copy only of lazy conjugates and negatives).

    Whatever copies, broadcasts or moves them cannot quieten a NaN, and works for dtypes that torch barely knows.
    """
    value = value.detach().resolve_conj().resolve_neg()
    if value.dtype.is_complex and value.element_size() == 16:
        value = torch.view_as_real(value)
    return value.view(_BITS[value.element_size()])


def _runs(bits: torch.Tensor, start: int, stop: int) -> Iterator[torch.Tensor]:
    """Views that together are elements `start` to `stop` of a tensor, in row-major order."""
    if bits.is_contiguous() or bits.dim() <= 1:
        yield bits.reshape(-1)[start:stop]
        return
    row = bits[0].numel()
    first, last = -(-start // row), stop // row
    if first > last:
        yield from _runs(bits[last], start - last * row, stop - last * row)
        return
    if start < first * row:
        yield from _runs(bits[first - 1], start - (first - 1) * row, row)
    if first < last:
        yield bits[first:last]
    if last * row < stop:
        yield from _runs(bits[last], 0, stop - last * row)


def _as_bytes(bits: torch.Tensor) -> Bytes:
    return bits.cpu().contiguous().reshape(-1).view(torch.uint8).numpy()


def _ml_dtype(name: str) -> np.dtype[Any]:
    try:
        import ml_dtypes
    except ImportError as error:
        raise Refused(f"numpy alone has no {name}; install ml_dtypes, or take it as torch with load_tensors") from error
    return np.dtype(getattr(ml_dtypes, name))
