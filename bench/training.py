"""The trainer beside a bare torch loop of the same mathematics, and beside Accelerate and Lightning Fabric in it.

All loops train copies of one net on the same batches by the same fused AdamW, judge held-out examples after each epoch
and keep the best parameters; they take turns, one thread each. A round gives each loop's CPU time by that of the bare
loop in the same round; what is told are medians over the rounds.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lepton_ai import ModelManager
from lepton_ai.building.examples import TensorExamples, batches
from lepton_ai.building.objective import binary
from lepton_ai.building.plan import TrainingPlan
from lepton_ai.building.state import TrainingState, zero
from lepton_ai.building.trainer import Trainer
from lepton_ai.models import ImageModel, SeriesModel, TableModel

sys.path.append(str(Path(__file__).parents[1] / ".venv" / "peers" / "training"))

ROUNDS = int(os.environ.get("RUNS", "15"))
SECONDS = 0.8
"""That a loop is to take in a round, about."""
EPOCHS, SEED, EVERY = 2, 2026, 60.0
Loop = Callable[[nn.Module, TensorExamples, TensorExamples, TrainingPlan], int]


@dataclass(frozen=True)
class Case:
    """A net and what it learns from."""

    net: nn.Module
    inputs: tuple[Tensor, ...]
    batch: int

    def examples(self, count: int) -> TensorExamples:
        """So many of them, drawn."""
        places = torch.arange(count) % len(self.inputs[0])
        return TensorExamples(tuple(part[places] for part in self.inputs), places % 2)


def table(batch: int, **chosen: Any) -> Case:
    """A net over 24 numbers and 4 categories."""
    draws = np.random.default_rng(SEED)
    rows: dict[str, Any] = {f"n{n}": draws.normal(size=2048) for n in range(24)}
    rows |= {f"c{n}": draws.choice(["a", "b", "c", "d"], 2048) for n in range(4)}
    model = trained(TableModel(), rows, chosen)
    from lepton_ai.datasets.tables import read_table

    return Case(model.module.net, model.module.examples(read_table(rows), None).inputs, batch)


def array(model: Any, shape: tuple[int, ...], batch: int, **chosen: Any) -> Case:
    """A net over arrays."""
    values = np.random.default_rng(SEED).normal(size=(512, *shape)).astype(np.float32)
    net = trained(model, values[:8], chosen).module.net
    channels_first = values if isinstance(model, ImageModel) else values.transpose(0, 2, 1).copy()
    return Case(net, (torch.from_numpy(channels_first),), batch)


def trained(model: Any, data: Any, chosen: dict[str, Any]) -> Any:
    """A model of its family's shape."""
    for name, value in ({"epochs": 1, "device": "cpu"} | chosen).items():
        model.add_hyperparameter(name, value)
    rows = len(next(iter(data.values()))) if isinstance(data, dict) else len(data)
    return model.train(data, np.arange(rows) % 2)


CASES: dict[str, Callable[[], Case]] = {
    "TableModel, mlp": lambda: table(128, family="mlp", width=128),
    "TableModel, tabm": lambda: table(128, family="tabm"),
    "TableModel, ft-transformer": lambda: table(32, family="ft-transformer", width=64),
    "ImageModel, cnn, 24 × 24": lambda: array(ImageModel(), (3, 24, 24), 32, family="cnn"),
    "SeriesModel, tcn, 48 steps": lambda: array(SeriesModel(), (48, 4), 16, family="tcn"),
}


def bare(net: nn.Module, learn: TensorExamples, held: TensorExamples, plan: TrainingPlan) -> int:
    """A loop as one writes it by hand."""
    return looped(net, optimiser(net), learn, held, plan, lambda lost: lost.backward(), nn.utils.clip_grad_norm_)


def accelerated(net: nn.Module, learn: TensorExamples, held: TensorExamples, plan: TrainingPlan) -> int:
    """The same loop with Accelerate."""
    from accelerate import Accelerator

    peer = Accelerator(cpu=True)
    net, optimised = peer.prepare(net, optimiser(net))
    return looped(net, optimised, learn, held, plan, peer.backward, peer.clip_grad_norm_)


def fabricated(net: nn.Module, learn: TensorExamples, held: TensorExamples, plan: TrainingPlan) -> int:
    """The same loop with Lightning Fabric."""
    from lightning_fabric import Fabric

    peer = Fabric(accelerator="cpu", devices=1)
    net, optimised = peer.setup(net, optimiser(net))
    return looped(
        net, optimised, learn, held, plan, peer.backward,
        lambda _, most: peer.clip_gradients(net, optimised, max_norm=most, error_if_nonfinite=False),
    )  # fmt: skip


def looped(
    net: nn.Module, optimised: Any, learn: TensorExamples, held: TensorExamples, plan: TrainingPlan,
    backward: Callable[[Tensor], Any], clip: Callable[[Any, float], Any],
) -> int:  # fmt: skip
    """Learn; the steps that it took."""
    best, least, steps = None, float("inf"), 0
    for _ in range(plan.epochs):
        net.train()
        total = torch.zeros((), dtype=torch.float64)
        for places in batches(torch.randperm(len(learn)), plan.batch_size):
            optimised.zero_grad()
            lost = odds(net, learn, places)
            backward(lost / len(places))
            clip(net.parameters(), plan.clip or 1.0)
            optimised.step()
            total += lost.detach()
            steps += 1
        net.eval()
        with torch.no_grad():
            judged = sum(
                float(odds(net, held, places)) for places in torch.arange(len(held)).split(4 * plan.batch_size)
            )
        if judged < least:
            least, best = judged, {name: value.clone() for name, value in net.state_dict().items()}
        float(total)
    assert best is not None
    net.load_state_dict(best)
    return steps


def odds(net: nn.Module, examples: TensorExamples, places: Tensor) -> Tensor:
    """The sum of some examples' losses."""
    outputs = net(*(part[places] for part in examples.inputs))
    truth = examples.targets[places].to(outputs.dtype)
    if outputs.ndim > 1:
        truth = truth[:, None].expand_as(outputs)
    each = nn.functional.binary_cross_entropy_with_logits(outputs, truth, reduction="none")
    return (each if outputs.ndim == 1 else each.mean(dim=1)).sum()


def optimiser(net: nn.Module) -> torch.optim.AdamW:
    """As the trainer has it."""
    return Trainer(TrainingPlan(device="cpu"))._optimiser(net)


class Asked:
    """A progress that is asked after each step and keeps nothing yet, as a job's is between two checkpoints."""

    def begun(self) -> None:
        """Nothing came before."""

    def reached(self, step: int, capture: Callable[[], Any]) -> None:
        """Look at the clock."""
        if step < 0 or time.monotonic() < 0:
            capture()


def ours(net: nn.Module, learn: TensorExamples, held: TensorExamples, plan: TrainingPlan) -> int:
    """Lepton's trainer, as a job runs it."""
    return Trainer(plan, progress=Asked()).fit(net, learn, held, binary()).steps


LOOPS: dict[str, Loop] = {"bare": bare, "ours": ours, "accelerate": accelerated, "fabric": fabricated}


def measured(name: str) -> dict[str, Any]:
    """A step of the bare loop in ms, the others' times by its, and what logging and checkpoints take, in ms."""
    torch.set_num_threads(1)
    case = CASES[name]()
    learn, held = case.examples(4 * case.batch), case.examples(case.batch)
    taken(bare, case, learn, held)
    a_step = taken(bare, case, learn, held)[1]
    learn = case.examples(max(4, round(SECONDS / EPOCHS / a_step)) * case.batch)
    for loop in LOOPS.values():
        taken(loop, case, case.examples(2 * case.batch), held)
    rounds = [{loop: taken(run, case, learn, held) for loop, run in LOOPS.items()} for _ in range(ROUNDS)]
    return {
        "step": 1e3 * statistics.median(each["bare"][0] for each in rounds),
        **{loop: statistics.median(each[loop][1] / each["bare"][1] for each in rounds) for loop in LOOPS},
        "log": 1e3 * logged(),
        "checkpoint": 1e3 * kept(case.net),
    }


def taken(loop: Loop, case: Case, learn: TensorExamples, held: TensorExamples) -> tuple[float, float]:
    """Seconds a step, wall and CPU."""
    net, plan = copy.deepcopy(case.net), TrainingPlan(device="cpu", epochs=EPOCHS, batch_size=case.batch, seed=SEED)
    wall, cpu = time.perf_counter(), time.process_time()
    steps = loop(net, learn, held, plan)
    return (time.perf_counter() - wall) / steps, (time.process_time() - cpu) / steps


def logged() -> float:
    """Seconds of CPU that a step's three figures take in `run.log`, in a ledger of their own."""
    with tempfile.TemporaryDirectory() as home, ModelManager(home).run("net") as run:
        begin = time.process_time()
        for step in range(2_000):
            run.log({"loss": 0.5, "held_out_loss": 0.6, "accuracy": 0.7}, step=step)
        return (time.process_time() - begin) / 2_000


def kept(net: nn.Module) -> float:
    """Seconds of CPU that the state of a training takes to be captured and written."""
    from safetensors.torch import save

    optimised, off = optimiser(net), torch.amp.GradScaler("cpu", enabled=False)
    for parameter in net.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimised.step()
    state = TrainingState(net, optimised, off, net.state_dict(), zero(torch.device("cpu")))
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(2):  # the first imports
            begin = time.process_time()
            (Path(folder) / "state.safetensors").write_bytes(save(state.capture(state.loss)))
    return time.process_time() - begin


def main() -> None:
    """Print the table, or measure one case in this process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", nargs="?", choices=[*CASES])
    if (chosen := parser.parse_args().case) is not None:
        print(json.dumps(measured(chosen)))
        return
    print(
        "| one step | bare loop, ms | Lepton's trainer | Accelerate | Lightning Fabric "
        f"| three metrics logged each step | a checkpoint every {EVERY:.0f} s |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        sep="\n",
    )
    for name in CASES:
        done = subprocess.run((sys.executable, __file__, name), capture_output=True, text=True, check=True)
        told = json.loads(done.stdout.splitlines()[-1])
        over = " | ".join(f"{100 * (told[loop] - 1):+.1f} %" for loop in ("ours", "accelerate", "fabric"))
        log, checkpoint = told["log"] / told["step"], told["checkpoint"] / (1e3 * EVERY)
        print(f"| {name} | {told['step']:.2f} | {over} | {100 * log:+.2f} % | {100 * checkpoint:+.3f} % |", flush=True)
    print(f"\nCPU by that of the bare loop in the same round, one thread, medians of {ROUNDS}; a step is wall time.")


if __name__ == "__main__":
    main()
