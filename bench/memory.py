"""Memory that saving and restoring take: the peak of a fresh process for each, at 100 MB and 3 GiB."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch

from lepton_ai import ModelManager
from lepton_ai.tensors.threads import WORKERS

SIZES = {"100 MB": 100 * 10**6, "3 GiB": 3 << 30}
TENSORS = 3
STEP = 1e-4


def weights(nbytes: int, seed: int) -> dict[str, torch.Tensor]:
    """Three large tensors in fp32, as a trained model's are distributed."""
    generator = torch.Generator().manual_seed(seed)
    size = nbytes // TENSORS // 4
    return {f"layer{i}.weight": torch.randn(size, generator=generator).mul_(0.02) for i in range(TENSORS)}


class Weights(torch.nn.Module):
    """The same as a module, which is remembered as what it was loaded from."""

    def __init__(self, tensors: dict[str, torch.Tensor]) -> None:
        super().__init__()
        for name, tensor in tensors.items():
            self.register_buffer(name.replace(".", "_"), tensor)


def step(net: torch.nn.Module) -> None:
    """Move every element a little, in place."""
    for number, tensor in enumerate(net.buffers()):
        for piece in tensor.split(1 << 20):
            piece.add_(torch.randn(len(piece), generator=torch.Generator().manual_seed(number)), alpha=STEP)


def fill(home: str, nbytes: int) -> None:
    """Two versions, the second a delta of all elements."""
    manager, net = ModelManager(home), Weights(weights(nbytes, 0))
    manager.save_version(net, name="net")
    step(net)
    manager.save_version(net, name="net")


def loaded(manager: ModelManager, nbytes: int, version: int) -> torch.nn.Module:
    """The module on a version, as a process that goes on with it has it."""
    net = Weights(weights(nbytes, 7))
    manager.load_version(f"net@{version}", into=net)
    return net


def save_delta(manager: ModelManager, nbytes: int) -> Callable[[], object]:
    net = loaded(manager, nbytes, 2)
    step(net)
    return lambda: manager.save_version(net, name="net")


def save_whole(manager: ModelManager, nbytes: int) -> Callable[[], object]:
    tensors = weights(nbytes, 9)
    return lambda: manager.save_version(tensors, name="whole")


def load_tensors(manager: ModelManager, nbytes: int) -> Callable[[], object]:  # noqa: ARG001
    return lambda: manager.load_tensors("net@2")


def load_into(manager: ModelManager, nbytes: int) -> Callable[[], object]:
    net = Weights(weights(nbytes, 7))
    return lambda: manager.load_version("net@2", into=net)


def load_into_mapping(manager: ModelManager, nbytes: int) -> Callable[[], object]:
    tensors = {name.replace(".", "_"): tensor for name, tensor in weights(nbytes, 7).items()}
    return lambda: manager.load_version("net@2", into=tensors)


def apply_delta(manager: ModelManager, nbytes: int) -> Callable[[], object]:
    net = loaded(manager, nbytes, 2)

    def act() -> None:
        assert manager.apply("net@1", net)

    return act


def apply_whole(manager: ModelManager, nbytes: int) -> Callable[[], object]:
    net = loaded(manager, nbytes, 2)
    next(net.buffers())[0] += 1

    def act() -> None:
        assert not manager.apply("net@1", net)

    return act


ACTS = {
    "load_tensors": (load_tensors, 1),
    "load_version(into=a module)": (load_into, 0),
    "load_version(into=a mapping)": (load_into_mapping, 0),
    "apply, by a delta of all elements": (apply_delta, 0),
    "apply, whole": (apply_whole, 0),
    "save_version, a delta of all elements": (save_delta, 0),
    "save_version, whole": (save_whole, 0),
}
"""Each act, and the copies of the model that it has to hand out."""


def resident(field: str) -> int:
    """Bytes of this process's memory, now (`VmRSS`) or at most (`VmHWM`)."""
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found.group(1)) * 1024


def measure(act: str, home: str, nbytes: int) -> int:
    """Bytes that the act took at most, above what was there before it."""
    manager = ModelManager(home)
    manager.load_tensors("net@1", names=[])  # what is imported once is no part of it
    ready = ACTS[act][0](manager, nbytes)
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here on
    before = resident("VmRSS")
    ready()
    return resident("VmHWM") - before


def fresh(*arguments: object) -> int:
    """What a process of its own answers."""
    command = [sys.executable, __file__, *map(str, arguments)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout or "0")


def rows(sizes: dict[str, int]) -> str:
    """A Markdown table: act, peak above the model for each size, and whether it is within the promise."""
    most = WORKERS * 64
    lines = [
        f"The promise is what is handed out and 64 MB a thread, {most} MB here.",
        "",
        "| MB at most, above the model that was there and what is handed out | " + " | ".join(sizes) + " |",
        "| --- |" + " --- |" * len(sizes),
    ]
    taken: dict[str, list[str]] = {act: [] for act in ACTS}
    for nbytes in sizes.values():
        with tempfile.TemporaryDirectory() as folder:
            fresh("fill", folder, nbytes)
            for act, (_, copies) in ACTS.items():
                taken[act].append(f"{(fresh(act, folder, nbytes) - copies * nbytes) / 1e6:.0f}")
    lines += [f"| {act} | {' | '.join(figures)} |" for act, figures in taken.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["fill", home, nbytes]:
            fill(home, int(nbytes))
        case [act, home, nbytes]:
            print(measure(act, home, int(nbytes)))
        case chosen:
            print(rows({name: size for name, size in SIZES.items() if not chosen or name in chosen}))
