"""The figures of a version by the rows that they were measured on: which are shown, and which may be compared.

A figure is known by its rows, its name and its task. A bare name (`f1`) is of the version's own validation rows,
`NAME/f1` of those that evaluations call so. What was logged without rows is kept apart: shown, and never compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from immutables import Map

UNNAMED: Final = "evaluation"
"""What the rows of an evaluation are called that has no name."""


class Rows(NamedTuple):
    """Rows that figures were measured on: the digest of their fingerprint, and how many they are where it says so."""

    digest: str
    size: int | None = None
    before: str | None = None
    """The digest that version 1 of the fingerprint gave the same rows, where it is known."""

    @property
    def digests(self) -> tuple[str, ...]:
        """Every digest that the rows are known by."""
        return (self.digest,) if self.before in (None, self.digest) else (self.digest, self.before)

    def same(self, other: Rows) -> bool:
        """Whether they are known to be the same rows as others."""
        return not {*self.digests}.isdisjoint(other.digests)


class KeptReport(NamedTuple):
    """The report of an evaluation, as it is kept in the object store."""

    seq: int
    """The event that recorded the evaluation."""
    name: str
    """What the evaluation's rows are called."""
    digest: str
    """Of the manifest that holds it."""
    rows: Rows | None


class Figure(NamedTuple):
    """One figure of a version."""

    name: str
    """As it is shown: `f1`, `test/f1`."""
    metric: str
    """What was measured: `f1`."""
    value: float
    rows: Rows | None
    """None where nobody said on which rows."""
    seq: int
    task: str | None = None
    """What it is a figure of: binary, multiclass, regression; None where nobody said."""

    def comparable(self, other: Figure) -> bool:
        """Whether both are known to be of the same rows, and not of different tasks."""
        if self.rows is None or other.rows is None or not self.rows.same(other.rows):
            return False
        return self.task == other.task or None in (self.task, other.task)


class VersionFigures(NamedTuple):
    """All figures of one version. The maps are persistent."""

    newest: Map[str, Figure] = Map()
    """By name, of those whose rows are known."""
    logged: Map[str, Figure] = Map()
    """By name, of those whose rows are not."""
    judged: Map[str, Map[str, Figure]] = Map()
    """By each digest of the rows and by name."""

    def shown(self) -> dict[str, Figure]:
        """By name, what is shown under it: the newest whose rows are known, else the newest that was logged."""
        return dict(sorted({**self.logged, **self.newest}.items()))

    def apart(self) -> dict[str, Figure]:
        """Those that were logged under a name that a figure of known rows has too."""
        return {name: figure for name, figure in sorted(self.logged.items()) if name in self.newest}

    def names(self) -> set[str]:
        """Whatever a figure may be asked for by: the names that are shown, and what was measured."""
        return {each for name, figure in self.shown().items() for each in (name, figure.metric)}

    def named(self, name: str) -> Iterator[Figure]:
        """Every figure of that name, on whatever rows they are known to be."""
        return (by_name[name] for by_name in self.judged.values() if name in by_name)

    def known(self, rows: Rows | None) -> dict[str, Figure]:
        """The figures on those rows by name; where nobody says on which, those that were logged."""
        if rows is None:
            return dict(self.logged)
        return {
            name: figure
            for digest in rows.digests
            for name, figure in self.judged.get(digest, Map[str, Figure]()).items()
        }

    def measured(
        self, metrics: Mapping[str, float], rows: Rows | None, seq: int, data: str | None, task: str | None
    ) -> VersionFigures:
        """With figures that became known; `data` is what an evaluation calls its rows, None for the version's own."""
        prefix = "" if data is None else f"{data or UNNAMED}/"
        figures = (Figure(f"{prefix}{name}", name, value, rows, seq, task) for name, value in metrics.items())
        new = {figure.name: figure for figure in figures}
        if rows is None:
            return self._replace(logged=self.logged.update(new))
        judged = self.judged
        for digest in rows.digests:
            judged = judged.set(digest, judged.get(digest, Map[str, Figure]()).update(new))
        return self._replace(newest=self.newest.update(new), judged=judged)


class Common(NamedTuple):
    """A metric on rows that several versions were judged on."""

    name: str
    """What it is called there: by an evaluation's name wherever one has it, for a bare name is a version's own."""
    metric: str
    rows: Rows
    figures: Mapping[int, Figure]
    """By version."""

    @property
    def newest(self) -> int:
        """The `seq` of its newest figure."""
        return max(figure.seq for figure in self.figures.values())


def rows_of(fingerprint: Mapping[str, Any] | None) -> Rows | None:
    """The identity of rows in their fingerprint, None where there is none."""
    digest = (fingerprint or {}).get("digest")
    if not isinstance(digest, str) or not digest:
        return None
    count, before = (fingerprint or {}).get("rows"), (fingerprint or {}).get("v1")
    size = count if isinstance(count, int) and not isinstance(count, bool) else None
    return Rows(digest, size, before if isinstance(before, str) and before else None)


def common(
    versions: Mapping[int, VersionFigures], metrics: Iterable[str] | None, name: str | None = None
) -> list[Common]:
    """Each metric on each rows that two versions or more were judged on (one, where there is but one), the newest last.

    `name` is that of figures as they are shown, and stands for the rows that any of the versions has them on. A version
    is judged by its own figure of that name where it has one there, else by its newest of the metric.
    """
    wanted = None if metrics is None else set(metrics)
    found: dict[tuple[str, str], dict[str | None, dict[int, Figure]]] = {}
    for number, figures in versions.items():
        for digest, by_name in figures.judged.items():
            for each in by_name.values():
                if wanted is None or each.metric in wanted:
                    of_task = found.setdefault((digest, each.metric), {}).setdefault(each.task, {})
                    of_task[number] = _chosen(of_task.get(number), each, name)
    called = None
    if name is not None:
        named = (each for of in versions.values() for each in of.named(name) if each.rows)
        called = {(digest, each.metric) for each in named if each.rows for digest in each.rows.digests}
    kept = (
        _common(metric, by_version, name)
        for (digest, metric), by_task in found.items()
        if called is None or (digest, metric) in called
        for by_version in _of_one_task(by_task)
        if len(by_version) >= min(2, len(versions))
    )
    return sorted(kept, key=lambda each: (each.newest, each.rows.digest, each.metric))


def _of_one_task(by_task: Mapping[str | None, dict[int, Figure]]) -> Iterable[dict[int, Figure]]:
    """The figures by version, apart by task; those of an unknown one belong to the only one that there is."""
    unknown = by_task.get(None, {})
    named = [figures for task, figures in by_task.items() if task is not None]
    if len(named) > 1 or not unknown or not named:
        return by_task.values()
    (only,) = named
    return [only | {number: _newer(only.get(number), figure) for number, figure in unknown.items()}]


def _chosen(one: Figure | None, other: Figure, name: str | None) -> Figure:
    """The one that is called so, else the newer one."""
    if one is not None and one.name != other.name and name in (one.name, other.name):
        return one if one.name == name else other
    return _newer(one, other)


def _newer(one: Figure | None, other: Figure) -> Figure:
    return other if one is None or other.seq >= one.seq else one


def shared(sides: Sequence[VersionFigures]) -> dict[str, tuple[Figure, ...]]:
    """By name, the figures that all sides have on the same rows; of several rows of one name the newest."""
    versions = dict(enumerate(sides))
    return {
        each.name: tuple(each.figures[number] for number in versions)
        for each in common(versions, None)
        if len(each.figures) == len(versions)
    }


def _common(metric: str, figures: Mapping[int, Figure], name: str | None) -> Common:
    latest = max(figures.values(), key=lambda figure: (figure.name != figure.metric, figure.seq))
    rows = latest.rows
    assert rows is not None
    return Common(name or latest.name, metric, rows, figures)
