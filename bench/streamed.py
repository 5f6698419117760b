"""A training of a Parquet file three times as large as the memory that its attempt may have, file and rows alike.

    python bench/streamed.py [MEGABYTES]

The numbers are drawn, so that the file does not compress. The same training that reads all rows at once comes first,
and has to fail.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lepton_ai import ModelManager
from lepton_ai.results import JobRecord

TIMES, COLUMNS, GROUP = 3.02, 400, 4_096
CHOSEN = {
    "batch_size": GROUP, "blocks": 1, "device": "cpu", "epochs": 1, "family": "mlp", "learning_rate": 0.01,
    "seed": 2026, "threshold": 0.5, "width": 16,
}  # fmt: skip


def write(path: Path, size: float) -> int:
    """Rows of so many bytes, a group at a time; how many there are."""
    draws = np.random.default_rng(2026)
    groups = int(size / (GROUP * (COLUMNS + 1) * 8)) + 1
    names = [*(f"x{number}" for number in range(COLUMNS)), "y"]
    schema = pa.schema([(name, pa.float64()) for name in names])
    with pq.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
        for _ in range(groups):
            values = draws.normal(size=(COLUMNS, GROUP))
            labels = (values[0] + values[1] > 0).astype(float)
            writer.write_table(pa.table([*values, labels], schema=schema))
    return groups * GROUP


def trained(manager: ModelManager, path: Path, memory: int, **more: Any) -> tuple[JobRecord, float]:
    """The finished or failed job of a training within so many bytes, and its seconds."""
    begun = time.perf_counter()
    job = manager.jobs.train(
        "table-model", str(path), "y", name="large", hyperparameters=CHOSEN | more, memory=memory, retries=0
    )
    return manager.jobs.wait(job.job), time.perf_counter() - begun


def main() -> None:
    """Measure, and print a table."""
    memory = int(sys.argv[1] if len(sys.argv) > 1 else 1_500) * 1_000_000
    with tempfile.TemporaryDirectory() as folder, ModelManager(Path(folder, "home")) as manager:
        path = Path(folder, "large.parquet")
        rows = write(path, memory * TIMES)
        sizes = f"a file of {path.stat().st_size / 1e9:.1f} GB, {rows * (COLUMNS + 1) * 8 / 1e9:.1f} GB as rows"
        ended = [
            ("all rows at once", *trained(manager, path, memory)),
            (f"`rows_at_once={4 * GROUP}`", *trained(manager, path, memory, rows_at_once=4 * GROUP)),
        ]
    print(f"| {sizes}, within {memory / 1e9:.1f} GB | ended | wall s |\n| --- | --- | --- |")
    for words, job, seconds in ended:
        print(f"| {words} | {job.status} | {seconds:.0f} |")
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9
    print(
        f"\nOne epoch over {rows:,} rows of {COLUMNS} drawn numbers by a small net; a fifth is held out and judged. "
        f"The limit is that of `--memory`; {most:.1f} GB were resident at most."
    )


if __name__ == "__main__":
    main()
