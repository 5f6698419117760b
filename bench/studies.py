"""Trials a second of a study in a ledger, beside Optuna's own storages: SQLite, and a journal in a file."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import Trial

from lepton_ai import ModelManager
from lepton_ai.optuna import LedgerStorage
from optuna import create_study, logging

TRIALS, ROUNDS = 200, 5
SAMPLERS: Mapping[str, Callable[[], BaseSampler]] = {
    "random": lambda: RandomSampler(seed=1),
    "TPE": lambda: TPESampler(seed=1),
}


def rows() -> str:
    """A Markdown table: trials a second by sampler and storage, and the ledger's as a ratio to SQLite's."""
    logging.set_verbosity(logging.WARNING)
    storages = {"ledger": _ledger, "SQLite": _sqlite, "journal": _journal}
    lines = [
        f"| trials a second, {TRIALS} trials of four parameters and one report | ledger | Optuna's SQLite "
        "| Optuna's journal | ledger / SQLite, paired |",
        "| --- | --- | --- | --- | --- |",
    ]
    for sampler, made in SAMPLERS.items():
        rates: dict[str, list[float]] = {name: [] for name in storages}
        for _ in range(ROUNDS):
            for name, opened in storages.items():
                rates[name].append(_rate(opened, made()))
        ratio = statistics.median(one / other for one, other in zip(rates["ledger"], rates["SQLite"], strict=True))
        figures = " | ".join(f"{statistics.median(each):.1f}" for each in rates.values())
        lines.append(f"| {sampler} | {figures} | {ratio:.2f} |")
    return "\n".join(lines)


def _rate(opened: Callable[[Path], AbstractContextManager[BaseStorage]], sampler: BaseSampler) -> float:
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as storage:
        study = create_study(storage=storage, sampler=sampler, study_name="bench")
        begun = time.perf_counter()
        study.optimize(_objective, n_trials=TRIALS)
        return TRIALS / (time.perf_counter() - begun)


def _objective(trial: Trial) -> float:
    value = sum(trial.suggest_float(f"x{n}", -1.0, 1.0) ** 2 for n in range(4))
    trial.report(value, 0)
    return value


@contextmanager
def _ledger(folder: Path) -> Iterator[BaseStorage]:
    with ModelManager(folder) as manager:
        yield LedgerStorage(manager)


@contextmanager
def _sqlite(folder: Path) -> Iterator[BaseStorage]:
    yield RDBStorage(f"sqlite:///{folder}/study.db")


@contextmanager
def _journal(folder: Path) -> Iterator[BaseStorage]:
    yield JournalStorage(JournalFileBackend(f"{folder}/study.log"))


if __name__ == "__main__":
    print(rows())
