"""What a call of `run.log` costs a training script, on average over many, flushes included."""

from __future__ import annotations

import statistics
import tempfile
import time

from lepton_ai import ModelManager

CALLS = 100_000


def rows() -> str:
    """A Markdown table: microseconds a call of one metric, and of three."""
    lines = ["| `run.log`, 100,000 calls, SQLite at FULL | µs a call, wall | µs a call, CPU |", "| --- | --- | --- |"]
    with tempfile.TemporaryDirectory() as home, ModelManager(home) as manager:
        for metrics in ({"loss": 0.5}, {"loss": 0.5, "accuracy": 0.9, "rate": 0.01}):
            figures = [_measured(manager, metrics) for _ in range(5)]
            wall, cpu = (statistics.median(each[n] for each in figures) for n in (0, 1))
            lines.append(f"| {len(metrics)} metric{'s' * (len(metrics) > 1)} | {wall:.2f} | {cpu:.2f} |")
    return "\n".join(lines)


def _measured(manager: ModelManager, metrics: dict[str, float]) -> tuple[float, float]:
    with manager.run("bench") as run:
        wall, cpu = time.perf_counter(), time.process_time()
        for step in range(CALLS):
            run.log(metrics, step)
        run.flush()
        return (time.perf_counter() - wall) / CALLS * 1e6, (time.process_time() - cpu) / CALLS * 1e6


if __name__ == "__main__":
    print(rows())
