"""The aggregate of one suite: its definitions, and whether it still judges."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from ...errors import Refused, UnknownRevision
from ...events.envelope import Recorded
from ...events.suite import SuiteDefined, SuiteRetired


@dataclass(frozen=True, slots=True)
class SuiteVersion:
    """One definition of a suite, and its place in the log."""

    number: int
    seq: int
    recorded: datetime
    actor: str
    event: SuiteDefined
    until: int | None = None
    """The `seq` at which the suite was retired while it counted."""

    @property
    def words(self) -> str:
        """The suite's name with the number of this definition."""
        return f"{self.event.suite}@{self.number}"


@dataclass(frozen=True, slots=True)
class SuiteState:
    """What a suite's events add up to."""

    name: str = ""
    versions: tuple[SuiteVersion, ...] = ()
    retired: int | None = None
    """The `seq` at which it was retired, None while it judges."""
    reason: tuple[str, str] = ("", "")
    """Why it was retired: by whom, and the sealed text."""

    @property
    def newest(self) -> SuiteVersion:
        """The definition that counts. Raises `UnknownRevision` where there is none."""
        if not self.versions:
            raise UnknownRevision(f"there is no suite {self.name!r}; `lepton suite list` lists them")
        return self.versions[-1]

    def version(self, number: int) -> SuiteVersion:
        """A definition by its number. Raises `UnknownRevision`."""
        if 0 < number <= len(self.versions):
            return self.versions[number - 1]
        many = f"its versions are 1 to {len(self.versions)}" if self.versions else "nobody defined it"
        raise UnknownRevision(f"suite {self.name!r} has no version {number}; {many}")

    @property
    def watched(self) -> tuple[str, ...]:
        """The models whose branches its definitions watched."""
        return tuple(dict.fromkeys(each.event.model for each in self.versions if each.event.model is not None))

    @property
    def judging(self) -> SuiteVersion:
        """As `newest`, of a suite that still judges; else `Refused`."""
        newest = self.newest
        if self.retired is not None:
            raise Refused(
                f"suite {self.name!r} is retired and judges no more versions",
                python="define_suite opens it again",
                cli="`lepton suite define` opens it again",
            )
        return newest

    def at(self, seq: int) -> SuiteVersion | None:
        """The definition that counted when event `seq` was recorded, None where none did."""
        version = next((each for each in reversed(self.versions) if each.seq < seq), None)
        return None if version is None or (version.until is not None and version.until < seq) else version

    def watching(self, model: str, branch: str, seq: int) -> SuiteVersion | None:
        """The definition by which a version is judged that event `seq` committed there, None where by none."""
        version = self.at(seq)
        return version if version and (version.event.model, version.event.branch) == (model, branch) else None


def evolve(suite: SuiteState, recorded: Recorded) -> SuiteState:
    """The suite after one more event."""
    match event := recorded.event:
        case SuiteDefined():
            place = (len(suite.versions) + 1, recorded.seq, recorded.recorded, recorded.actor)
            return SuiteState(event.suite, (*suite.versions, SuiteVersion(*place, event)))
        case SuiteRetired(reason=reason):
            *before, last = suite.versions
            versions = (*before, replace(last, until=recorded.seq))
            return replace(suite, versions=versions, retired=recorded.seq, reason=(recorded.actor, reason))
        case _:
            return suite
