"""Where torch meets the tensor manifest: parameters as raw bytes, and raw bytes as parameters, bit for bit."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
import torch

from ..errors import Malformed
from ..plain import words_of
from ..tensors.tensor import KINDS, Array, Bytes, Tensor
from .arrays import numpy_dtype
from .model import Model
from .wrapped import bare_names

_KINDS: dict[str, torch.dtype] = {name: getattr(torch, name) for name in KINDS if hasattr(torch, name)}
_NAMES = {kind: name for name, kind in _KINDS.items()}
_SPARSE = {
    torch.sparse_coo: ", or its .coalesce().indices() and .values() as plain tensors",
    torch.sparse_csr: ", or its .crow_indices(), .col_indices() and .values() as plain tensors",
    torch.sparse_bsr: ", or its .crow_indices(), .col_indices() and .values() as plain tensors",
    torch.sparse_csc: ", or its .ccol_indices(), .row_indices() and .values() as plain tensors",
    torch.sparse_bsc: ", or its .ccol_indices(), .row_indices() and .values() as plain tensors",
}
_SUBCLASSES = {
    "DTensor": "it is one process's share; give its .full_tensor(), which all processes must ask for",
    "ShardedTensor": "it is one process's share; gather it, and give the whole as a plain tensor",
    "FakeTensor": "it has no data; make the module outside of FakeTensorMode",
    "FunctionalTensor": "it stands for a tensor while torch traces; save outside of the traced function",
}
_OF_A_SUBCLASS = "give plain tensors: its .dequantize() where it packs numbers, else .as_subclass(torch.Tensor)"
EXTRA: Final = "_extra_state"
"""The last word of the name of what a module's `get_extra_state` gives."""
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

    The names are those in the modules themselves, also where these are compiled, in parallel or averaged. A mapping may
    hold torch tensors, parameters and numpy arrays (also of ml_dtypes' kinds). Nothing is copied here.
    Raises `Malformed` on what has no plain bytes: sparse, quantised, meta, nested and wrapped tensors,
    other objects.
    """
    check_source(source)
    state = cast("Mapping[str, Any]", source if isinstance(source, Mapping) else _state_of(source))
    # As arrays and alive to the end: memory given back meanwhile could be mistaken for the next value's.
    values = {name: _array_of_scalar(value) for name, value in state.items()}
    tensors: dict[str, Tensor] = {}
    seen: dict[Hashable, Tensor] = {}
    for name, value in values.items():
        tensor = adapted(name, value)
        tensors[name] = seen.setdefault(memory_of(value), tensor) if tensor.nbytes else tensor
    return tensors


def _state_of(source: Any) -> Mapping[str, Any]:
    """A module's state by the names that its tensors have without what trains it."""
    state, module = source.state_dict(), source.holder() if isinstance(source, Model) else source
    return (
        state
        if isinstance(module, Mapping)
        else {bare: state[name] for name, bare in bare_names(module, state).items()}
    )


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


def torch_dtype(dtype: str) -> torch.dtype:
    """Torch's dtype of that name; `Malformed` where torch here has none."""
    if dtype not in _KINDS:
        raise Malformed(f"torch here has no dtype {dtype!r}; a newer torch has it", python="or take it by load_arrays")
    return _KINDS[dtype]


def check_source(source: object) -> None:
    if not isinstance(source, Model | torch.nn.Module | Mapping):
        raise Malformed(f"{words_of(source)} holds no parameters; give a Lepton model, a torch module or a mapping")


def adapted(name: str, value: Any) -> Tensor:
    if isinstance(value, torch.Tensor):
        return TorchTensor(plain_tensor(name, value))
    if not isinstance(value, np.ndarray):
        what = (
            "extra state, which a version keeps as a tensor alone" if name.rpartition(".")[2] == EXTRA else "no tensor"
        )
        raise Malformed(
            f"{name!r} is {words_of(value)}, {what}: give one, such as torch.frombuffer(bytearray(DATA), "
            "dtype=torch.uint8) of bytes, or keep it beside the version with files= or settings="
        )
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
    if reason := _not_plain(value):
        raise Malformed(f"tensor {name!r} {reason}")
    return value.detach()


def _not_plain(value: torch.Tensor) -> str | None:
    """Why a tensor is no block of numbers in memory, and what to give instead."""
    kind = type(value)
    if torch.nn.parameter.is_lazy(value):
        return "has no shape yet, for its module is lazy; run the module on a batch once, then it has one"
    if value.is_quantized:
        return "is quantised; keep its int_repr(), scales and zero points as plain tensors"
    if value.is_nested:
        parts = "its .values() and .offsets()" if value.layout == torch.jagged else "each of its .unbind()"
        return f"is nested, of rows of several lengths; keep {parts} as plain tensors"
    if value.layout != torch.strided:
        return f"is {str(value.layout).removeprefix('torch.')}; give it as .to_dense(){_SPARSE.get(value.layout, '')}"
    if kind not in (torch.Tensor, torch.nn.Parameter, torch.nn.Buffer):
        return f"is {words_of(value)}; {_SUBCLASSES.get(kind.__name__, _OF_A_SUBCLASS)}"
    if value.device.type == "meta":
        return "has no data to keep (device meta); load_version(REV, into=module.to_empty(device='cpu')) gives it some"
    if value.dtype not in _NAMES:
        dtype = str(value.dtype).removeprefix("torch.")
        return f"has dtype {dtype}, which is no kind of number; give it .view(torch.uint8)"
    return None


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
