"""The state of a torch optimizer as one file beside parameters: safetensors, with what is no tensor as JSON in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, Final, cast

from ..errors import Malformed, Refused, UnknownRevision
from ..plain import words_of

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer

    from ..tensors.tensor import Array

FILE: Final = "optimizer.safetensors"
"""What it is called among the files of a version."""
_SKELETON: Final = "state"
_OF_SCHEDULERS: Final = ("swa_lr", "max_lr", "min_lr", "base_momentum", "max_momentum")
"""What torch's schedulers note in groups, beside what begins with `initial_`."""
_PLAIN: Final = (str, int, float, bool, type(None))


def written(optimizer: Any) -> bytes:
    """An optimizer's `state_dict()`, its tensors to the last bit.

    Raises `Malformed` for what is no optimizer, and for state that is neither tensors nor plain values.
    """
    import torch
    from safetensors.torch import save

    if not isinstance(optimizer, torch.optim.Optimizer):
        raise Malformed(f"the optimizer is {words_of(optimizer)}; give one of torch.optim")
    tensors: dict[str, Tensor] = {}
    skeleton = _taken_apart(optimizer.state_dict(), "", tensors)
    return save(tensors, {_SKELETON: json.dumps(skeleton)})


def as_tensor(optimizer: Any) -> dict[str, Array]:
    """The same as one tensor of bytes, by its name, which is kept among those of a checkpoint."""
    import numpy as np

    from ..tensors.tensor import Array

    return {FILE: Array.from_numpy(np.frombuffer(written(optimizer), np.uint8))}


def fill(optimizer: Optimizer, files: Mapping[str, bytes], what: str) -> None:
    """Put an optimizer into the state that is kept among the files of a version; `what` is that version in words.

    Raises as `fitting` does; then the optimizer is as it was.
    """
    state = fitting(optimizer, files, what)
    optimizer.load_state_dict(state)


def fitting(optimizer: Optimizer, files: Mapping[str, bytes], what: str) -> dict[str, Any]:
    """The state that is kept among the files of a version, for an optimizer that it fits.

    Raises `UnknownRevision` where none is kept, `Malformed` for what is no optimizer, `Refused` where the state is of
    another sort of optimizer or of other parameters.
    """
    import torch

    if not isinstance(optimizer, torch.optim.Optimizer):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise Malformed(f"the optimizer is {words_of(optimizer)}; give one of torch.optim")
    if FILE not in files:
        raise UnknownRevision(f"{what} has no optimizer's state", python="it is kept where a save is given optimizer=")
    state = _read(files[FILE])
    groups, own = state["param_groups"], optimizer.state_dict()["param_groups"]
    sizes, needed = ([len(group["params"]) for group in each] for each in (groups, own))
    if sizes != needed:
        raise Refused(
            f"the optimizer's state of {what} is of {sum(sizes)} parameters in {len(sizes)} groups, and this one has "
            f"{sum(needed)} in {len(needed)}; make it as it was made then"
        )
    if any(_of_another_sort(kept, here) for kept, here in zip(groups, own, strict=True)):
        sort = type(optimizer).__name__
        raise Refused(f"the optimizer's state of {what} is of another sort than {sort}; make it as it was made then")
    if (odd := _misfit(optimizer, state)) is not None:
        raise Refused(
            f"the optimizer's state of {what} does not fit parameter {odd}, which has another shape; give the "
            "parameters of then, in their order"
        )
    return state


def _of_another_sort(kept: Mapping[str, Any], here: Mapping[str, Any]) -> bool:
    """Whether a group was set by another class of optimizer: each has settings that the other lacks.

    A later torch adds settings to a class, and schedulers add their own.
    """
    settled = {name for name in kept if not name.startswith("initial_") and name not in _OF_SCHEDULERS}
    return bool(settled - here.keys()) and bool(here.keys() - kept.keys())


def _misfit(optimizer: Optimizer, state: Mapping[str, Any]) -> int | None:
    """The first parameter, counted from 0, that torch's own optimizers could not go on with; None where all fit.

    They keep tensors of a parameter's own shape, or with dimensions of one; LBFGS those of all parameters in one.
    """
    import torch

    if not type(optimizer).__module__.startswith("torch.optim") or isinstance(optimizer, torch.optim.LBFGS):
        return None
    parameters = [each for group in optimizer.param_groups for each in group["params"]]
    places = [place for group in state["param_groups"] for place in group["params"]]
    for number, (parameter, place) in enumerate(zip(parameters, places, strict=True)):
        held = cast("Mapping[str, Any]", state["state"].get(place, {}))
        tensors = (each for each in held.values() if isinstance(each, torch.Tensor) and each.dim())
        if not all(_is_of(each.shape, parameter.shape) for each in tensors):
            return number
    return None


def _is_of(shape: Sequence[int], parameter: Sequence[int]) -> bool:
    return len(shape) == len(parameter) and all(one in (1, other) for one, other in zip(shape, parameter, strict=True))


def _read(content: bytes) -> dict[str, Any]:
    from safetensors.torch import load

    size = int.from_bytes(content[:8], "little")
    skeleton = json.loads(content[8 : 8 + size])["__metadata__"][_SKELETON]
    return _put_together(json.loads(skeleton), load(content))


def _taken_apart(value: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    """A value as JSON, with its tensors by their path in a mapping of their own."""
    import torch

    if isinstance(value, torch.Tensor):
        if path in tensors:  # keys that are the same text
            path = next(each for number in count(2) if (each := f"{path}#{number}") not in tensors)
        tensors[path] = value.detach().cpu().contiguous().clone()
        return {"tensor": path}
    if isinstance(value, Mapping):
        pairs = cast("Mapping[Any, Any]", value).items()
        return {"mapping": [[key, _taken_apart(each, f"{path}.{key}".lstrip("."), tensors)] for key, each in pairs]}
    if isinstance(value, list | tuple):
        several = cast("Sequence[Any]", value)
        kept = [_taken_apart(each, f"{path}.{place}", tensors) for place, each in enumerate(several)]
        return {"tuple" if isinstance(value, tuple) else "list": kept}
    if isinstance(value, _PLAIN):
        return value
    raise Malformed(
        f"the optimizer's state holds {words_of(value)} at {path}, which cannot be kept", python="leave optimizer= out"
    )


def _put_together(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    match value:
        case {"tensor": path}:
            return tensors[path]
        case {"mapping": pairs}:
            return {key: _put_together(each, tensors) for key, each in pairs}
        case {"list": several}:
            return [_put_together(each, tensors) for each in several]
        case {"tuple": several}:
            return tuple(_put_together(each, tensors) for each in several)
        case _:
            return value
