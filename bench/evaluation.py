"""Judging 1,000,000 rows with 1,000 draws of the bootstrap, beside scikit-learn's figures in a loop of draws."""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import sklearn.metrics
from scipy import stats

from lepton_ai.evaluation.diagnostics.costs import Costs
from lepton_ai.evaluation.outcomes import Outcomes
from lepton_ai.evaluation.report import Asked, report_of

ROWS, DRAWS, PEER_DRAWS, SEED = 1_000_000, 1_000, 3, 2026
GENERATOR = np.random.default_rng(SEED)
SIGNAL = GENERATOR.normal(size=ROWS)
SAID = SIGNAL + 0.7 * GENERATOR.normal(size=ROWS)
CHANCE = 1 / (1 + np.exp(-SAID))
TRUTH = (GENERATOR.random(ROWS) < 1 / (1 + np.exp(-SIGNAL))).astype(np.int64)
EDGES = (-0.8, 0.2, 1.2)
COLUMNS = {
    "purpose": GENERATOR.choice(["car", "house", "boat", "school", "travel"], ROWS),
    "age": GENERATOR.integers(18, 80, ROWS),
    "amount": np.where(GENERATOR.random(ROWS) < 0.05, np.nan, GENERATOR.lognormal(8, 1, ROWS)),
}
SENSITIVE = {"sex": GENERATOR.choice(["f", "m"], ROWS)}


def binary() -> None:
    """Decisions, probabilities, calibration, costs, slices over three columns and fairness by one."""
    outcomes = Outcomes("binary", TRUTH, (CHANCE >= 0.5).astype(np.int64), CHANCE, (0, 1), 0.5)
    report_of(outcomes, Asked(COLUMNS, SENSITIVE, Costs(1, 5), DRAWS))


def multiclass() -> None:
    """Four classes, slices over three columns."""
    outcomes = Outcomes("multiclass", np.digitize(SIGNAL, EDGES), np.digitize(SAID, EDGES), None, tuple("abcd"))
    report_of(outcomes, Asked(COLUMNS, draws=DRAWS))


def regression() -> None:
    """Numbers, slices over three columns."""
    report_of(Outcomes("regression", SIGNAL, SAID), Asked(COLUMNS, draws=DRAWS))


REPORTS = (binary, multiclass, regression)


def figures_of(draw: np.ndarray) -> None:
    """The figures that a binary report has intervals of, by scikit-learn."""
    truth, chance = TRUTH[draw], CHANCE[draw]
    called = chance >= 0.5
    sklearn.metrics.accuracy_score(truth, called)
    sklearn.metrics.precision_recall_fscore_support(truth, called, average="binary")
    for figure in ("roc_auc_score", "average_precision_score", "brier_score_loss", "log_loss"):
        getattr(sklearn.metrics, figure)(truth, chance)


def peer() -> float:
    """Seconds a draw by scikit-learn."""
    return statistics.median(seconds(lambda: figures_of(GENERATOR.integers(0, ROWS, ROWS))) for _ in range(PEER_DRAWS))


def scipys() -> float:
    """Seconds a draw by scipy.stats.bootstrap of the mean squared error alone, whose draws it makes at once."""
    errors = ((SIGNAL - SAID) ** 2,)
    return seconds(lambda: stats.bootstrap(errors, np.mean, n_resamples=20, batch=2, method="basic")) / 20


def seconds(call: Callable[[], None]) -> float:
    begin = time.process_time()
    call()
    return time.process_time() - begin


def main() -> None:
    """Print the table, or make one report and say what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", nargs="?", choices=[each.__name__ for each in REPORTS])
    if (chosen := parser.parse_args().report) is not None:
        begin, cpu = time.perf_counter(), time.process_time()
        next(each for each in REPORTS if each.__name__ == chosen)()
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(time.perf_counter() - begin, time.process_time() - cpu, memory)
        return
    print(
        f"| a report of {ROWS:,} rows, {DRAWS:,} draws | wall s | CPU s | memory at most, GB |",
        "| --- | --- | --- | --- |",
        sep="\n",
    )
    for each in REPORTS:
        done = subprocess.run((sys.executable, __file__, each.__name__), capture_output=True, text=True, check=True)
        wall, cpu, memory = map(float, done.stdout.split())
        what = (each.__doc__ or "").rstrip(".").lower()
        print(f"| {each.__name__}: {what} | {wall:.1f} | {cpu:.1f} | {memory:.2f} |")
    a_draw = peer()
    print(
        f"| scikit-learn: a loop over its binary figures, reckoned from {PEER_DRAWS} draws | | {a_draw * DRAWS:.0f} | |"
    )
    print(
        f"| scipy.stats.bootstrap: the mean squared error alone, reckoned from 20 draws | | {scipys() * DRAWS:.0f} | |"
    )
    print("\nOne run each, in a process of its own; memory is all of that process, with the rows.")


if __name__ == "__main__":
    main()
