"""What a report is asked with, by names of columns or by the values themselves; and which columns that takes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, cast

import numpy as np

from ..datasets.columns import Column, Table
from ..errors import Malformed
from ..plain import words_of
from .answers.outputs import KINDS
from .diagnostics.costs import Costs
from .intervals import DRAWS, LEVEL, Progress
from .own.cost_matrix import CostMatrix
from .report import Asked, Values
from .resampling import Sampling

Columns = Sequence[str] | Mapping[str, Values]
"""Names of columns of the data, or values by name, one a row."""


class ReportOptions(TypedDict, total=False):
    """The fields of `ReportRequest`, as callers name them."""

    groups: str | Values | None
    block: int | None
    stratified: bool
    slices: bool | Columns
    sensitive: Columns
    costs: Costs | Mapping[str, float] | None
    cost_matrix: CostMatrix | Mapping[str, Mapping[str, float]] | None
    metrics: Sequence[str]
    outputs: str | None
    draws: int
    level: float
    seed: int
    keep_outcomes: bool
    progress: Progress | None


class TestOptions(TypedDict, total=False):
    """How versions are tested against each other: how rows depend on each other, and how sure a test is."""

    groups: str | Values | None
    block: int | None
    stratified: bool
    draws: int
    level: float
    seed: int


@dataclass(frozen=True, eq=False)
class ReportRequest:
    """What a report is asked with. Columns are named, or given by their values, one a row.

    `groups` are what is independent (a patient, a customer), `block` the rows of one block of a series in time order,
    `stratified` that as many rows of each class were sampled as was decided before. `slices` are the columns searched
    for rows that the model does worse on (True: all of the data), `sensitive` those compared for fairness.
    """

    groups: str | Values | None = None
    block: int | None = None
    stratified: bool = False
    slices: bool | Columns = False
    sensitive: Columns = ()
    costs: Costs | Mapping[str, float] | None = None
    cost_matrix: CostMatrix | Mapping[str, Mapping[str, float]] | None = None
    """What each call of each true class costs, `{true: {called: cost}}`: the figure `expected_cost`, of a row."""
    metrics: Sequence[str] = ()
    """Names of metrics of one's own, registered by `lepton_ai.metric`."""
    outputs: str | None = None
    """What a model's numbers are where it does not say so: logits, probabilities or values."""
    draws: int = DRAWS
    level: float = LEVEL
    seed: int = 0
    keep_outcomes: bool = True
    """Whether each row's label and prediction are kept, by which versions can be compared by test later."""
    progress: Progress | None = None
    """Called now and then with how much of the report is done and how much there is to do."""

    def __post_init__(self) -> None:
        for name in ("slices", "sensitive", "metrics"):
            _check_columns(name, getattr(self, name))
        if not isinstance(self.costs, Costs | Mapping | None):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise Malformed(f"costs are given by name, as in {{'false_negative': 5}}; not as {words_of(self.costs)}")
        for name in ("stratified", "keep_outcomes"):
            if not isinstance(getattr(self, name), bool | np.bool_):
                raise Malformed(f"{name} is {words_of(getattr(self, name))}; say True or False")
        if self.outputs not in (None, *KINDS):
            raise Malformed(f"outputs are {', '.join(KINDS)}, not {self.outputs!r}")

    @property
    def named(self) -> tuple[str, ...]:
        """The columns of the data that are asked for by name."""
        groups = [self.groups] if isinstance(self.groups, str) else []
        return tuple(dict.fromkeys([*groups, *_named(self.slices), *_named(self.sensitive)]))

    def sampling(self, beside: Table | None) -> Sampling:
        """How rows depend on each other; `beside` holds the columns that were named."""
        groups = _values(beside, self.groups) if isinstance(self.groups, str) else self.groups
        return Sampling(groups, self.block, self.stratified)

    def asked(self, beside: Table | None) -> Asked:
        """What the report shows beside its figures; `beside` holds the columns that were named, or all."""
        costs = None if self.costs is None else costs_of(self.costs)
        every = [name for name in (beside.by_name if beside else ()) if name != self.groups]
        slices = {False: [], True: every}[self.slices] if isinstance(self.slices, bool) else self.slices
        return Asked(
            columns=_by_name(beside, cast("Columns", slices)),
            sensitive=_by_name(beside, self.sensitive),
            costs=costs,
            draws=self.draws,
            level=self.level,
            seed=self.seed,
            progress=self.progress,
        )


def _check_columns(option: str, given: Any) -> None:
    """Raise `Malformed` on what names neither columns nor metrics."""
    what = "metrics" if option == "metrics" else "columns"
    if isinstance(given, str):
        raise Malformed(f"{what} are given as a list of names; write [{given!r}]")
    if (isinstance(given, bool) and option == "slices") or (isinstance(given, Mapping) and option != "metrics"):
        return
    if not isinstance(given, Collection) or not all(isinstance(each, str) for each in cast("Collection[Any]", given)):
        raise Malformed(f"{option} is {words_of(given)}; give a list of names of {what}")


def _named(columns: bool | Columns) -> list[str]:
    return [] if isinstance(columns, bool | Mapping) else [*columns]


def _by_name(beside: Table | None, columns: Columns) -> dict[str, Values]:
    if isinstance(columns, Mapping):
        return dict(columns)
    return {name: _values(beside, name) for name in columns}


def _values(beside: Table | None, name: str) -> Values:
    """A column's values as they are told apart: texts, numbers, None for what is missing."""
    column = beside.by_name.get(name) if beside else None
    if column is None:
        known = ", ".join(beside.by_name) if beside else "none"
        raise Malformed(f"the data have no column {name!r}; they have {known}")
    return column.values if column.kind != "category" else _texts(column)


def _texts(column: Column) -> list[str | None]:
    return [None if place < 0 else column.levels[place] for place in column.values.tolist()]


def costs_of(given: Costs | Mapping[str, float]) -> Costs:
    """Costs, also as a mapping of their names."""
    if isinstance(given, Costs):
        return given
    try:
        return Costs(**given)
    except TypeError:
        known = ", ".join(Costs.__dataclass_fields__)
        raise Malformed(f"costs are given by {known}; not by {', '.join(map(str, given))}") from None
