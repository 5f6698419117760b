"""What differs between two versions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..answer import Result, Shortened
from ..description import WHOLE, Block, Words, arrow, dim, grid, number, section, text, title
from ..figures import change, count, figure, short
from ..judging.statistics import PairedTest
from ..version import Version
from ..words import language, say, word

PARTS: Final = ("hyperparameters", "architecture", "settings", "data", "metrics", "files", "code", "environment")
"""The parts of a diff, in the order they are shown in."""
MEASURES: Final = ("name", "", "elements", "norm", "relative", "cosine", "largest")
MOST: Final = 20
"""Tensors, and values of a part, that are shown where more of them differ."""


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
class Diff(Shortened):
    """What differs between two versions; each part maps a name to its (before, after), None where it is not there.

    `whole` has every tensor and value that differs, and the names of what is the same.
    """

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
    same: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """By part, tensors among them, the names of what both have and is the same."""
    test: PairedTest | None = None
    """The paired test by the usual figure of rows whose outcomes are kept of both: of `after` minus `before`."""

    def to_dict(self) -> dict[str, Any]:
        """Every part by its name, both versions whole; JSON-ready."""
        return super().to_dict() | {"before": self.before.to_dict(), "after": self.after.to_dict()}

    def described(self, *, whole: bool) -> Iterator[Block]:
        most = None if whole else MOST
        before, after = self.before, self.after
        other = f"{after.model} " if after.model != before.model else ""
        yield text(title(before.model), " ", number(before), f" {arrow()} {other}", number(after))
        parts = {name: getattr(self, name) for name in PARTS}
        if not any(parts.values()) and not self.tensors:
            yield word("nothing differs")
        for name, changes in parts.items():
            rows = list(_changes(changes, self.other_rows if name == "metrics" else ()))
            heading: Words = word(name)
            if most is not None and len(rows) > most:
                heading = text(f"{heading}  ", dim(str(say("{count} differ", count=f"{len(rows):,}"))))
            yield from section(heading, rows[:most])
            yield from _left(rows, most)
            if name == "metrics" and self.test is not None:
                yield from (text("  ", line) for line in self.test.lines())
        yield from self._changed_tensors(most)
        if most is None:
            yield from self._names_of_the_same()
        elif any(parts.values()) or self.tensors:
            yield from self._count_of_the_same()

    def _changed_tensors(self, most: int | None) -> Iterator[Block]:
        """The tensors that differ; where they are too many those first that changed their shape, then the most."""
        tensors = self.tensors
        if not tensors:
            return
        kinds = [tensor.status for tensor in tensors]
        counts = ", ".join(f"{kinds.count(kind):,} {_status(kind)}" for kind in dict.fromkeys(kinds))
        if most is not None and len(tensors) > most:
            tensors = tuple(sorted(tensors, key=_extent, reverse=True))
        measured = any(tensor.changed is not None for tensor in tensors)
        rows = [_tensor(tensor)[: None if measured else 2] for tensor in tensors]
        yield ""
        yield title(text(word("tensors"), "  ", dim(counts)))
        yield grid(rows[:most], head=map(word, MEASURES) if measured else (), right=range(2, 7), indent=2)
        yield from _left(rows, most, "  and {count} more that changed less; {whole}")

    def _count_of_the_same(self) -> Iterator[Block]:
        if counts := [count(len(names), _noun(part)) for part, names in self.same.items() if names]:
            told = {"parts": word(", ").join(counts), "whole": word(WHOLE)}
            yield from ("", dim(str(say("the same: {parts}; {whole}", **told))))

    def _names_of_the_same(self) -> Iterator[Block]:
        yield from section(
            word("the same"), ((word(part), ", ".join(names)) for part, names in self.same.items() if names)
        )


def _noun(part: str) -> str:
    """What one value of a part is called."""
    nouns = {"hyperparameters": "hyperparameter", "metrics": "metric", "files": "file", "tensors": "tensor"}
    return nouns.get(part, f"{part} value")


def _left(rows: Collection[Any], most: int | None, told: str = "  and {count} more; {whole}") -> Iterator[Block]:
    if most is not None and len(rows) > most:
        yield dim(str(say(told, count=f"{len(rows) - most:,}", whole=word(WHOLE))))


def _changes(changes: Mapping[str, tuple[Any, Any]], other_rows: Collection[str]) -> Iterator[tuple[Words, ...]]:
    for name, (before, after) in changes.items():
        step = text(f"{arrow()} ", text(_value(after), style="green"))
        by = word("rows not shared") if name in other_rows else change(before, after)
        yield name, text(_value(before), style="red"), step, dim(by)


def _value(value: Any) -> str:
    """A value as it stands beside another: of a digest as much as names it."""
    return short(value) if isinstance(value, str) and value.startswith(("sha256:", "blake3:")) else figure(value)


def _extent(tensor: TensorChange) -> tuple[bool, float]:
    """What sorts tensors by how much they changed; one that came, went or has another shape changed the most."""
    return tensor.relative is None, tensor.relative or 0.0


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
