"""The kinds of work: what each is asked with, what it needs of the ledger, and what it may make."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, TypeVar, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from ...errors import Malformed, first_fault
from ...events.event import Digest, Hyperparameters, Number
from ...plain import plain
from ..model.metric import Better
from ..names import JOB_PREFIX, checked_name, checked_rows

if TYPE_CHECKING:
    from ..model.state import ModelState

BranchName = Annotated[str, AfterValidator(lambda name: checked_name(name, "branch"))]
Directions = dict[str, Better]
"""Which way metrics are better, by name, where nobody knows yet."""
TagName = Annotated[str, AfterValidator(lambda name: checked_name(name, "tag"))]


def _or_made_by_job(value: Any, number: ValidatorFunctionWrapHandler) -> Any:
    return value if isinstance(value, str) and _MADE_BY_JOB.fullmatch(value) else number(value)


SEARCH: Final = "tune"
"""The kind of searches: who gives jobs out runs them, and their trials are jobs."""
SEARCHES: Final = "searches"
"""The pool of those who run searches."""
_MADE_BY_JOB: Final = re.compile(f"{JOB_PREFIX}[^@~^]+")


class Payload(BaseModel):
    """What a job of one kind is asked with; a subclass names the kind by `kind: Literal[...]`, as it is stored.

    What the kind needs and may make follows from the classes that it is made of, those below.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)
    kind: Any
    takes: ClassVar[tuple[str, ...]] = ()
    """The fields that hold a version: its number, or `job:ID` until that job has made it."""

    @classmethod
    def kind_name(cls) -> str:
        """The name that the kind is stored under, which a worker announces as a capability."""
        return cls.model_fields["kind"].default

    def base(self, model: ModelState) -> int | None:  # noqa: ARG002 - a kind that needs none
        """The version that the work goes on from or looks at, as the model stands; None where it needs none."""
        return None


class NamedRowsAsked(BaseModel):
    """The rows of a name that work is asked for on: what they are, so that no others are taken for them."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    name: str
    version: Number
    digest: str
    rows: Annotated[int, Field(ge=1)]
    label: str | None = None
    types: dict[str, Literal["number", "category", "date"]] = {}
    drop: tuple[str, ...] = ()
    columns: tuple[str, ...] | None = None
    kept: Digest | None = None
    """What the object store keeps of them; without it the job's source says where they lie."""


class LabelledRows(Payload):
    """It reads rows with a column of labels, from the file that the job's source names or by the name they bear."""

    label: Annotated[str, Field(min_length=1)]
    types: dict[str, Literal["number", "category", "date"]] = {}
    """What columns hold, by name, where it was said."""
    drop: tuple[str, ...] = ()
    """Columns that are left out."""
    columns: tuple[str, ...] | None = None
    """The only columns that are read; None for all."""
    named: NamedRowsAsked | None = None


class LogsMetrics(Payload):
    """An attempt logs metrics, which a run tells, with the hyperparameters chosen."""

    hyperparameters: Hyperparameters = {}


class MakesVersion(Payload):
    """It makes the next version of a branch, from the one that the branch stands on."""

    branch: BranchName = "main"
    tags: tuple[TagName, ...] = ()
    better: Directions = {}

    def base(self, model: ModelState) -> int | None:
        return model.head(self.branch)


class JudgesVersion(Payload):
    """It makes an evaluation of a version; `name` is what the rows are called.

    What its report is asked with is as `evaluation.request.ReportRequest` has it, by names of columns alone.
    """

    takes: ClassVar = ("version",)
    version: Annotated[Number, WrapValidator(_or_made_by_job)]
    """Its number, or `job:ID` until that job has made it."""
    name: Annotated[str, AfterValidator(checked_rows)] = ""
    better: Directions = {}
    task: str | None = None
    groups: str | None = None
    block: Annotated[int, Field(ge=1)] | None = None
    stratified: bool = False
    slices: bool | tuple[str, ...] = False
    sensitive: tuple[str, ...] = ()
    costs: dict[str, float] | None = None
    cost_matrix: dict[str, dict[str, float]] | None = None
    metrics: tuple[str, ...] = ()
    outputs: Literal["logits", "probabilities", "values"] | None = None
    draws: Annotated[int, Field(ge=0, le=100_000)] = 1000
    level: Annotated[float, Field(ge=0.5, lt=1)] = 0.95
    seed: Annotated[int, Field(ge=0, lt=2**53)] = 0
    keep_outcomes: bool = True

    def base(self, model: ModelState) -> int | None:  # noqa: ARG002 - whichever stands
        return self.judged

    @property
    def judged(self) -> int:
        """The version's number. Raises `Malformed` while the job that makes it has not."""
        said = cast("int | str", self.version)
        if isinstance(said, str):
            raise Malformed(f"{said} has made no version yet; wait for that job")
        return said


class JudgesBySuite(JudgesVersion):
    """It judges a version on a suite's rows; what these are stands in `named`, by the suite's name and number."""

    suite: str
    suite_version: Number


class UnknownKind(MakesVersion, LogsMetrics, JudgesVersion):
    """A kind that is declared elsewhere, in the worker and where the job was submitted: it may do what others do."""

    kind: str = ""
    version: Any = None

    def base(self, model: ModelState) -> int | None:
        return super().base(model) if self.version is None else self.version


REPORT_OPTIONS: Final = (
    "groups", "block", "stratified", "slices", "sensitive", "costs", "cost_matrix", "metrics", "outputs", "draws",
    "level", "seed", "keep_outcomes",
)  # fmt: skip
"""What the report of an evaluation is asked with."""
KINDS: Final[dict[str, type[Payload]]] = {}
"""Every kind of work that this process knows, by its stored name; `workers/tasks/` declares Lepton's own."""
P = TypeVar("P", bound=Payload)


def declare(payload: type[P]) -> type[P]:
    """Make a kind of work known; declared again, as a notebook does, it is replaced."""
    KINDS[payload.kind_name()] = payload
    return payload


def checked_payload(kind: str, payload: Mapping[str, Any]) -> Payload:
    """What a job is about to be asked with. Raises `Malformed` in one sentence; what its kind does not know is too."""
    if kind not in KINDS:
        raise Malformed(f"there is no kind of work {kind!r}; there are {', '.join(sorted(KINDS))}")
    return _parsed(KINDS[kind], plain(payload, "payload"), "forbid")


def payload_of(kind: str, payload: Mapping[str, Any]) -> Payload:
    """What a job was asked with, as its event keeps it; keys that nobody knows any more or not yet are passed over.

    Raises `Malformed` for what was kept before payloads were checked and is none of its kind.
    """
    return _parsed(KINDS.get(kind, UnknownKind), payload, "ignore")


def _parsed(kind: type[Payload], payload: Mapping[str, Any], extra: Any) -> Payload:
    try:
        return kind.model_validate({**payload, "kind": kind.kind_name()}, extra=extra)
    except ValidationError as error:
        place, message, _ = first_fault(error, "value")
        takes = ", ".join(field.alias or name for name, field in kind.model_fields.items() if name != "kind")
        raise Malformed(f"payload of kind {kind.kind_name()!r}, {place}: {message}; it takes {takes}") from None
