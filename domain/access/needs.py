"""What each command needs: its scope, by its class, and the models that it is about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, cast

from ..chains.commands import AdvanceChain, DefineChain
from ..chains.state import ChainState
from ..command import Command
from ..commands import (
    Annotate,
    Archive,
    Checkpoint,
    ClearVersion,
    Commit,
    CreateBranch,
    CreateLedger,
    CreateTag,
    DefineMetrics,
    DeleteAlias,
    DeleteBranch,
    DeleteTag,
    Describe,
    FinishRun,
    LogFiles,
    LogMetrics,
    LoseRun,
    MoveAliases,
    OfChain,
    OfJob,
    OfModel,
    OfRun,
    OfStudy,
    OfSuite,
    RecordDataset,
    RecordEvaluation,
    RecordMetrics,
    RecordObservation,
    RecordRehearsal,
    Repack,
    ResumeRun,
    RollBack,
    RollBackAlias,
    StartRun,
    TellManifest,
    Unarchive,
    UpgradeLedger,
    chain_stream,
    job_stream,
    run_stream,
    suite_stream,
)
from ..data.commands import NameData
from ..gates.commands import JudgeGate, ProtectAlias, UnprotectAlias
from ..job.commands import (
    AssignJob,
    CancelJob,
    CheckpointJob,
    ExpireLease,
    FailJob,
    FinishJob,
    MeasureJob,
    OfferVersion,
    ReleaseJob,
    StartJob,
    SubmitJob,
    WarnJob,
)
from ..job.state import JobState
from ..run.state import RunState
from ..state import Aggregate
from ..streams import study_stream
from ..studies.commands import (
    AnnotateStudy,
    AnnotateTrial,
    BeginTrial,
    CreateStudy,
    DeleteStudy,
    EndTrial,
    QueueTrial,
    ReportValues,
    ResumeStudy,
    StartTrial,
    StopStudy,
    Suggest,
)
from ..studies.state import StudyState
from ..suites.commands import DefineSuite, JudgeSuite, RetireSuite
from ..suites.state import SuiteState
from .commands import CreateToken, RevokeToken
from .rights import Rights, Scope

StateOf = Callable[[str], Aggregate]
"""Gives the aggregate of a stream."""

_WRITE: Final = (
    Commit, Annotate, Describe, RecordMetrics, RecordEvaluation, RecordRehearsal, DefineMetrics, JudgeGate,
    StartRun, ResumeRun, LoseRun, LogMetrics, Checkpoint, LogFiles, FinishRun,
    SubmitJob, OfferVersion, ReleaseJob, AssignJob, StartJob, MeasureJob, WarnJob, CheckpointJob, FinishJob, FailJob,
    ExpireLease, CancelJob, DefineSuite, RetireSuite, JudgeSuite, DefineChain, AdvanceChain, NameData,
    RecordDataset, RecordObservation, TellManifest, CreateStudy, DeleteStudy, AnnotateStudy, BeginTrial, Suggest,
    StartTrial, QueueTrial, ReportValues, AnnotateTrial, EndTrial, StopStudy, ResumeStudy,
)  # fmt: skip
_MOVE: Final = (
    CreateBranch, DeleteBranch, CreateTag, DeleteTag, MoveAliases, DeleteAlias, RollBack, RollBackAlias, ClearVersion,
    ProtectAlias, UnprotectAlias,
)  # fmt: skip
_ADMIN: Final = (Archive, Unarchive, Repack, CreateToken, RevokeToken, CreateLedger, UpgradeLedger)

NEEDS: Final[Mapping[type[Command], Scope]] = {
    **dict.fromkeys(_WRITE, "write"),
    **dict.fromkeys(_MOVE, "move"),
    **dict.fromkeys(_ADMIN, "admin"),
}
"""The scope of every command. One that is not named here passes with all rights alone."""
WHOLE_LEDGER: Final = (Repack, CreateToken, RevokeToken, CreateLedger, UpgradeLedger)
"""What concerns every model."""


def check(rights: Rights, command: Command, state: StateOf) -> None:
    """Raise `Forbidden` where rights do not allow a command, as the streams that it belongs to stand."""
    scope = NEEDS.get(type(command), "admin")
    if type(command) not in NEEDS or isinstance(command, WHOLE_LEDGER):
        rights.check_everywhere(scope)
    rights.check(scope)
    models = tuple(models_of(command, state))
    if isinstance(command, OfStudy) and not models:  # a study of no model is anybody's work
        rights.check_everywhere(scope)
    for model in models:
        rights.check(scope, model)
    if isinstance(command, Commit):
        if len(command.line) > 1:  # a merge
            rights.check("move", command.model)
        for parent in command.other_parents:
            rights.check("read", parent.model)


def models_of(command: Command, state: StateOf) -> Iterator[str]:
    """The models that a command is about: those it names, and those of its run, job, study, suite or chain.

    None of a run, job, study, suite or chain that is not there: the decision says so.
    """
    match command:
        case OfModel() | StartRun() | SubmitJob() | OfferVersion():
            yield command.model
        case RecordObservation():
            yield command.observed.model
        case OfRun():
            yield from filter(None, (cast(RunState, state(run_stream(command.run))).model,))
        case OfJob():
            yield from filter(None, (cast(JobState, state(job_stream(command.job))).model,))
        case OfChain():
            yield from _of_chain(command, cast(ChainState, state(chain_stream(command.chain))))
        case OfStudy():
            study = cast(StudyState, state(study_stream(command.study)))
            yield from filter(None, (study.model, getattr(command, "model", None)))
        case OfSuite():
            yield from _of_suite(command, cast(SuiteState, state(suite_stream(command.suite))))
        case _:
            pass


def _of_chain(command: OfChain, chain: ChainState) -> Iterator[str]:
    """The models that a chain's steps were about, and the one that a step is told to be about."""
    yield from sorted(chain.models)
    if isinstance(command, AdvanceChain) and command.model is not None:
        yield command.model


def _of_suite(command: OfSuite, suite: SuiteState) -> Iterator[str]:
    """The models that a suite watches, as it stands and as it is to be, and the one that it judges."""
    yield from suite.watched
    if isinstance(command, DefineSuite) and command.watched is not None:
        yield command.watched
    if isinstance(command, JudgeSuite):
        yield command.model
