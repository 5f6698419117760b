"""The past that the kept ledgers have in common, told through the SDK, the intake and real workers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import nn

from lepton_ai import ModelManager
from lepton_ai.models import CreditScoringModel

MAIN = "from lepton_ai.cli import main; main()"
OF_EVERY_SORT = {
    "half": torch.tensor([1.5, -0.0, float("nan")]).to(torch.bfloat16),
    "eighth": torch.arange(5.0).to(torch.float8_e4m3fn),
    "whole": torch.tensor(7),
    "none": torch.zeros(0, 3),
    "rotated": torch.tensor([1 + 2j]),
    "flags": torch.tensor([True, False]),
    "bytes": torch.arange(256).to(torch.uint8),
    "double": torch.tensor([[0.1, -0.0], [float("inf"), 5e-324]], dtype=torch.float64),
}

Tell = Callable[[list[dict[str, Any] | bytes]], None]
"""Has an intake take outside messages in."""


class Tied(nn.Module):
    """A module two of whose names are one tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Linear(6, 6)
        self.decoder = nn.Linear(6, 6)
        self.decoder.weight = self.encoder.weight


def tell(home: Path, folder: Path, take_in: Tell, work: Callable[[], None]) -> None:
    """All of it: models, names, runs, jobs, outside events, and somebody who is forgotten."""
    rows = loans(folder / "loans.csv")
    os.environ["LEPTON_OFFERS_FROM"] = folder.as_uri()
    ada, bob = ModelManager(home, actor="ada"), ModelManager(home, actor="bob")
    with ada, bob:
        credit(ada, bob, rows)
        plain(ada)
        runs(ada, bob)
        finished, cancelled = jobs(ada, folder)
        take_in(outside(folder))
        work()
        assert ada.jobs.show(finished).status == "finished", ada.jobs.show(finished)
        assert {job.status for job in ada.jobs.recent()} == {"finished", "failed", "cancelled", "queued"}
        assert ada.jobs.show(cancelled).status == "cancelled"
        ada.rollback("credit@5", reason="after all")
        assert bob.forget_actor("bob")
        ada.sql("SELECT 1")


def loans(path: Path) -> tuple[dict[str, Any], Any]:
    """Write loans.csv: two numbers, a category with gaps, and `default`; also as columns and labels."""
    chance = np.random.default_rng(7)
    income, debt = chance.normal(size=120).round(3), chance.normal(size=120).round(3)
    kind = chance.choice(["car", "house", ""], 120)
    default = (debt - income + chance.normal(scale=0.3, size=120) > 0).astype(int)
    lines = [f"{a},{b},{c},{d}" for a, b, c, d in zip(income, debt, kind, default, strict=True)]
    path.write_text("\n".join(["income,debt,kind,default", *lines, ""]))
    return {"income": income, "debt": debt, "kind": [text or None for text in kind]}, default


def credit(ada: ModelManager, bob: ModelManager, rows: tuple[dict[str, Any], Any]) -> None:
    """Lepton's credit model: trained, branched, merged, promoted, rolled back and judged."""

    def fit(manager: ModelManager, message: str, branch: str = "main", **chosen: Any) -> None:
        model = CreditScoringModel()
        for name, value in {"epochs": 3, "members": 1, "hidden": [4], **chosen}.items():
            model.add_hyperparameter(name, value)
        manager.train(model, *rows, name="credit", branch=branch, message=message)

    fit(ada, "first fit")
    fit(ada, "lower dropout", dropout_rate=0.1)
    ada.tag("v1.0", "credit@2")
    ada.tag("wrong", "credit@1")
    ada.delete_tag("wrong", model="credit")
    ada.alias("production", "credit@2", reason="good enough")
    ada.branch("risk", "credit@2")
    fit(bob, "faster steps", branch="risk", learning_rate=0.05)
    fit(ada, "全量数据重新训练", epochs=6)
    ada.annotate("credit@4", {"ticket": "RISK-12", "reviewed": True, "score": 0.5})
    ada.annotate("credit@4", {"reviewed": None})
    bob.merge("credit@risk", into="main", message="take the faster steps in")
    bob.alias("production", "credit@5", reason="promoted")
    ada.aliases({"staging": "credit@4", "canary": "credit@5"}, expected={"staging": 0}, reason="trial")
    ada.delete_alias("canary", model="credit")
    fit(ada, "slow steps", learning_rate=0.0001)
    bob.rollback("credit@5", reason="worse in production", rehearse=rows)
    fit(ada, "careful retry", learning_rate=0.02)
    bob.rollback(model="credit", alias="production", reason="alerts")
    ada.rollback("credit@7", reason="a regretted rollback", move_aliases=("staging",))
    ada.evaluate("credit@7", *rows, name="holdout")
    bob.evaluate("credit@2", *rows)
    ada.record_metrics("credit@2", {"ks": 0.41, "psi": 1e300})
    ada.describe("credit", "who pays back")
    bob.describe("credit@7", "bob's last word")
    ada.branch("gone", "credit@1")
    ada.delete_branch("gone", model="credit")


def plain(ada: ModelManager) -> None:
    """Tensors of every sort, a module with tied ones, files beside them, a model that is archived."""
    ada.save_version(OF_EVERY_SORT, name="sorts", message="every sort", files={"notes.txt": "为什么".encode()})
    ada.save_version(OF_EVERY_SORT | {"whole": torch.tensor(8)}, name="sorts", tags=("eight",), metrics={"loss": 0.25})
    torch.manual_seed(7)
    net = Tied()
    for step in range(4):
        with torch.no_grad():
            net.encoder.weight.add_(step / 100)
        ada.save_version(net, name="vision/encoder", hyperparameters={"step": step, "lr": 1e-3})
    ada.branch("side", "vision/encoder@2")
    ada.save_version(Tied(), name="vision/encoder", branch="side", parents=["vision/encoder@2"])
    ada.merge("vision/encoder@side", into="main", strategy="theirs")
    large = {f"layer{n}": np.random.default_rng(n).normal(size=(16, 16)).astype("float32") for n in range(3)}
    ada.save_version(large, name="old")
    ada.save_version(large | {"layer0": large["layer0"] + 1e-3}, name="old")
    ada.archive("old", reason="nobody uses it")
    ada.archive("sorts", reason="by mistake")
    ada.unarchive("sorts", reason="it was a mistake")
    for number in range(90):  # so that the tree has a tile
        ada.annotate("sorts@1", {"looked_at": number})


def runs(ada: ModelManager, bob: ModelManager) -> None:
    """A run that saves and checkpoints, one that fails, one that nobody ends."""
    weights = {"w": np.zeros((4, 4), "float32")}
    with ada.run("net", hyperparameters={"layers": [1, 2]}) as run:
        for step in range(20):
            run.log({"loss": 1 / (step + 1), "accuracy": step / 20}, step=step)
            if step % 8 == 0:
                run.checkpoint({"w": weights["w"] + step}, step=step)
        run.log({"diverged": float("nan"), "worst": float("inf")})
        run.save({"w": weights["w"] + 20}, metrics={"f1": 0.5})
    with suppress(ZeroDivisionError), bob.run("net") as run:
        run.log({"loss": float("-inf")}, step=1)
        raise ZeroDivisionError("bob divided by zero")
    left = bob.run("net").__enter__()
    left.log({"loss": 0.75}, step=2**40)
    left.flush()


def jobs(ada: ModelManager, folder: Path) -> tuple[str, str]:
    """Work asked for: what will be done, what cannot be, what is called off, what nobody takes."""
    data = str(folder / "loans.csv")
    small = {"epochs": 2, "members": 1, "hidden": [4]}
    asked: dict[str, Any] = {"name": "credit", "hyperparameters": small}
    finished = ada.jobs.train("credit-scoring-model", data, "default", message="by a worker", tags=("job",), **asked)
    ada.jobs.evaluate("credit@2", data, "default", name="loans")
    (folder / "gone.csv").write_text((folder / "loans.csv").read_text())
    ada.jobs.train("credit-scoring-model", str(folder / "gone.csv"), "default", retries=0, **asked)
    (folder / "gone.csv").unlink()
    cancelled = ada.jobs.train("credit-scoring-model", data, "default", pool="night", **asked)
    ada.jobs.cancel(cancelled.job, reason="changed my mind")
    ada.jobs.train("credit-scoring-model", data, "default", pool="night", message="nobody works there", **asked)
    return finished.job, cancelled.job


def outside(folder: Path) -> list[dict[str, Any] | bytes]:
    """What other services say: figures, an observation, data, notes, two offers; twice; and what is refused."""
    file = folder / "lab.safetensors"
    file.write_bytes(save({"w": torch.linspace(-1, 1, 30), "b": torch.zeros(3)}))
    offer = {"source": str(file), "digest": f"sha256:{sha256(file.read_bytes()).hexdigest()}", "metrics": {"f1": 0.81}}
    seen = {"model": "credit", "version": 1, "rows": 1200, "metrics": {"latency_ms": 3.5}}
    between = {"since": "2026-01-31T11:00:00Z", "until": "2026-01-31T12:00:00Z"}
    data = {"digest": f"blake3:{'0' * 64}", "rows": 300}
    figures = {"version": 1, "metrics": {"f1": 0.5}}
    told: list[dict[str, Any] | bytes] = [
        _event("1", "metrics.recorded", figures, time="2026-01-31T12:00:00Z", correlationid="c-1"),
        _event("2", "evaluation.recorded", {"version": 1, "data": data, "metrics": {"ks": 0.41}, "name": "backtest"}),
        _event("3", "version.annotated", {"version": 2, "annotations": {"seen_by": "risk"}}),
        _event("4", "observation.recorded", seen | between, subject="endpoint/scoring"),
        _event("5", "dataset.recorded", {"data": data}, subject="dataset/loans"),
        _event("6", "version.offered", offer | {"message": "from the lab"}, subject="model/lab"),
        _event("7", "version.offered", offer | {"digest": f"sha256:{'1' * 64}"}, subject="model/lab"),
        _event("8", "metrics.recorded", figures, source="/people/grace.hopper"),
    ]
    told.append(told[0])
    told.append(_event("1", "metrics.recorded", {"version": 1, "metrics": {"f1": 0.9}}))
    told += [_event("9", "metrics.recorded", {"version": 99, "metrics": {"f1": 1}}), b"no JSON at all", b"{}"]
    return told


def _event(id: str, kind: str, data: dict[str, Any], **changes: Any) -> dict[str, Any]:
    whole = {"specversion": "1.0", "id": id, "source": "/scoring/eu", "type": f"lepton.{kind}.v1"}
    return whole | {"subject": "model/credit", "data": data} | changes


def raw(told: dict[str, Any] | bytes) -> bytes:
    """A message's bytes."""
    return told if isinstance(told, bytes) else json.dumps(told).encode()


def lepton(*words: str, **settings: str) -> subprocess.Popen[bytes]:
    """A process of Lepton's."""
    environment = os.environ | {"PYTHONSAFEPATH": "1"} | settings
    return subprocess.Popen([sys.executable, "-c", MAIN, *words], env=environment, stdout=subprocess.DEVNULL)
