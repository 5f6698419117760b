"""Law 2 where torch meets the manifest: every tensor comes back bit for bit."""

from __future__ import annotations

import copy
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lepton_ai.errors import Malformed, Refused
from lepton_ai.models.places import fill
from lepton_ai.models.state import tensors_of, to_numpy, to_torch
from lepton_ai.tensors.tensor import KINDS

from ..examples import examples

pytestmark = pytest.mark.filterwarnings("ignore:.*support is experimental:UserWarning")

DTYPES = {name: getattr(torch, name) for name in KINDS if hasattr(torch, name)}
NO_NUMPY = {"complex32", "bcomplex32", "float4_e2m1fn_x2"}
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)


def patterned(dtype: torch.dtype, shape: tuple[int, ...], seed: int) -> torch.Tensor:
    """A tensor of random bits: NaN payloads, −0.0, subnormals and booleans that are neither 0 nor 1 among them."""
    made = torch.empty(shape, dtype=dtype)
    if made.numel():
        bits = torch.randint(0, 256, (made.nbytes,), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))
        made.reshape(-1).view(torch.uint8).copy_(bits)
    return made


def bits(value: torch.Tensor) -> bytes:
    return bytes(tensors_of({"x": value})["x"].raw())


def test_every_dtype_of_the_manifest_is_one_of_torch() -> None:
    assert set(DTYPES) == set(KINDS)


@settings(max_examples=examples(150), deadline=None)
@given(st.sampled_from(sorted(DTYPES)), SHAPES, st.integers(0, 2**32))
def test_a_tensor_goes_to_bytes_and_back_bit_for_bit(name: str, shape: tuple[int, ...], seed: int) -> None:
    value = patterned(DTYPES[name], shape, seed)
    kept = tensors_of({"x": value})["x"]

    back = to_torch(kept)

    assert (kept.dtype, kept.shape, kept.nbytes) == (name, shape, value.nbytes)
    assert kept.raw().dtype == np.uint8
    assert kept.raw().shape == (value.nbytes,)
    assert (back.dtype, tuple(back.shape)) == (value.dtype, shape)
    assert bytes(kept.raw()) == bits(back)


@settings(max_examples=examples(100), deadline=None)
@given(st.sampled_from(sorted(set(DTYPES) - NO_NUMPY)), SHAPES, st.integers(0, 2**32))
def test_a_tensor_goes_to_numpy_and_back_bit_for_bit(name: str, shape: tuple[int, ...], seed: int) -> None:
    kept = tensors_of({"x": patterned(DTYPES[name], shape, seed)})["x"]

    array = to_numpy(kept)
    again = tensors_of({"x": array})["x"]

    assert (again.dtype, again.shape, bytes(again.raw())) == (name, shape, bytes(kept.raw()))
    assert array.flags.owndata or array.base is not None
    assert array.shape == shape


@pytest.mark.parametrize("name", sorted(NO_NUMPY))
def test_a_dtype_that_numpy_lacks_is_refused_with_the_way_out(name: str) -> None:
    with pytest.raises(Refused, match="load_tensors"):
        to_numpy(tensors_of({"x": patterned(DTYPES[name], (2,), 0)})["x"])


@settings(max_examples=examples(100), deadline=None)
@given(
    st.sampled_from(sorted(DTYPES)), st.integers(0, 2**32), st.sampled_from(["transpose", "step", "expand", "offset"])
)
def test_a_tensor_that_is_not_contiguous_is_read_in_row_major_order(name: str, seed: int, kind: str) -> None:
    whole = patterned(DTYPES[name], (4, 6), seed)
    size = whole.element_size()
    rows = np.frombuffer(bits(whole), dtype=np.uint8).reshape(4, 6, size)
    view, expected = {
        "transpose": (whole.t(), rows.transpose(1, 0, 2)),
        "step": (whole[::2, 1::3], rows[::2, 1::3]),
        "expand": (whole[:, :1].expand(4, 5), np.broadcast_to(rows[:, :1], (4, 5, size))),
        "offset": (whole[2:], rows[2:]),
    }[kind]

    kept = tensors_of({"x": view})["x"]

    assert bytes(kept.raw()) == np.ascontiguousarray(expected).tobytes()
    assert kept.live is (kind == "offset")


@pytest.mark.parametrize("dtype", [torch.complex32, torch.complex64, torch.complex128])
def test_lazy_conjugates_and_negatives_are_kept_as_they_read(dtype: torch.dtype) -> None:
    value = torch.complex(torch.tensor([1.0, -2.0]), torch.tensor([3.0, 0.0])).to(dtype)

    assert bits(value.conj()) == bits(value.conj().resolve_conj().clone())
    assert bits(value.conj()) != bits(value)
    assert not tensors_of({"x": value.conj()})["x"].live
    if dtype != torch.complex32:
        negative = value.conj().imag
        assert negative.is_neg()
        assert bits(negative) == bits(negative.resolve_neg())


def test_contiguous_memory_is_seen_live_and_a_restored_tensor_owns_its_own() -> None:
    value = torch.zeros(3)
    kept = tensors_of({"x": value})["x"]
    restored = to_torch(kept)

    kept.raw()[:4] = np.frombuffer(np.float32(7).tobytes(), np.uint8)

    assert value.tolist() == [7.0, 0.0, 0.0]
    assert restored.tolist() == [0.0, 0.0, 0.0]


def test_nothing_of_autograd_stands_in_the_way() -> None:
    leaf = torch.ones(2, requires_grad=True)

    assert bits(leaf * 2) == bits(torch.tensor([2.0, 2.0]))


class Tied(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inside = torch.nn.Embedding(5, 3)
        self.outside = torch.nn.Linear(3, 5, bias=False)
        self.outside.weight = self.inside.weight
        self.register_buffer("step", torch.tensor(3))
        self.register_buffer("scratch", torch.zeros(2), persistent=False)


def test_tied_weights_are_one_object_and_a_mere_overlap_is_not() -> None:
    kept = tensors_of(Tied())
    whole = torch.arange(6.0)
    some = tensors_of({"all": whole, "again": whole.view(6), "front": whole[:3], "square": whole.view(2, 3)})

    assert set(kept) == {"inside.weight", "outside.weight", "step"}
    assert kept["inside.weight"] is kept["outside.weight"]
    assert some["all"] is some["again"]
    assert len({id(tensor) for tensor in some.values()}) == 3


def test_the_same_array_under_two_names_is_one_object_and_two_scalars_are_not() -> None:
    array = np.arange(4.0)
    kept = tensors_of({"a": array, "b": array, "c": array.copy(), "s": np.float32(1), "t": np.float32(2)})

    assert kept["a"] is kept["b"]
    assert kept["a"] is not kept["c"]
    assert [to_numpy(kept[name]).item() for name in "st"] == [1.0, 2.0]


def test_a_big_endian_array_is_kept_as_its_numbers() -> None:
    assert to_numpy(tensors_of({"x": np.array([1.5, 2.5], ">f4")})["x"]).tolist() == [1.5, 2.5]


@settings(max_examples=examples(30), deadline=None)
@given(st.integers(0, 2**32))
def test_filling_a_module_gives_it_exactly_the_other_ones_bits(seed: int) -> None:
    source, target = Tied(), Tied()
    with torch.no_grad():
        source.inside.weight.copy_(patterned(torch.float32, (5, 3), seed))
    rng, place = torch.random.get_rng_state(), target.inside.weight.data_ptr()

    fill(target, tensors_of(source))

    assert {name: bits(value) for name, value in target.state_dict().items()} == {
        name: bits(value) for name, value in source.state_dict().items()
    }
    assert target.inside.weight.data_ptr() == place == target.outside.weight.data_ptr()
    assert torch.equal(torch.random.get_rng_state(), rng)


@pytest.mark.parametrize("name", sorted(DTYPES))
def test_a_buffer_of_any_dtype_is_filled_even_where_it_is_not_contiguous(name: str) -> None:
    source, target = torch.nn.Module(), torch.nn.Module()
    source.register_buffer("x", patterned(DTYPES[name], (3, 4), 1))
    target.register_buffer("x", patterned(DTYPES[name], (4, 3), 2).t())

    fill(target, tensors_of(source))

    assert bits(target.x) == bits(source.x)
    assert not target.x.is_contiguous()


def test_autograd_notices_that_a_parameter_was_filled() -> None:
    module = torch.nn.Linear(2, 2)
    loss = (module(torch.ones(1, 2, requires_grad=True)) ** 2).sum()

    fill(module, tensors_of(torch.nn.Linear(2, 2)))

    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def _linear(**changes: object) -> dict[str, object]:
    tensors: dict[str, object] = {"weight": torch.zeros(2, 3), "bias": torch.zeros(2)}
    return {name: value for name, value in (tensors | changes).items() if value is not None}


@pytest.mark.parametrize(
    ("tensors", "fault"),
    [
        (_linear(bias=None), "missing 'bias'"),
        (_linear(extra=torch.zeros(1)), "unexpected 'extra'"),
        (_linear(bias=torch.zeros(3)), r"'bias' is float32\[2\] here, float32\[3\] there"),
        (_linear(bias=torch.zeros(2, dtype=torch.float64)), r"'bias' is float32\[2\] here, float64\[2\] there"),
        (_linear(bias=None, wait=torch.zeros(2)), "missing 'bias'; unexpected 'wait'"),
    ],
)
def test_a_misfit_is_named_and_nothing_is_written(tensors: dict[str, object], fault: str) -> None:
    module = torch.nn.Linear(3, 2)
    before = copy.deepcopy(module.state_dict())

    with pytest.raises(Malformed, match=f"{fault}; nothing was written"):
        fill(module, tensors_of(tensors))

    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())


def test_names_tied_in_the_module_must_hold_the_same_values() -> None:
    values = {"inside.weight": torch.zeros(5, 3), "outside.weight": torch.ones(5, 3), "step": torch.tensor(0)}

    with pytest.raises(Malformed, match=r"'inside\.weight' and 'outside\.weight': memory is shared here"):
        fill(Tied(), tensors_of(values))


def overlapping(*places: tuple[slice, ...] | slice) -> torch.nn.Module:
    """A module whose buffers a, b, … are places of one piece of memory, which holds 0, 1, 2, …"""
    module, memory = torch.nn.Module(), torch.arange(12.0).reshape(3, 4)
    for name, place in zip("abc", places, strict=False):
        module.register_buffer(name, memory.view(-1)[place] if isinstance(place, slice) else memory[place])
    return module


PARTLY = (slice(0, 6), slice(4, 12))
COLUMNS = ((slice(None), slice(0, 2)), (slice(None), slice(1, 4)))


@pytest.mark.parametrize("places", [PARTLY, COLUMNS], ids=["a run", "columns"])
def test_names_that_share_some_memory_must_agree_on_it(places: tuple[slice, ...]) -> None:
    module, fitting = overlapping(*places), overlapping(*places)
    before = bits(module.a)
    values = {name: torch.ones_like(value) * number for number, (name, value) in enumerate(module.state_dict().items())}

    with pytest.raises(Malformed, match=r"'a' and 'b': memory is shared here.*nothing was written"):
        fill(module, tensors_of(values))
    assert bits(module.a) == before

    with torch.no_grad():
        fitting.a.fill_(7), fitting.b.fill_(7)
    fill(module, tensors_of(fitting))
    assert bits(module.a) == bits(fitting.a)
    assert bits(module.b) == bits(fitting.b)


def test_names_that_lie_between_each_other_share_nothing() -> None:
    module = overlapping((slice(None), slice(0, 2)), (slice(None), slice(2, 4)))

    fill(module, tensors_of({"a": torch.ones(3, 2), "b": torch.zeros(3, 2)}))

    assert module.a.tolist() == [[1, 1]] * 3
    assert module.b.tolist() == [[0, 0]] * 3


def test_a_tensor_that_laps_over_itself_is_not_filled_with_what_it_cannot_hold() -> None:
    module = torch.nn.Module()
    module.register_buffer("x", torch.arange(4.0).as_strided((3, 2), (1, 1)))

    with pytest.raises(Malformed, match="'x': memory is shared here"):
        fill(module, tensors_of({"x": torch.arange(6.0).reshape(3, 2)}))


class MakesUpItsState(torch.nn.Linear):
    def state_dict(self, *args: object, **kwargs: object) -> dict[str, torch.Tensor]:  # type: ignore[override]
        return {name: value.clone() for name, value in super().state_dict(*args, **kwargs).items()}


def test_a_state_that_is_not_the_modules_memory_is_not_written_to_in_vain() -> None:
    with pytest.raises(Malformed, match="makes up its state 'weight'"):
        fill(MakesUpItsState(2, 2), tensors_of(torch.nn.Linear(2, 2)))


def test_memory_that_serves_several_elements_is_not_filled() -> None:
    module = torch.nn.Module()
    module.register_buffer("x", torch.zeros(1).expand(3))

    with pytest.raises(Malformed, match="cannot be written in place"):
        fill(module, tensors_of({"x": torch.arange(3.0)}))


def _quantised() -> torch.Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)


class Own(torch.Tensor):
    """A tensor of a class of its own."""


def _csr() -> torch.Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.eye(2).to_sparse_csr()


def _nested(layout: torch.layout) -> torch.Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.nested.nested_tensor([torch.ones(2), torch.ones(3)], layout=layout)


def _fake() -> torch.Tensor:
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        return torch.empty(2)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (torch.eye(2).to_sparse(), "tensor 'x' is sparse_coo; give it as .to_dense(), or its .coalesce().indices()"),
        (_csr(), "tensor 'x' is sparse_csr; give it as .to_dense(), or its .crow_indices()"),
        (_nested(torch.strided), "tensor 'x' is nested, of rows of several lengths; keep each of its .unbind()"),
        (_nested(torch.jagged), "tensor 'x' is nested, of rows of several lengths; keep its .values() and .offsets()"),
        (_fake(), "tensor 'x' is a FakeTensor; it has no data"),
        (torch.ones(2).as_subclass(Own), "tensor 'x' is an Own; give plain tensors: its .dequantize() where it packs"),
        (_quantised(), "tensor 'x' is quantised; keep its int_repr"),
        (torch.empty(2, device="meta"), "tensor 'x' has no data"),
        (
            torch.empty(2, dtype=torch.bits8),
            "tensor 'x' has dtype bits8, which is no kind of number; give it .view(torch.uint8)",
        ),
        (torch.nn.UninitializedParameter(), "tensor 'x' has no shape yet, for its module is lazy; run the module on"),
        (torch.nn.UninitializedBuffer(), "tensor 'x' has no shape yet"),
        (np.array(["a"]), "array 'x' has dtype <U1"),
        (np.array([object()]), "array 'x' has dtype object"),
        (np.array([1], "datetime64[s]"), "array 'x' has dtype datetime64"),
        (np.array([1], np.longdouble), "array 'x' has dtype"),
        ([1.0], "'x' is a list, no tensor"),
        (None, "'x' is nothing"),
    ],
)
def test_what_has_no_plain_bytes_is_refused_in_one_sentence(value: object, sentence: str) -> None:
    with pytest.raises(Malformed) as refusal:
        tensors_of({"x": value})

    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_what_is_no_module_is_neither_read_nor_filled() -> None:
    with pytest.raises(Malformed, match=r"nothing \(None\) holds no parameters"):
        tensors_of(None)
    with pytest.raises(Malformed, match="an int holds no parameters"):
        fill(7, tensors_of({"x": torch.ones(1)}))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("name", sorted(DTYPES))
def test_a_tensor_on_the_gpu_is_kept_and_filled_bit_for_bit(name: str) -> None:
    source, target = torch.nn.Module(), torch.nn.Module()
    source.register_buffer("x", patterned(DTYPES[name], (3, 4), 1).cuda())
    target.register_buffer("x", patterned(DTYPES[name], (3, 4), 2).cuda())

    fill(target, tensors_of(source))

    assert bits(target.x) == bits(patterned(DTYPES[name], (3, 4), 1))


def test_a_masked_array_is_no_tensor() -> None:
    with pytest.raises(Malformed, match="array 'w' is masked"):
        tensors_of({"w": np.ma.array([1.0, 2.0], mask=[True, False])})
