"""What differs between versions, and which is best."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .answer import Result
from .description import Block, Words, arrow, dim, grid, number, section, text, title
from .figures import change, figure, short
from .version import Version

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
    tensors: tuple[TensorChange, ...]

    def blocks(self) -> Iterator[Block]:
        before, after = self.before, self.after
        other = f"{after.model} " if after.model != before.model else ""
        yield text(title(before.model), " ", number(before), f" {arrow()} {other}", number(after))
        parts = {name: getattr(self, name) for name in PARTS}
        if not any(parts.values()) and not self.tensors:
            yield "nothing differs"
        for name, changes in parts.items():
            yield from section(name, _changes(changes))
        if self.tensors:
            kinds = [tensor.status for tensor in self.tensors]
            counts = ", ".join(f"{kinds.count(kind):,} {kind}" for kind in dict.fromkeys(kinds))
            measured = any(tensor.changed is not None for tensor in self.tensors)
            rows = [_tensor(tensor)[: None if measured else 2] for tensor in self.tensors]
            yield ""
            yield title(text("tensors  ", dim(counts)))
            yield grid(rows, head=MEASURES if measured else (), right=range(2, 7), indent=2)


@dataclass(frozen=True)
class Comparison(Result):
    """Versions side by side, best first by `metric`."""

    model: str
    metric: str
    versions: tuple[Version, ...]
    metrics: tuple[Mapping[str, float], ...]

    @property
    def best(self) -> Version:
        """The version that does best by `metric`; of equals the newest."""
        return self.versions[0]

    def blocks(self) -> Iterator[Block]:
        names = [self.metric, *sorted(set[str]().union(*self.metrics) - {self.metric})]
        rows: list[list[Words]] = [
            [number(version), version.branch, *(figure(metrics.get(name)) for name in names)]
            for version, metrics in zip(self.versions, self.metrics, strict=True)
        ]
        rows[0][2] = text(rows[0][2], style="green bold")
        yield title(self.model)
        yield grid(rows, head=("version", "branch", *names), right=(0, *range(2, len(names) + 2)))


def _changes(changes: Mapping[str, tuple[Any, Any]]) -> Iterator[tuple[Words, ...]]:
    for name, (before, after) in changes.items():
        step = text(f"{arrow()} ", text(_value(after), style="green"))
        yield name, text(_value(before), style="red"), step, dim(change(before, after))


def _value(value: Any) -> str:
    """A value as it stands beside another: of a digest as much as names it."""
    return short(value) if isinstance(value, str) and value.startswith(("sha256:", "blake3:")) else figure(value)


def _tensor(tensor: TensorChange) -> tuple[Words, ...]:
    colour = {"added": "green", "removed": "red"}.get(tensor.status, "yellow")
    share = "" if tensor.changed is None else f"{tensor.changed:.1%}"
    relative = "" if tensor.relative is None else f"{tensor.relative:.2%}"
    norm, cosine, largest = (
        "" if value is None else f"{value:.4g}" for value in (tensor.l2, tensor.cosine, tensor.max_abs)
    )
    return tensor.name, text(tensor.status, style=colour), share, norm, relative, cosine, largest
