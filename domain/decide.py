"""The decision: from state and command to events, or a refusal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import assert_never, cast

from ..errors import Malformed, Refused, UnknownRevision
from ..events.event import Event
from ..events.ledger import LedgerCreated, LedgerUpgraded
from ..events.model import (
    MetricsRecorded,
    ModelArchived,
    ModelDescribed,
    ModelUnarchived,
    RehearsalTest,
    RollbackRehearsed,
    VersionAnnotated,
    VersionCleared,
    VersionDescribed,
)
from ..plain import plain
from . import told
from .access.decide import decide_token
from .append import Append
from .chains.decide import decide_chain
from .commands import (
    LEDGER,
    OBJECTS,
    Annotate,
    AnyCommand,
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
    ModelCommand,
    MoveAliases,
    MovesAliases,
    OfChain,
    OfData,
    OfGates,
    OfStudy,
    OfSuite,
    OfToken,
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
    dataset_stream,
    model_stream,
    run_stream,
)
from .data.decide import name_data
from .gates.decide import decide_gates
from .guards import writable
from .job.commands import OfJob
from .job.decide import decide_job
from .model import refs
from .model.commit import commit, defined, evaluated, repacked
from .model.state import ModelState
from .model.track_record import rolled_back_from
from .names import changed_notes, checked_fields, checked_metrics, checked_task
from .run import decide as run
from .run.state import RunState
from .state import LedgerState, Objects, State
from .studies.decide import decide_study
from .suites.decide import check_newest, compared_with, decide_suite


def decide(state: State, command: AnyCommand) -> tuple[Append, ...]:
    """The events that a command becomes, none where there is nothing to do; `Refused` where a rule forbids it."""
    match command:
        case CreateLedger():
            return _create_ledger(cast(LedgerState, state[LEDGER]), command)
        case UpgradeLedger():
            return _upgrade_ledger(cast(LedgerState, state[LEDGER]), command)
        case RecordDataset():
            return told.record_dataset(cast(told.Dataset, state[dataset_stream(command.dataset)]), command)
        case RecordObservation():
            return told.record_observation(state, command)
        case OfData():
            return name_data(state, command)
        case StartRun():
            writable(_model(state, command.model))
            return run.start(_run(state, command.run), command)
        case ResumeRun():
            return run.resume(_run(state, command.run), command)
        case LoseRun():
            return run.lose(_run(state, command.run), command)
        case LogMetrics():
            return run.log(_run(state, command.run), command)
        case Checkpoint():
            return run.checkpoint(_run(state, command.run), cast(Objects, state[OBJECTS]), command)
        case LogFiles():
            return run.log_files(_run(state, command.run), cast(Objects, state[OBJECTS]), command)
        case FinishRun():
            return run.finish(_run(state, command.run), command)
        case Repack():
            return tuple(Append(OBJECTS, event) for event in repacked(cast(Objects, state[OBJECTS]), command))
        case TellManifest(pages=pages):
            return tuple(Append(OBJECTS, page) for page in pages)
        case Commit():
            return commit(state, command)
        case OfJob():
            return decide_job(state, command)
        case OfSuite():
            return decide_suite(state, command)
        case OfChain():
            return decide_chain(state, command)
        case OfStudy():
            return decide_study(state, command)
        case OfToken():
            return decide_token(state, command)
        case _:
            model = _model(state, command.model)
            if not model.registered:
                raise UnknownRevision(f"there is no model {command.model!r}; `lepton models` lists them")
            if not isinstance(command, Archive | Unarchive):
                writable(model)
            if isinstance(command, MovesAliases):
                check_newest(state, command.suites)
                command = replace(command, compared=compared_with(state, command.suites))
            if isinstance(command, RecordEvaluation):
                return evaluated(state, command)
            return tuple(Append(model_stream(command.model), event) for event in _of_model(model, command))


def _of_model(model: ModelState, command: ModelCommand) -> tuple[Event, ...]:
    match command:
        case Commit():
            raise TypeError("a commit reads the object store too")
        case CreateBranch():
            return refs.create_branch(model, command)
        case DeleteBranch():
            return refs.delete_branch(model, command)
        case CreateTag():
            return refs.create_tag(model, command)
        case DeleteTag():
            return refs.delete_tag(model, command)
        case MoveAliases():
            return refs.move_aliases(model, command)
        case DeleteAlias():
            return refs.delete_alias(model, command)
        case RollBack():
            return refs.roll_back(model, command)
        case RollBackAlias():
            return refs.roll_back_alias(model, command)
        case Archive():
            return () if model.archived else (ModelArchived(reason=command.reason),)
        case Unarchive():
            return (ModelUnarchived(reason=command.reason),) if model.archived else ()
        case DefineMetrics(better=better):
            return tuple(defined(model, better))
        case ClearVersion():
            return tuple(_cleared(model, command))
        case RecordEvaluation():
            raise TypeError("an evaluation reads the object store too")
        case OfGates():
            return decide_gates(model, command)
        case Annotate() | Describe() | RecordMetrics() | RecordRehearsal():
            return _found_out(model, command)
        case _:
            assert_never(command)


def _found_out(model: ModelState, command: Annotate | Describe | RecordMetrics | RecordRehearsal) -> tuple[Event, ...]:
    match command:
        case Annotate(version=number, annotations=notes):
            model.version(number)
            if not notes:
                raise Malformed("no notes were given; name at least one")
            new = changed_notes(notes, model.notes.get(number, {}))
            return (VersionAnnotated(version=number, annotations=new),) if new else ()
        case Describe(version=None, description=text):
            return (ModelDescribed(description=text),)
        case Describe(version=int() as number, description=text):
            model.version(number)
            return (VersionDescribed(version=number, description=text),)
        case RecordMetrics(version=number):
            model.version(number)
            recorded = MetricsRecorded(
                version=number,
                metrics=checked_metrics(command.metrics),
                validation=None if command.validation is None else plain(command.validation, "validation"),
                task=checked_task(command.task),
            )
            return (recorded, *defined(model, command.better))
        case RecordRehearsal():
            model.version(command.from_version)
            model.version(command.to_version)
            return (
                RollbackRehearsed(
                    from_version=command.from_version,
                    to_version=command.to_version,
                    data=plain(command.data, "data"),
                    metrics_from=checked_metrics(command.metrics_from),
                    metrics_to=checked_metrics(command.metrics_to),
                    difference=checked_metrics(command.difference),
                    worse=command.worse,
                    test=None if command.test is None else checked_fields(RehearsalTest, command.test, "test"),
                ),
            )
        case _:
            raise TypeError(f"no decision for {type(command).__name__}")


def _cleared(model: ModelState, command: ClearVersion) -> Iterator[Event]:
    number = model.version(command.version).number
    if not command.reason:
        raise Malformed("a version is cleared for a reason; give one")
    if rolled_back_from(model).get(number):
        yield VersionCleared(version=number, reason=command.reason)
    elif number not in model.cleared:
        raise Refused(f"version {number} of {model.name} was never rolled back from; there is nothing to clear")


def _upgrade_ledger(state: LedgerState, command: UpgradeLedger) -> tuple[Append, ...]:
    if not state.format:
        raise Refused("there is no ledger yet; the first command that writes makes one")
    return (Append(LEDGER, LedgerUpgraded(format=command.format)),) if state.format < command.format else ()


def _create_ledger(state: LedgerState, command: CreateLedger) -> tuple[Append, ...]:
    if state.format:
        raise Refused(f"the ledger {state.ledger} exists already")
    return (Append(LEDGER, LedgerCreated(ledger=command.ledger, format=command.format)),)


def _model(state: State, name: str) -> ModelState:
    return cast(ModelState, state[model_stream(name)])


def _run(state: State, run: str) -> RunState:
    return cast(RunState, state[run_stream(run)])
