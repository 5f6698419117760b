"""The frozen answers that Lepton gives: a line for people, a dictionary for programs, HTML for notebooks."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from html import escape
from typing import Any, Final, cast


@dataclass(frozen=True)
class Performance:
    """How a binary classifier did on labelled data; a figure that the data leaves undefined is `None`.

    `str()` is one line for people (Chinese; English where LEPTON_LANG=en), `repr()` has all figures and no language.
    `precision`, `recall` and `f1` are the positive class's at `threshold`; `ece` is over 15 bins of equal width.
    """

    accuracy: float
    precision: float | None
    recall: float | None
    f1: float | None
    roc_auc: float | None
    ks: float | None
    gini: float | None
    brier: float
    ece: float
    log_loss: float
    true_negatives: int
    false_positives: int
    false_negatives: int
    true_positives: int
    threshold: float

    @property
    def n(self) -> int:
        """Rows that were judged."""
        return self.true_negatives + self.false_positives + self.false_negatives + self.true_positives

    @property
    def positives(self) -> int:
        """Rows whose label is the positive class."""
        return self.false_negatives + self.true_positives

    @property
    def confusion(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Rows are the true class, columns the predicted one, negative first: ((TN, FP), (FN, TP))."""
        return ((self.true_negatives, self.false_positives), (self.false_negatives, self.true_positives))

    def to_dict(self) -> dict[str, Any]:
        """Every figure by name, with `n` and `positives`; JSON-ready, undefined figures are None."""
        return asdict(self) | {"n": self.n, "positives": self.positives}

    def figures(self) -> dict[str, float]:
        """Every figure by name that the data defines: metrics that can be recorded."""
        return {name: float(value) for name, value in self.to_dict().items() if value is not None}

    def __str__(self) -> str:
        """The line that MISSION's sample prints: precision, recall and F1 to two decimals."""
        figures = (self.precision, self.recall, self.f1)
        if os.environ.get("LEPTON_LANG", "zh").lower().startswith("en"):
            words = ("precision ", "recall ", "F1 ")
            return ", ".join(word + _decimals(figure, "undefined") for word, figure in zip(words, figures, strict=True))
        words = ("精度", "召回率", "F1分数")
        return "，".join(word + _decimals(figure, "无定义") for word, figure in zip(words, figures, strict=True))

    def _repr_html_(self) -> str:
        """A table of two columns, one row a figure."""
        rows = ((field.name, getattr(self, field.name)) for field in fields(self))
        cells = "".join(f"<tr><th>{escape(name)}</th><td>{_cell(figure)}</td></tr>" for name, figure in rows)
        return f"<table><tbody>{cells}</tbody></table>"


def _decimals(figure: float | None, undefined: str) -> str:
    return undefined if figure is None else f"{figure:.2f}"


def _cell(figure: float | None) -> str:
    if figure is None:
        return "&mdash;"
    return str(figure) if isinstance(figure, int) else f"{figure:.4f}"


class Version(int):
    """A version's number, which it prints and hashes as; it knows its model, so it works beside other models."""

    model: str
    digest: str
    branch: str
    parents: tuple[tuple[int, str], ...]

    def __new__(
        cls, number: int, *, model: str, digest: str, branch: str, parents: tuple[tuple[int, str], ...] = ()
    ) -> Version:
        """A version of `model`; `parents` are (number, role)."""
        made = super().__new__(cls, number)
        made.model, made.digest, made.branch, made.parents = model, digest, branch, parents
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return _version, (int(self), self.model, self.digest, self.branch, self.parents)

    def __repr__(self) -> str:
        return f"Version({int(self)}, model={self.model!r}, digest={self.digest!r}, branch={self.branch!r})"

    def __str__(self) -> str:
        return int.__repr__(self)

    def to_dict(self) -> dict[str, Any]:
        """Number, model, digest, branch and parents."""
        parents = [{"version": number, "role": role} for number, role in self.parents]
        return {
            "version": int.__int__(self),
            "model": self.model,
            "digest": self.digest,
            "branch": self.branch,
            "parents": parents,
        }


class PendingVersion(Version):
    """A version that waits in the spool while the ledger is away: it has a key, and no number yet.

    It serves as a parent of later saves and, once it was delivered, wherever a revision does; until then whatever
    needs its number raises. Two are equal where their keys are.
    """

    key: str

    def __new__(cls, key: str, *, model: str, branch: str) -> PendingVersion:
        """The version that the save under `key` will become."""
        made = super().__new__(cls, 0, model=model, digest="", branch=branch)
        assert isinstance(made, PendingVersion)
        made.key = key
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return _pending, (self.key, self.model, self.branch)

    def __repr__(self) -> str:
        return f"PendingVersion({self.key!r}, model={self.model!r}, branch={self.branch!r})"

    def __str__(self) -> str:
        return "pending" if os.environ.get("LEPTON_LANG", "zh").lower().startswith("en") else "待定"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec.rstrip("dn"))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PendingVersion) and other.key == self.key

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.key)

    def __bool__(self) -> bool:
        return True

    def to_dict(self) -> dict[str, Any]:
        """As a version's, with its key; number and digest are None."""
        return super().to_dict() | {"version": None, "digest": None, "key": self.key}

    def _number(self, *_: Any) -> Any:
        raise ValueError("the version is pending: it gets its number when `lepton sync` has delivered it")

    # an int's own methods would answer with a number that is none
    __int__ = __index__ = __float__ = __neg__ = __lt__ = __le__ = __gt__ = __ge__ = _number
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __mod__ = __floordiv__ = __truediv__ = _number


def _pending(key: str, model: str, branch: str) -> PendingVersion:
    return PendingVersion(key, model=model, branch=branch)


def _version(number: int, model: str, digest: str, branch: str, parents: tuple[tuple[int, str], ...]) -> Version:
    return Version(number, model=model, digest=digest, branch=branch, parents=parents)


WIDTH: Final = 100
"""Characters of a field that `str()` of an answer shows."""


class Result:
    """An answer: its fields as attributes, in short, as a dictionary of plain JSON, and as HTML in a notebook."""

    def to_dict(self) -> dict[str, Any]:
        """Every field by its name, JSON-ready."""
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}  # pyright: ignore

    def __str__(self) -> str:
        """A line a field that says something, cut where it is long; `repr()` has all."""
        told = ((name, _brief(value)) for name, value in self.to_dict().items() if value is not None)
        return "\n".join(f"{name}: {words}" for name, words in told if words)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>" for name, value in self.to_dict().items()
        )
        return f"<table><tbody>{rows}</tbody></table>"


def _brief(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, Any]", value).items()
        value = ", ".join(f"{name} {_brief(each)}" for name, each in pairs if each is not None)
    elif isinstance(value, list):
        value = "; ".join(map(_brief, cast("list[Any]", value)))
    text = str(value)
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"


def plain(value: Any) -> Any:
    """A value as plain JSON: results and versions as dictionaries, times as RFC 3339, tuples as lists, and numbers
    that JSON has no word for as text, as in the ledger's events."""
    if isinstance(value, float):
        return value if math.isfinite(value) else "NaN" if math.isnan(value) else f"{'-' * (value < 0)}Infinity"
    if isinstance(value, Version):
        return value.to_dict()["version"]
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in cast("list[Any]", value)]
    return value


@dataclass(frozen=True)
class LogEntry(Result):
    """One line of history: a version that was committed, or a move of a branch or alias."""

    seq: int
    time: datetime
    kind: str
    """committed, merged, created, moved, rolled_back or deleted."""
    actor: str
    message: str
    version: Version | None
    """Where the ref stands afterwards, None where it was deleted."""
    from_version: int | None
    ref: str
    parents: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    """The branches whose head the version is now."""
    aliases: tuple[str, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True)
class Log(Result):
    """A model's history, newest first."""

    model: str
    entries: tuple[LogEntry, ...]

    def __iter__(self) -> Iterator[LogEntry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __str__(self) -> str:
        return "\n".join(_line(entry) for entry in self.entries)


def _line(entry: LogEntry) -> str:
    names = ", ".join((*entry.branches, *(f"tag {tag}" for tag in entry.tags), *entry.aliases))
    where = (
        f"{entry.version}"
        if entry.kind in ("committed", "merged", "created")
        else f"{entry.from_version or '-'} → {entry.version or '-'}"
    )
    return (
        f"{where:>8}  {entry.time:%Y-%m-%d %H:%M}  {entry.ref} {entry.kind}"
        + (f" ({names})" if names else "")
        + (f"  {entry.message}" if entry.message else "")
    )


@dataclass(frozen=True)
class ModelRecord(Result):
    """A model at a glance."""

    model: str
    description: str
    archived: bool
    versions: int
    """How many there are."""
    changed: datetime | None
    """When the last version was committed."""
    branches: Mapping[str, Version]
    tags: Mapping[str, Version]
    aliases: Mapping[str, Version]


@dataclass(frozen=True)
class VersionRecord(Result):
    """All that a version recorded."""

    version: Version
    seq: int
    time: datetime
    actor: str
    message: str
    description: str
    tags: tuple[str, ...]
    branches: tuple[str, ...]
    aliases: tuple[str, ...]
    hyperparameters: Mapping[str, Any]
    architecture: Mapping[str, Any]
    settings: Mapping[str, Any]
    data: Mapping[str, Any] | None
    derivation: Mapping[str, Any] | None
    environment: Mapping[str, Any]
    code: Mapping[str, Any]
    metrics: Mapping[str, float]
    annotations: Mapping[str, Any]
    files: tuple[Mapping[str, Any], ...]
    tensors: tuple[Mapping[str, Any], ...]
    """Each with name, dtype, shape, bytes and digest."""
    parameters: int
    bytes: int
    keyframe: bool
    delta: Mapping[str, Any] | None
    """The exact difference from the first parent, where one was kept."""
    run: str | None


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


@dataclass(frozen=True)
class Rehearsal(Result):
    """How head and target of a rollback did on the same rows."""

    model: str
    from_version: int
    to_version: int
    metric: str
    metrics_from: Mapping[str, float]
    metrics_to: Mapping[str, float]
    difference: Mapping[str, float]
    """Metric of the target minus metric of the head."""
    worse: bool


@dataclass(frozen=True)
class RollbackPlan(Result):
    """What a rollback would change."""

    model: str
    ref: str
    from_version: Version
    to_version: Version
    crossed: tuple[int, ...]
    """Versions that the ref would leave, beside the one it stands on."""
    tensors_changed: int
    bytes_changed: int
    """Raw bytes of the tensors that differ."""
    bytes_read: int
    """Stored bytes that the restore reads."""
    deltas: int
    """How many exact deltas the restore replays."""
    metrics_now: Mapping[str, float]
    metrics_then: Mapping[str, float]
    aliases_left_behind: tuple[str, ...]
    aliases_taken_along: Mapping[str, int]
    """Each with the version that it leaves."""
    rehearsal: Rehearsal | None


@dataclass(frozen=True)
class RolledBack(Result):
    """A rollback that took place, or that had nothing to do."""

    model: str
    ref: str
    from_version: Version
    to_version: Version
    replayed: tuple[str, ...]
    """Digests of the deltas that the restore replayed, in order."""
    rehearsal: Rehearsal | None
    moved: bool
    """Whether the branch or alias itself moved."""
    aliases_taken_along: Mapping[str, int]
    """Each with the version that it left."""


@dataclass(frozen=True)
class Suggestion(Result):
    """Versions to roll back to, best first, each with its figures and why."""

    model: str
    branch: str
    metric: str | None
    candidates: tuple[Mapping[str, Any], ...]
    words: str
    """Where the branch stands, and which version is suggested why."""

    @property
    def version(self) -> int:
        """The version proposed."""
        return self.candidates[0]["version"]

    def __str__(self) -> str:
        return "\n".join((self.words, *(str(candidate["words"]) for candidate in self.candidates)))


@dataclass(frozen=True)
class Evaluation(Result):
    """How a version did on a data set, as it was recorded."""

    version: Version
    name: str
    performance: Performance

    def __str__(self) -> str:
        return str(self.performance)


@dataclass(frozen=True)
class Verified(Result):
    """A log whose Merkle root was recomputed from its stored bytes and found to be the recorded one."""

    ledger: str
    size: int
    root: str
    forgotten: int = field(default=0, compare=False)
    """How many actors acted whose names are forgotten; no part of what was verified."""


@dataclass(frozen=True)
class Synced(Result):
    """What became of what waited in the spool: each entry with kind, key, actor, time, and `version` or `reason`."""

    delivered: tuple[Mapping[str, Any], ...]
    refused: tuple[Mapping[str, Any], ...]
    """All that stand aside, those of earlier times too."""
