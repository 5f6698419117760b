"""A module under what trains it: compiled, in parallel or averaged, it is kept as the module that was wrapped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

_WRAPPERS: Final = {
    ("torch._dynamo.eval_frame", "OptimizedModule"): "_orig_mod",
    ("torch.nn.parallel.data_parallel", "DataParallel"): "module",
    ("torch.nn.parallel.distributed", "DistributedDataParallel"): "module",
    ("torch.distributed.fsdp.fully_sharded_data_parallel", "FullyShardedDataParallel"): "_fsdp_wrapped_module",
    ("torch.optim.swa_utils", "AveragedModel"): "module",
    ("lightning.fabric.wrappers", "_FabricModule"): "_original_module",
    ("lightning_fabric.wrappers", "_FabricModule"): "_original_module",
}
"""The child that each wraps, by where its class is defined: so a module of one's own called `module` is none."""

_OF_WRAPPERS: Final = {"n_averaged", "_forward_module"}
"""What a wrapper has beside that child: the count of an average, which is no parameter, and the same child again."""


def unwrapped(module: Any) -> Any:
    """The module itself; anything that is no wrapper as it is."""
    while (child := _wrapped(module)) is not None:
        module = _children(module)[child]
    return module


def followed(source: Any) -> bool:
    """Whether an object can be told apart by identity for as long as it lives."""
    return not isinstance(source, Mapping) and hasattr(source, "__weakref__")


def bare_names(module: Any, names: Iterable[str]) -> dict[str, str]:
    """Names of a module's state by what they are in the modules that are wrapped, its own and its parts.

    What belongs to a wrapper alone has none there. Where two would have one name all stay as they are.
    """
    names = list(names)
    if not any(_wrapped(each) for each in module.modules()):
        return {name: name for name in names}
    known = {name: bare for name in names if (bare := _bare(module, name)) is not None}
    return known if len({*known.values()}) == len(known) else {name: name for name in names}


def part(module: Any, path: str) -> Any:
    """The part of a module at a path as `bare_names` has it, else as the wrappers name it themselves.

    Where a path is of both kinds, it is the first that has extra state: for that is what parts are asked.
    """
    found = [each for bare in (True, False) if (each := _at(module, path, bare=bare)) is not None]
    if not found:
        raise KeyError(path)
    return next(filter(_has_extra_state, found), found[0])


def _at(module: Any, path: str, *, bare: bool) -> Any:
    for word in path.split(".") if path else ():
        module = _children(unwrapped(module) if bare else module).get(word)
    return unwrapped(module)


def _has_extra_state(module: Any) -> bool:
    from torch.nn import Module

    return type(module).get_extra_state is not Module.get_extra_state


def _bare(module: Any, name: str) -> str | None:
    words: list[str] = []
    for word in name.split("."):
        while (child := _wrapped(module)) is not None and word not in (child, *_OF_WRAPPERS):
            module = _children(module)[child]  # its state is told under the names of what it wraps
        if child is None:
            words.append(word)
        elif word != child:
            return None
        module = _children(module).get(word)
    return ".".join(words)


def _wrapped(module: Any) -> str | None:
    """The name of the child that a module wraps, None where it is no wrapper, or has more of its own."""
    for kind in type(module).__mro__:
        if (child := _WRAPPERS.get((kind.__module__, kind.__qualname__))) is not None:
            held = _held(module)
            own: set[str] = {*held["_parameters"], *held["_buffers"], *held["_modules"]} - {child, *_OF_WRAPPERS}
            return None if own or child not in held["_modules"] else child
    return None


def _children(module: Any) -> Mapping[str, Any]:
    return _held(module).get("_modules", {})


def _held(module: Any) -> dict[str, Any]:
    """What a module holds, past what its class makes of asking for it."""
    return cast("dict[str, Any]", getattr(module, "__dict__", {}))
