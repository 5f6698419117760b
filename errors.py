"""The errors that Lepton raises: one sentence each, naming the rule, the thing and what to do.

LeptonError
├── Refused                trying again is vain                      exit 1
│   ├── UnknownRevision      nothing bears that name, number or digest
│   ├── UnknownStudy         there is no such study, or no such trial of it
│   ├── StudyExists          a study of that name is there
│   ├── TrialFinished        a trial came to its end, and nothing of it changes
│   ├── NotInPast            the branch was never there
│   ├── Stale                the branch or alias moved meanwhile
│   ├── Condemned            a pack the save relies on is about to be deleted
│   ├── KeyReused            an idempotency key came back with other content
│   ├── MissingChunks        chunks that a save names were not uploaded
│   ├── TooLarge             a command is more than goes onto Kafka at once
│   ├── RunTaken             another script goes on with a run
│   ├── Malformed            the input breaks a stated rule
│   │   └── Incompatible       a parameter is drawn from another distribution than before
│   ├── NewerLedger          written by a Lepton that knows more
│   ├── Forbidden            who asks has no right to it
│   ├── ReadOnly             the ledger is looked at as it was
│   └── GateNotMet           a measured condition was not met        exit 4
├── Unavailable            try again later; carries the key          exit 3
│   └── LockHeld             another process holds the lock, and does the work
└── Damaged                bytes are not what was recorded           exit 5
    └── NotAsSigned          history, or a proof of it, is not what was signed
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from .escapes import escaped

if TYPE_CHECKING:
    from pydantic import ValidationError


Door = Literal["python", "cli"]
"""Where words are read: in a program, or at a command line."""

_DOORS: Final[list[Door]] = ["python"]


@contextmanager
def read_at(door: Door) -> Generator[None]:
    """Have this process phrase its advice for those who read it there."""
    _DOORS.append(door)
    try:
        yield
    finally:
        _DOORS.pop()


def at_door(*, python: str, cli: str) -> str:
    """The words of two that fit whoever reads them: calls and arguments, or commands and options."""
    return cli if _DOORS[-1] == "cli" else python


class DataWarning(UserWarning):
    """Rows were read, and something about them is suspicious: a column that identifies a row or tells its label."""


class LeptonError(Exception):
    """Whatever Lepton raises on purpose; `exit_code` is what the command line returns for it.

    `python` and `cli` say what to do where that differs: the end of the sentence for whoever reads it there.
    """

    exit_code = 1
    kept: str | None = None
    """The name under which `lepton kept` lists what a save was given that ended with this error."""
    python: str = ""
    cli: str = ""

    def __init__(self, message: str = "", *, python: str = "", cli: str = "") -> None:
        super().__init__(message)
        self.python, self.cli = python, cli

    def __str__(self) -> str:
        return self._said(at_door(python=self.python, cli=self.cli))

    @property
    def fact(self) -> str:
        """The sentence as it is true at every door, without what to do at one of them."""
        return self._said("")

    def _said(self, advice: str) -> str:
        kept = f"what was to be saved is kept: `lepton adopt {self.kept}` takes it in, also elsewhere"
        return escaped("; ".join(filter(None, (super().__str__(), advice, kept if self.kept else ""))))

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.args), self.__dict__

    def kept_as(self, name: str) -> None:
        """Say under which name what was to be saved is kept, and how it is taken in."""
        self.kept = name


class Refused(LeptonError):
    """A rule forbids it, and trying again is vain."""


class UnknownRevision(Refused):
    """A revision names no version."""


class UnknownStudy(Refused):
    """There is no such study, or no such trial of it."""


class StudyExists(Refused):
    """A study of that name is there."""


class TrialFinished(Refused):
    """A trial came to its end, and nothing of it changes."""


class NotInPast(Refused):
    """A rollback aimed at a version that the branch never reached."""

    def __init__(self, version: int, branch: str) -> None:
        super().__init__(
            f"branch {branch!r} never reached version {version}; `lepton log {branch}` lists where it has been"
        )
        self.version = version
        self.branch = branch


class Stale(Refused):
    """Something moved between the caller's look and the caller's act."""

    def __init__(self, what: str, expected: object, found: object, remedy: str) -> None:
        super().__init__(f"{what} is at {found}, not at {expected}; {remedy}")
        self.what = what
        self.expected = expected
        self.found = found


class Condemned(Refused):
    """A pack that the save relies on is condemned; its tensors must be uploaded anew."""

    def __init__(self, packs: Sequence[str]) -> None:
        super().__init__(f"pack {', '.join(packs)} is condemned; save again, which uploads its tensors anew")
        self.packs = tuple(packs)


class KeyReused(Refused):
    """An idempotency key came back with other content."""

    def __init__(self, key: str) -> None:
        super().__init__(f"key {key!r} was already used for another command; use a fresh key, or none")
        self.key = key


class MissingChunks(Refused):
    """Chunks that a save over HTTP names are neither staged nor in a version that it goes on from."""

    def __init__(self, chunks: Sequence[str]) -> None:
        super().__init__(f"{len(chunks):,} chunks are missing, {chunks[0]} first; upload them, then save again")
        self.chunks = tuple(chunks)


class TooLarge(Refused):
    """A command would become more than one batch on Kafka holds, and it must be there whole or not at all."""

    def __init__(self, command: str, events: int, limit: int) -> None:
        super().__init__(
            f"the events of one {command}, {events:,} of them, would take more than the {limit:,} bytes that a command "
            "may; ask for it in parts, a command each"
        )
        self.command = command
        self.events = events
        self.limit = limit


class RunTaken(Refused):
    """Another script goes on with a run: what both told would be mixed."""

    def __init__(self, run: str) -> None:
        super().__init__(f"run {run} goes on elsewhere, or was ended there; this script logs to it no more")
        self.run = run


class Malformed(Refused):
    """The input breaks a stated rule."""


class Incompatible(Malformed):
    """A parameter is drawn from another distribution than before in its study."""


class NewerLedger(Refused):
    """The ledger holds what only a newer Lepton understands."""


class Forbidden(Refused):
    """Who asks has no right to it: a scope that their token lacks, or a model that it is not for."""

    def __init__(self, scope: str, model: str | None = None) -> None:
        where = "" if model is None else " on all models" if model == "*" else f" on model {model!r}"
        super().__init__(
            f"this needs the scope {scope}{where}, which who asks does not have; an administrator makes a token that "
            "has it with `lepton token create`"
        )
        self.scope = scope
        self.model = model


class ReadOnly(Refused):
    """Something was to be written where the ledger is looked at as it was."""

    def __init__(self, seq: int) -> None:
        super().__init__(f"the ledger is looked at as it was behind event {seq}; write to it as it is now")
        self.seq = seq


class GateNotMet(Refused):
    """A measured condition was not met; `requirements` are what was asked of the version, where the gate says so."""

    exit_code = 4
    requirements: tuple[str, ...] = ()

    def __init__(self, message: str = "", *, requirements: Sequence[str] = (), python: str = "", cli: str = "") -> None:
        super().__init__(message, python=python, cli=cli)
        self.requirements = tuple(requirements)


class Unavailable(LeptonError):
    """A part is away for now: try again with the same `key`, which acts once however often it is sent."""

    exit_code = 3

    def __init__(self, message: str, *, key: str | None = None) -> None:
        super().__init__(message)
        self.key = key


class LockHeld(Unavailable):
    """Another process holds a lock, so the work is being done; the database that told so is there."""


class Damaged(LeptonError):
    """Stored bytes are not what was recorded."""

    exit_code = 5

    def __init__(self, thing: str, *, expected: str, found: str) -> None:
        super().__init__(f"{thing} is damaged: expected {expected}, found {found}; `lepton fsck` lists all damage")
        self.thing = thing
        self.expected = expected
        self.found = found


class NotAsSigned(Damaged):
    """What was signed is not what is there: a history, a proof or the text of a signed head."""

    def __init__(self, thing: str, *, expected: str, found: str, remedy: str) -> None:
        LeptonError.__init__(self, f"{thing} is not what was signed: expected {expected}, found {found}; {remedy}")
        self.thing = thing
        self.expected = expected
        self.found = found


def recorded(error: BaseException) -> str:
    """An error's words as they are recorded: who reads them later may come by another door."""
    if isinstance(error, LeptonError):
        return error.fact
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an error of somebody's own, whose words raise
        return type(error).__name__


def _restored(kind: type[LeptonError], words: tuple[Any, ...]) -> LeptonError:
    """An error as it was, whatever its `__init__` takes: its sentence, and what `__reduce__` gives beside."""
    return kind.__new__(kind, *words)


class Fault(NamedTuple):
    """The first thing that pydantic has against a value, for one sentence."""

    place: str
    words: str
    kind: str


def first_fault(error: ValidationError, whole: str) -> Fault:
    """The first fault of a value, which is called `whole` where the fault is in no field of it."""
    first = error.errors(include_url=False, include_input=False)[0]
    return Fault(".".join(map(str, first["loc"])) or whole, first["msg"].lower(), first["type"])
