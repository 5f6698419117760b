"""Candidates: the kinds of models that are tried on a table, each with its reason, its space and where it starts.

Random forests and boosting start from settings in the middle of what studies of many tables found good (Grinsztajn et
al. 2022, McElfresh et al. 2023); the search goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final

from ...datasets.columns import Column, Table
from ...datasets.examination import remarks
from ...errors import Malformed
from ...models.hyperparameter import Json

_FEWEST_FOR_NETS: Final = 100
_MOST_FOR_NETS: Final = 100_000
_MOST_FOR_FORESTS: Final = 200_000
_SMALL: Final = 3_000
"""Rows up to which boosting starts with shallow trees."""
_WORDS: Final = 4
"""Words that the levels of free text have on average."""
NO_ESTIMATORS: Final = "estimators need the extra: pip install 'lepton-ai-sdk[estimators]'"
NO_NETS: Final = "nets need the extra: pip install 'lepton-ai-sdk[build]'"


@dataclass(frozen=True)
class BuildCandidate:
    """One kind of model that is tried."""

    name: str
    reason: str
    model_class: str
    fixed: Mapping[str, Json]
    space: Mapping[str, Mapping[str, Any]]
    """By hyperparameter what it is searched between, as a space of `lepton tune` has it."""
    starts: Sequence[Mapping[str, Json]]
    """What is tried first, the surest first."""


@dataclass(frozen=True)
class LeftOutCandidate:
    """One kind of model that is not tried, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Choice:
    """What is tried, the cheapest first, and what is not."""

    candidates: tuple[BuildCandidate, ...]
    left_out: tuple[LeftOutCandidate, ...]

    def named(self, name: str) -> BuildCandidate:
        """The candidate of that name."""
        return next(each for each in self.candidates if each.name == name)


_TREES: Final[Mapping[str, Mapping[str, Any]]] = {
    "columns_share": {"low": 0.2, "high": 1.0},
    "l2": {"low": 1e-3, "high": 30.0, "log": True},
    "learning_rate": {"low": 0.01, "high": 0.2, "log": True},
    "leaves": {"low": 4, "high": 128, "log": True},
    "min_rows": {"low": 1, "high": 60, "log": True},
    "rounds": {"low": 50, "high": 800, "log": True},
}
_SHALLOW: Final[Mapping[str, Json]] = {
    "columns_share": 0.5, "l2": 1.0, "learning_rate": 0.05, "leaves": 8, "min_rows": 10, "rounds": 200
}  # fmt: skip
_DEEP: Final[Mapping[str, Json]] = {
    "columns_share": 0.7, "l2": 1.0, "learning_rate": 0.05, "leaves": 31, "min_rows": 20, "rounds": 300
}  # fmt: skip


def choice_of(table: Table) -> Choice:
    """What is tried on a table: models of text where all its columns are free text, else those of tables.

    Raises `Malformed` where a column holds arrays.
    """
    if arrays := next((column.name for column in table.columns if column.kind == "array"), None):
        raise Malformed(f"column {arrays!r} holds arrays, and builds are of tables; train image-model or series-model")
    if all(is_free_text(table, name) for name, _ in table.schema):
        return _of_texts()
    estimators, missing = _estimators(table)
    nets, lacking = _nets(table)
    return Choice((*estimators, *nets), (*missing, *lacking))


def _estimators(table: Table) -> tuple[list[BuildCandidate], list[LeftOutCandidate]]:
    names = ("linear", "hist-gradient-boosting", "random-forest", "lightgbm", "xgboost")
    if find_spec("skops") is None:
        return [], [LeftOutCandidate(name, NO_ESTIMATORS) for name in names]
    tried = [_linear(), _boosting("hist-gradient-boosting", table)]
    left: list[LeftOutCandidate] = []
    if table.rows > _MOST_FOR_FORESTS:
        left.append(LeftOutCandidate("random-forest", "of so many rows its trees are large, and boosting is ahead"))
    else:
        tried.append(_forest())
    for library in ("lightgbm", "xgboost"):
        if find_spec(library) is None:
            left.append(LeftOutCandidate(library, "its package is not installed"))
        else:
            tried.append(_boosting(library, table))
    return tried, left


def _nets(table: Table) -> tuple[list[BuildCandidate], list[LeftOutCandidate]]:
    if any(find_spec(package) is None for package in ("tabm", "rtdl_num_embeddings")):
        return [], [LeftOutCandidate("table-model", NO_NETS)]
    if not _FEWEST_FOR_NETS <= table.rows <= _MOST_FOR_NETS:
        return [], [LeftOutCandidate("table-model", "a net is tried on a hundred to a hundred thousand rows")]
    return [_net()], []


def suspicions(table: Table, labels: Column) -> Iterator[str]:
    """What a build should warn of, a sentence each: what `examine` does, and free text beside other columns."""
    texts = [name for name, _ in table.schema if is_free_text(table, name)]
    yield from remarks(Table(tuple(each for each in table.columns if each.name not in texts), table.rows), labels)
    if len(texts) < len(table.columns):
        for name in texts:
            yield f"column {name!r} holds free text, of which models of tables learn nothing; build on it alone too"


def is_free_text(table: Table, name: str) -> bool:
    """Whether a column holds sentences: texts that mostly occur once, of several words."""
    column = table.by_name[name]
    known = int((~column.missing).sum())
    if column.kind != "category" or not known or len(column.levels) < known / 2:
        return False
    return sum(len(level.split()) for level in column.levels) / len(column.levels) >= _WORDS


def _linear() -> BuildCandidate:
    return BuildCandidate(
        "linear",
        "few parameters: hard to beat on few rows, and the yardstick of all others",
        "estimator-model",
        {"family": "linear"},
        {"l2": {"low": 1e-3, "high": 300.0, "log": True}},
        ({"l2": 1.0}, {"l2": 30.0}),
    )


def _forest() -> BuildCandidate:
    return BuildCandidate(
        "random-forest",
        "needs little tuning, and is not led astray by columns that tell nothing",
        "estimator-model",
        {"family": "random-forest"},
        {
            "columns_share": {"low": 0.1, "high": 1.0},
            "min_rows": {"low": 1, "high": 20, "log": True},
            "rounds": {"low": 100, "high": 500, "log": True},
        },
        ({"columns_share": 0.3, "min_rows": 2, "rounds": 200},),
    )


def _boosting(library: str, table: Table) -> BuildCandidate:
    words = "usually ahead on tables of numbers and categories, with or without gaps"
    starts = (_SHALLOW, _DEEP) if table.rows <= _SMALL else (_DEEP, _SHALLOW)
    return BuildCandidate(library, words, "estimator-model", {"family": library}, _TREES, starts)


def _net() -> BuildCandidate:
    return BuildCandidate(
        "table-model",
        "an ensemble of nets in one (TabM): ahead where columns act smoothly and together",
        "table-model",
        {"epochs": 100, "family": "tabm", "patience": 10},
        {
            "blocks": {"low": 1, "high": 3},
            "dropout_rate": {"low": 0.0, "high": 0.4},
            "learning_rate": {"low": 3e-4, "high": 5e-3, "log": True},
            "width": {"low": 64, "high": 256, "log": True},
        },
        ({"blocks": 2, "dropout_rate": 0.1, "learning_rate": 1e-3, "width": 128},),
    )


def _of_texts() -> Choice:
    if find_spec("transformers") is None:
        return Choice((), (LeftOutCandidate("text-model", NO_NETS),))
    candidate = BuildCandidate(
        "text-model",
        "a head over a pretrained sentence encoder: the columns hold free text alone",
        "text-model",
        {},
        {
            "dropout_rate": {"low": 0.0, "high": 0.6},
            "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
            "width": {"low": 32, "high": 512, "log": True},
        },
        ({"dropout_rate": 0.2, "learning_rate": 1e-3, "width": 256},),
    )
    return Choice((candidate,), ())
