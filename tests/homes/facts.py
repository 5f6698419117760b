"""What can be read of a ledger through the SDK: written down when a home was kept, and compared for ever after."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from inspect import signature
from typing import Any

import torch

from lepton_ai import ModelManager

SHOWN = 10
"""Rows of a view that are kept as they are; of all of them the digest is."""


def facts(manager: ModelManager, public: Iterable[str]) -> dict[str, Any]:
    """Root, versions to the last bit, names, and every public view with its answers, as of today's last event."""
    whole = manager.verify()
    columns = {view: manager.sql(f"SELECT * FROM {view} LIMIT 0").column_names for view in sorted(public)}
    return {
        "ledger": whole.ledger,
        "events": whole.size,
        "root": whole.root,
        "models": {name: model(manager, name) for name in manager.models()},
        "views": views(manager, columns, whole.size),
        "halfway": {"seq": whole.size // 2, "views": views(manager, columns, whole.size // 2)},
    }


def model(manager: ModelManager, name: str) -> dict[str, Any]:
    """A model's versions, and where its branches, tags and aliases stand."""
    found = manager.sql("SELECT version FROM versions WHERE model = ? ORDER BY version", [name])
    numbers = found.column("version").to_pylist()
    return {
        "versions": {str(number): version(manager, f"{name}@{number}") for number in numbers},
        "branches": {branch: int(at) for branch, at in manager.branches(name).items()},
        "tags": {tag: int(at) for tag, at in manager.tags(name).items()},
        "aliases": {alias: int(at) for alias, at in manager.aliases(model=name).items()},
    }


def models(manager: ModelManager, told: Mapping[str, Any]) -> dict[str, Any]:
    """Every model, its figures by the names that `told` has: an evaluation's replaced a version's own then."""
    found = {name: model(manager, name) for name in manager.models()}
    for name, each in found.items():
        for number, of in each["versions"].items():
            before = told.get(name, each)["versions"].get(number, of)["metrics"]
            of["metrics"] = {metric: _as_before(of["metrics"], metric, value) for metric, value in before.items()}
    return found


def _as_before(metrics: Mapping[str, Any], metric: str, value: Any) -> Any:
    """A figure of today by its name of then: the version's own, or what an evaluation put in its place."""
    names = [metric, *(name for name in metrics if name.endswith(f"/{metric}"))]
    figures = [metrics[name] for name in names if name in metrics]
    return value if value in figures else figures


def version(manager: ModelManager, rev: str) -> dict[str, Any]:
    """A version: its digest, its tensors' bits, its files, its figures and what was said of it."""
    shown = manager.show(rev)
    return {
        "digest": shown.version.digest,
        "parents": [list(parent) for parent in shown.version.parents],
        "tensors": tensors(manager.load_tensors(rev)),
        "files": {name: sha256(content).hexdigest() for name, content in manager.files(rev).items()},
        "metrics": plain(shown.metrics),
        "annotations": plain(shown.annotations),
        "message": shown.message,
    }


def tensors(loaded: Mapping[str, torch.Tensor]) -> str:
    """A digest of tensors' names, types, shapes and bits."""
    said = sha256()
    for name in sorted(loaded):
        tensor = loaded[name].detach().cpu().contiguous()
        bits = tensor.reshape(-1).view(torch.uint8) if tensor.numel() else tensor.new_zeros(0, dtype=torch.uint8)
        said.update(f"{name} {tensor.dtype} {tuple(tensor.shape)} ".encode() + bytes(bits.tolist()))
    return said.hexdigest()


def views(manager: ModelManager, columns: Mapping[str, list[str]], seq: int) -> dict[str, Any]:
    """Some columns of every public view as of a `seq`."""
    return {view: answer(manager, view, named, seq) for view, named in columns.items()}


def answer(manager: ModelManager, view: str, columns: list[str], seq: int) -> dict[str, Any]:
    """Some columns of a view as of a `seq`: how many rows there are, the first of them, and a digest of all."""
    named = ", ".join(f'"{column}"' for column in columns)
    as_stored = {"opened": False} if "opened" in signature(manager.sql).parameters else {}
    found = plain(manager.sql(f"SELECT {named} FROM {view}", as_of=seq, **as_stored).to_pylist())
    rows = sorted(([row[column] for column in columns] for row in found), key=encoded)
    digest = sha256(encoded(rows).encode()).hexdigest()
    return {"columns": columns, "count": len(rows), "digest": digest, "rows": rows[:SHOWN]}


def plain(value: Any) -> Any:
    """A value as JSON keeps it."""
    return json.loads(json.dumps(value, default=str))


def encoded(value: Any) -> str:
    """Text to order and digest by: NaN is a word in it."""
    return json.dumps(value, sort_keys=True)
