"""Forward passes: what a module answers for rows, in batches, on its own device, and left as it was."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from ...datasets.tables import read_table
from ...datasets.values.arrays import is_tensor, plain_array
from ...errors import LeptonError, Malformed, Refused
from ...plain import words_of

ROWS_AT_ONCE: Final = 4096
VALUES_AT_ONCE: Final = 4_194_304
"""Values of one batch at most, whatever its rows: pictures come a few at a time."""
_NAMED: Final = ("logits", "probabilities", "values")
"""What an output of several parts is read by: their names say what they are."""


class Outputs(NamedTuple):
    """What a module answered: an output a row, what these are where they bear a name, and the labels that came along"""

    values: npt.NDArray[np.float64]
    kind: str | None
    labels: npt.NDArray[Any] | None


def outputs_of(module: Any, data: Any) -> Outputs:
    """The outputs of anything with `forward`, one a row, shape (n, ...).

    `data` is an array or a tensor with a row in front, a table of numbers, a list of rows of one shape, or batches as a
    DataLoader gives them: inputs, (inputs, labels), or a mapping of the module's arguments. A torch module is asked in
    eval mode, without gradients and on its own device; modes are as they were afterwards. Numbers are given in its own
    dtype, whole ones as they are where it has an embedding. Raises `Refused` where it raises or answers NaN.
    """
    parts: list[npt.NDArray[np.float64]] = []
    labels: list[npt.NDArray[Any]] = []
    kinds: set[str | None] = set()
    with _asked(module):
        for inputs, own in _batches(data):
            kind, values = _array(module, _answer(module, inputs))
            parts.append(values)
            kinds.add(kind)
            if own is not None:
                labels.append(_plain(own))
    if not parts:
        raise Malformed("the data has no rows to judge; give at least one batch")
    try:
        whole = np.concatenate(parts)
    except ValueError:
        raise Refused(f"{words_of(module)} answers batches with other shapes each; give it rows of one shape") from None
    odd = int((~np.isfinite(whole)).reshape(len(whole), -1).any(axis=1).sum())
    if odd:
        raise Refused(
            f"{words_of(module)} answers NaN or infinity for {odd} of {len(whole)} rows; fill in what is missing before"
        )
    return Outputs(whole, kinds.pop() if len(kinds) == 1 else None, np.concatenate(labels) if labels else None)


def is_module(subject: Any) -> bool:
    """Whether it is a torch module, without importing torch: whoever made one has."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(subject, torch.nn.Module)


@contextmanager
def _asked(module: Any) -> Generator[None]:
    """A torch module in eval mode and without gradients, each of its parts in its own mode afterwards."""
    if not is_module(module):
        yield
        return
    import torch

    modes = {part: part.training for part in module.modules()}
    try:
        module.eval()
        with torch.no_grad():
            yield
    finally:
        for part, training in modes.items():
            part.training = training


def _answer(module: Any, inputs: Any) -> Any:
    call = module if callable(module) else module.forward
    try:
        if isinstance(inputs, Mapping):
            return call(**{name: _given(module, value) for name, value in cast("Any", inputs).items()})
        return call(_given(module, inputs))
    except LeptonError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".partition("\n")[0][:200]
        what = f"{words_of(module)} does not take these rows ({reason})"
        raise Refused(f"{what}; give rows of the shape that it was trained on") from error


def _given(module: Any, value: Any) -> Any:
    """A batch as the module takes it: a tensor on its device, floats of its dtype; as it is where it is no torch."""
    if not is_module(module) or not (is_tensor(value) or isinstance(value, np.ndarray)):
        return value
    import torch

    tensor = cast("Any", value if is_tensor(value) else torch.from_numpy(np.ascontiguousarray(cast("Any", value))))
    own = next((each for each in (*module.parameters(), *module.buffers()) if each.is_floating_point()), None)
    whole = not tensor.is_floating_point()
    if whole and any(isinstance(part, torch.nn.Embedding | torch.nn.EmbeddingBag) for part in module.modules()):
        return tensor.long().to(None if own is None else own.device)
    return tensor.to(torch.get_default_dtype()) if own is None else tensor.to(own.device, own.dtype)


def _batches(data: Any) -> Iterator[tuple[Any, Any]]:
    """Batches of inputs, each beside the labels that came with it."""
    if is_tensor(data) or isinstance(data, np.ndarray):
        yield from ((batch, None) for batch in _cut(data))
    elif isinstance(data, list | tuple) and data:
        yield from ((batch, None) for batch in _cut(_stacked(cast("list[Any]", data))))
    elif _is_table(data):
        yield from ((batch, None) for batch in _cut(_matrix(data)))
    elif isinstance(data, Iterable) and not isinstance(data, str | bytes):
        yield from map(_parted, cast("Iterable[Any]", data))
    else:
        what = f"{words_of(data)} holds no rows that forward could take"
        raise Malformed(f"{what}; give an array, a tensor, a table of numbers or batches")


def _parted(batch: Any) -> tuple[Any, Any]:
    if isinstance(batch, Mapping):
        inputs = dict(cast("Mapping[str, Any]", batch))
        return inputs, inputs.pop("labels", inputs.pop("label", None))
    if not isinstance(batch, list | tuple):
        return batch, None
    if len(pair := [*cast("list[Any]", batch)]) > 2 or not pair:
        raise Malformed(f"a batch has {len(pair)} parts; give inputs, (inputs, labels), or arguments by name")
    return pair[0], pair[1] if len(pair) == 2 else None


def _is_table(data: Any) -> bool:
    columns = hasattr(data, "columns") or hasattr(data, "column_names") or hasattr(data, "__arrow_c_stream__")
    return columns or isinstance(data, Mapping)


def _matrix(data: Any) -> npt.NDArray[np.float64]:
    """The columns of a table side by side, in their order."""
    table = read_table(data)
    for column in table.columns:
        if column.kind in ("category", "array"):
            held = "text; encode it" if column.kind == "category" else "arrays; give them by themselves,"
            raise Malformed(f"forward takes numbers, and column {column.name!r} holds {held} as the module learnt it")
    return np.stack([column.values for column in table.columns], axis=1)


def _stacked(rows: list[Any]) -> Any:
    arrays = [plain_array(row, "a row") if is_tensor(row) else np.asarray(row) for row in rows]
    if len({array.shape for array in arrays}) > 1 or arrays[0].dtype.kind not in "biuf":
        raise Malformed("the rows are no numbers of one shape; pad them, or give them in batches of one shape")
    return np.stack(arrays)


def _cut(rows: Any) -> Iterator[Any]:
    """Rows in batches of a size that memory has room for."""
    if not rows.ndim:
        raise Malformed("one number is no rows; give an array with a row in front")
    each = int(np.prod(rows.shape[1:], dtype=np.int64)) or 1
    step = max(1, min(ROWS_AT_ONCE, VALUES_AT_ONCE // each))
    return (rows[start : start + step] for start in range(0, len(rows), step))


def _array(module: Any, answer: Any) -> tuple[str | None, npt.NDArray[np.float64]]:
    """What the output is where it says so, and its numbers; of a tuple the first part counts, as torch's models do."""
    for name in _NAMED:
        named = cast("Mapping[str, Any]", answer) if isinstance(answer, Mapping) else None
        part: Any = getattr(cast("Any", answer), name, None) if named is None else named.get(name)
        if is_tensor(part) or isinstance(part, np.ndarray):
            return name, _plain(part).astype(np.float64)
    if isinstance(answer, tuple) and answer:
        answer = cast("tuple[Any, ...]", answer)[0]
    try:
        values = _plain(answer).astype(np.float64)
    except (TypeError, ValueError):
        raise Refused(f"{words_of(module)} answers {words_of(answer)}; return numbers, a row in front") from None
    if not values.ndim:
        raise Refused(f"{words_of(module)} answers one number for a batch (a loss?); return an output for each row")
    return None, values


def _plain(values: Any) -> npt.NDArray[Any]:
    return plain_array(values, "the output") if is_tensor(values) else np.asarray(values)
