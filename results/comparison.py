"""What differs between versions, and which is best."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .answer import Result
from .description import Block, Words, arrow, dim, grid, number, section, text, title
from .figures import change, figure, short, told
from .version import Version
from .words import language, say, word

PARTS: Final = ("hyperparameters", "architecture", "settings", "data", "metrics", "files", "code", "environment")
"""The parts of a diff, in the order they are shown in."""
MEASURES: Final = ("name", "", "elements", "norm", "relative", "cosine", "largest")


@dataclass(frozen=True)
class TensorChange(Result):
    """How much one tensor changed: share of elements, norms of the difference, cosine of the two."""

    name: str
    status: str
    """changed, added, removed or reshaped."""
    changed: float | None = None
    l2: float | None = None
    relative: float | None = None
    cosine: float | None = None
    max_abs: float | None = None


@dataclass(frozen=True)
class Diff(Result):
    """What differs between two versions; each part maps a name to its (before, after), None where it is not there."""

    before: Version
    after: Version
    hyperparameters: Mapping[str, tuple[Any, Any]]
    architecture: Mapping[str, tuple[Any, Any]]
    settings: Mapping[str, tuple[Any, Any]]
    data: Mapping[str, tuple[Any, Any]]
    environment: Mapping[str, tuple[Any, Any]]
    code: Mapping[str, tuple[Any, Any]]
    files: Mapping[str, tuple[Any, Any]]
    metrics: Mapping[str, tuple[Any, Any]]
    other_rows: tuple[str, ...]
    """The metrics that were not measured on the same rows before and after: their figures make no step."""
    tensors: tuple[TensorChange, ...]

    def blocks(self) -> Iterator[Block]:
        before, after = self.before, self.after
        other = f"{after.model} " if after.model != before.model else ""
        yield text(title(before.model), " ", number(before), f" {arrow()} {other}", number(after))
        parts = {name: getattr(self, name) for name in PARTS}
        if not any(parts.values()) and not self.tensors:
            yield word("nothing differs")
        for name, changes in parts.items():
            yield from section(word(name), _changes(changes, self.other_rows if name == "metrics" else ()))
        if self.tensors:
            kinds = [tensor.status for tensor in self.tensors]
            counts = ", ".join(f"{kinds.count(kind):,} {_status(kind)}" for kind in dict.fromkeys(kinds))
            measured = any(tensor.changed is not None for tensor in self.tensors)
            rows = [_tensor(tensor)[: None if measured else 2] for tensor in self.tensors]
            yield ""
            yield title(text(word("tensors"), "  ", dim(counts)))
            yield grid(rows, head=map(word, MEASURES) if measured else (), right=range(2, 7), indent=2)


@dataclass(frozen=True)
class Comparison(Result):
    """Versions side by side: best first by `metric` on rows that all were judged on, else in the order named."""

    model: str
    metric: str | None
    """What they are ranked by; None where they are not ranked."""
    on: Mapping[str, Any] | None
    """The rows that they are ranked on: their digest, and how many."""
    versions: tuple[Version, ...]
    metrics: tuple[Mapping[str, float], ...]
    rows: tuple[Mapping[str, Mapping[str, Any]], ...]
    """By the name of a figure the rows it was measured on, where they are known."""
    words: str
    """Why they are not ranked; empty where they are."""

    @property
    def best(self) -> Version | None:
        """The version that does best by `metric`, of equals the newest; None where they are not ranked."""
        return None if self.metric is None else self.versions[0]

    def blocks(self) -> Iterator[Block]:
        own = [] if self.metric is None else [self.metric]
        names = [*own, *sorted(set[str]().union(*self.metrics) - {*own})]
        marks = self._marks(names)
        rows: list[list[Words]] = [
            [number(version), version.branch, *(self._cell(place, name, marks) for name in names)]
            for place, version in enumerate(self.versions)
        ]
        if self.metric is not None:
            rows[0][2] = text(rows[0][2], style="green bold")
            by = {"model": title(self.model), "metric": self.metric, "rows": told(self.on)}
            yield say("{model} by {metric} on {rows}", **by)
        else:
            yield title(self.model)
        yield grid(rows, head=(word("version"), word("branch"), *names), right=(0, *range(2, len(names) + 2)))
        yield from (dim(f"{mark}: {words}") for words, mark in marks.items())
        if self.words:
            yield self.words

    def _marks(self, names: Iterable[str]) -> dict[str, str]:
        """Letters for rows, where a column holds figures of several."""
        marks: dict[str, str] = {}
        for name in names:
            kinds = dict.fromkeys(self._rows(place, name) for place, of in enumerate(self.metrics) if name in of)
            if len(kinds) > 1 or (kinds.keys() == {told(None)} and len(self.metrics) > 1):
                for words in kinds:
                    marks.setdefault(words, _letter(len(marks)))
        return marks

    def _cell(self, place: int, name: str, marks: Mapping[str, str]) -> Words:
        mark = marks.get(self._rows(place, name), "") if name in self.metrics[place] else ""
        return text(figure(self.metrics[place].get(name)), dim(f" {mark}" if mark else ""))

    def _rows(self, place: int, name: str) -> str:
        return told(self.rows[place].get(name))


def _letter(place: int) -> str:
    return chr(ord("a") + place) if place < 26 else f"{_letter(place // 26 - 1)}{_letter(place % 26)}"


def _changes(changes: Mapping[str, tuple[Any, Any]], other_rows: Collection[str]) -> Iterator[tuple[Words, ...]]:
    for name, (before, after) in changes.items():
        step = text(f"{arrow()} ", text(_value(after), style="green"))
        by = word("rows not shared") if name in other_rows else change(before, after)
        yield name, text(_value(before), style="red"), step, dim(by)


def _value(value: Any) -> str:
    """A value as it stands beside another: of a digest as much as names it."""
    return short(value) if isinstance(value, str) and value.startswith(("sha256:", "blake3:")) else figure(value)


def _status(status: str) -> str:
    return word("changed_tensor") if status == "changed" and language() == "zh" else word(status)


def _tensor(tensor: TensorChange) -> tuple[Words, ...]:
    colour = {"added": "green", "removed": "red"}.get(tensor.status, "yellow")
    share = "" if tensor.changed is None else f"{tensor.changed:.1%}"
    relative = "" if tensor.relative is None else f"{tensor.relative:.2%}"
    norm, cosine, largest = (
        "" if value is None else f"{value:.4g}" for value in (tensor.l2, tensor.cosine, tensor.max_abs)
    )
    return tensor.name, text(_status(tensor.status), style=colour), share, norm, relative, cosine, largest
