"""All benchmarks, each figure beside its peer's in one run; prints them and writes docs/benchmarks.md."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "benchmarks.md"
CHAPTERS = {
    "append": "Appending an event, beside pyeventsourcing",
    "rebuild": "Rebuilding and asking the read model",
    "codec": "The codec of deltas, beside its published figures and peers",
    "saves": "Saving a small version, beside MLflow",
    "growth": "What a model of many versions costs",
    "transfer": "Saving and loading a model, beside safetensors",
    "memory": "Memory that saving and restoring take",
    "runs": "Logging from a training script",
    "deciders": "Four deciders at once on PostgreSQL, beside pyeventsourcing",
    "kafka": "Beside Kafka",
    "jobs": "From asking for a job to its start",
    "startup": "The command line",
    "server": "The server on a large ledger, and beside MLflow's",
    "pages": "The pages on a large ledger, and a first view beside MLflow's",
    "remote": "Saving and loading over HTTP, beside the same at home",
    "credit": "The credit scoring model, beside scikit-learn",
    "training": "The trainer, beside a bare loop, Accelerate and Lightning Fabric",
    "studies": "Trials a second, beside Optuna's storages",
    "streamed": "A Parquet file of three times the memory",
    "evaluation": "Judging a million rows, beside scikit-learn and scipy",
}


def machine() -> str:
    """What the figures were measured on."""
    names = ("torch", "numpy", "duckdb", "sqlalchemy", "zstandard", "safetensors", "eventsourcing", "scikit-learn")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    told = (line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name"))
    model = next(told, platform.machine())
    packages = ", ".join(f"{name} {version(name)}" for name in names)
    return f"{os.cpu_count()} cores of {model}, {memory:.0f} GiB; Python {platform.python_version()}; {packages}."


def measured(name: str) -> str:
    """A chapter's table, made by a process of its own."""
    done = subprocess.run((sys.executable, str(HERE / f"{name}.py")), capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else f"failed:\n\n```\n{done.stderr.strip()}\n```"


def main() -> None:
    """Run what is named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("chapters", nargs="*", metavar="CHAPTER", help=", ".join(CHAPTERS))
    chosen = parser.parse_args().chapters or list(CHAPTERS)
    parts = [
        "# Benchmarks\n\nMade by `make bench`. Medians of five unless a table says otherwise; peers in the same run, "
        f"on the same bytes, at the same durability. Wall and CPU stand apart.\n\nMeasured on {machine()}\n"
    ]
    for name in chosen:
        table = measured(name)
        print(f"\n{CHAPTERS[name]}\n\n{table}", flush=True)
        parts.append(f"## {CHAPTERS[name]}\n\n{table}\n")
    if set(chosen) == set(CHAPTERS):
        PAGE.write_text("\n".join(parts), encoding="utf-8")


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


if __name__ == "__main__":
    main()
