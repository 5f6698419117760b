"""The public surface: changing it is a decision, not an accident."""

from __future__ import annotations

import inspect
import os
from pathlib import Path

from lepton_ai import ModelManager
from lepton_ai.jobs.api import Jobs

GOLDEN = Path(__file__).parents[1] / "golden" / "model_manager.txt"


def signatures() -> str:
    lines = []
    for door, kind in (("", ModelManager), ("jobs.", Jobs)):
        for name, member in sorted(vars(kind).items()):
            if inspect.isfunction(member) and (not name.startswith("_") or f"{door}{name}" == "__init__"):
                lines.append(f"{door}{name}{inspect.signature(member)}")
    return "\n".join(lines) + "\n"


def test_the_managers_signatures_are_the_published_ones() -> None:
    if os.environ.get("LEPTON_GOLDEN") == "write":
        GOLDEN.write_text(signatures())

    assert signatures() == GOLDEN.read_text()


def test_every_mutating_method_takes_a_key() -> None:
    reading = {
        "about", "acting", "aliases", "apply", "as_of", "branches", "build", "card", "chain", "chains", "checkout",
        "checkpoints", "close", "compare", "data", "data_sets", "diff", "drift", "drop_kept", "events", "export",
        "files", "find", "forget_actor", "fsck", "heal", "holder", "jobs", "kept", "library", "load_arrays",
        "load_checkpoint", "load_checkpoint_tensors", "load_data", "load_kept", "load_optimizer", "load_run_file",
        "load_tensors",
        "load_version", "log", "models", "moves", "pick", "position", "predict", "protections", "prove", "rebuild",
        "rebuild_from_kafka", "recent", "report", "resume", "robustness", "run", "run_files", "run_metrics",
        "run_progress", "runs", "show", "show_chain", "show_run", "show_study", "sign_head", "snapshot", "sql",
        "status", "studies", "suggest_rollback", "suite", "suites", "sync", "tags", "tokens", "tune", "upgrade",
        "verify", "versions", "wait",
    }  # fmt: skip
    for name, member in (vars(ModelManager) | vars(Jobs)).items():
        if inspect.isfunction(member) and not name.startswith("_") and name not in reading:
            parameters = inspect.signature(member).parameters
            assert "key" in parameters or "save" in parameters, f"{name} takes no key"


def test_every_public_method_says_what_it_does() -> None:
    silent = [name for name, member in vars(ModelManager).items() if not name.startswith("_") and not member.__doc__]

    assert silent == []
