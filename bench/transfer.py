"""Saving and loading a model of 104 MB: Lepton beside safetensors read, copied and hashed."""

from __future__ import annotations

import hashlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import safetensors.torch
import torch
from torch import nn

from lepton_ai import ModelManager

RUNS = 5


def module(seed: int = 0) -> nn.Module:
    """A transformer of 26 million parameters in fp32."""
    torch.manual_seed(seed)
    layer = nn.TransformerEncoderLayer(512, 8, 2048, batch_first=True)
    return nn.TransformerEncoder(layer, 8, enable_nested_tensor=False)


def step(model: nn.Module, seed: int) -> None:
    """One step of AdamW at 1e-4, so that every element moves a little."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4)
    model(torch.randn(4, 16, 512, generator=torch.Generator().manual_seed(seed))).pow(2).mean().backward()
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)


def median(act: Callable[[int], object]) -> tuple[float, float]:
    """Median wall and CPU seconds of five runs, of which the first is not counted."""
    walls, cpus = [], []
    for run in range(RUNS + 1):
        wall, cpu = time.perf_counter(), time.process_time()
        act(run)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return statistics.median(walls[1:]), statistics.median(cpus[1:])


def rows() -> str:
    """A Markdown table: what, wall and CPU seconds, and the ratio to safetensors."""
    with tempfile.TemporaryDirectory() as folder:
        return _table(Path(folder))


def _table(folder: Path) -> str:
    model, manager = module(), ModelManager(folder / "home")
    path = folder / "model.safetensors"
    megabytes = sum(p.numel() * p.element_size() for p in model.state_dict().values()) / 1e6

    def save_peer(_: int) -> None:
        safetensors.torch.save_file(model.state_dict(), path)
        with path.open("rb") as file:
            os.fsync(file.fileno())
            hashlib.file_digest(file, "sha256")

    def load_peer(_: int) -> None:
        with path.open("rb") as file:
            hashlib.file_digest(file, "sha256")
        model.load_state_dict({n: t.clone() for n, t in safetensors.torch.load_file(path).items()})

    def save_whole(run: int) -> None:
        manager.save_version(module(100 + run), name=f"whole-{run}")

    def load(_: int) -> None:
        manager.load_version("tuned@1", into=model)

    peer_save, peer_load = median(save_peer), median(load_peer)
    built = median(lambda run: module(100 + run))
    whole = median(save_whole)
    manager.save_version(model, name="tuned")
    deltas = []
    for run in range(RUNS + 1):
        step(model, run)
        wall, cpu = time.perf_counter(), time.process_time()
        manager.save_version(model, name="tuned")
        deltas.append((time.perf_counter() - wall, time.process_time() - cpu))
    delta = tuple(statistics.median(each[n] for each in deltas[1:]) for n in (0, 1))
    loaded = median(load)
    applied = median(lambda run: manager.apply("tuned@2" if run % 2 else "tuned@1", model))
    lines = [
        f"| {megabytes:.0f} MB in fp32 | wall s | CPU s | of safetensors |",
        "| --- | --- | --- | --- |",
        f"| safetensors: save, sync and SHA-256 | {peer_save[0]:.2f} | {peer_save[1]:.2f} | 1 |",
        f"| Lepton: save a first version, whole | {whole[0] - built[0]:.2f} | {whole[1] - built[1]:.2f} "
        f"| {(whole[0] - built[0]) / peer_save[0]:.2f} |",
        f"| Lepton: save the next version, as a delta | {delta[0]:.2f} | {delta[1]:.2f} "
        f"| {delta[0] / peer_save[0]:.2f} |",
        f"| safetensors: SHA-256, load and copy | {peer_load[0]:.2f} | {peer_load[1]:.2f} | 1 |",
        f"| Lepton: load a version, verified | {loaded[0]:.2f} | {loaded[1]:.2f} | {loaded[0] / peer_load[0]:.2f} |",
        f"| Lepton: apply one delta in place, verified | {applied[0]:.2f} | {applied[1]:.2f} "
        f"| {applied[0] / peer_load[0]:.2f} |",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(rows())
