"""What differs between versions, and which is best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .answer import Result
from .version import Version


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
