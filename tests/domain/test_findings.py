"""What is found out about versions, archives, runs, and the ledger's first event."""

from __future__ import annotations

from typing import Any

import pytest

from lepton_ai.domain.append import Append
from lepton_ai.domain.commands import (
    LEDGER,
    OBJECTS,
    Annotate,
    Archive,
    Checkpoint,
    ClearVersion,
    Command,
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
    MoveAliases,
    RecordEvaluation,
    RecordMetrics,
    RecordRehearsal,
    RollBack,
    RollBackAlias,
    StartRun,
    Stored,
    Unarchive,
    UpgradeLedger,
)
from lepton_ai.domain.run.state import RunState
from lepton_ai.domain.state import LedgerState, empty
from lepton_ai.errors import Condemned, Malformed, NewerLedger, Refused, UnknownRevision
from lepton_ai.events.ledger import FORMAT, LedgerCreated, LedgerUpgraded
from lepton_ai.events.model import (
    EvaluationRecorded,
    MetricDefined,
    MetricsRecorded,
    ModelArchived,
    ModelDescribed,
    ModelUnarchived,
    RollbackRehearsed,
    VersionAnnotated,
    VersionCleared,
    VersionDescribed,
)
from lepton_ai.events.objects import ObjectsCondemned, PackWritten
from lepton_ai.events.run import FileLogged, MetricsLogged, RunCheckpointed, RunFinished, RunStarted

from .past import START, Past, credit, digest, saving

REHEARSAL: dict[str, Any] = {
    "from_version": 2,
    "to_version": 1,
    "data": {"rows": 10},
    "metrics_from": {"f1": 0.8},
    "metrics_to": {"f1": 0.9},
    "difference": {"f1": 0.1},
    "worse": False,
}
ABOUT_A_MODEL = (
    CreateBranch(model="credit", branch="x", version=1),
    DeleteBranch(model="credit", branch="main"),
    CreateTag(model="credit", tag="x", version=1),
    DeleteTag(model="credit", tag="x"),
    MoveAliases(model="credit", to={"x": 1}),
    DeleteAlias(model="credit", alias="x"),
    RollBack(model="credit", branch="main", to=1, from_version=1),
    RollBackAlias(model="credit", alias="x", to=1, from_version=1),
    Annotate(model="credit", version=1, annotations={"a": 1}),
    Describe(model="credit", version=1, description="d"),
    RecordMetrics(model="credit", version=1, metrics={"f1": 1}),
    RecordEvaluation(model="credit", version=1, data={}, metrics={"f1": 1}),
    RecordRehearsal(model="credit", **REHEARSAL),
    DefineMetrics(model="credit", better={"fid": "lower"}),
    ClearVersion(model="credit", version=1, reason="r"),
)
OF_A_VERSION = (
    Annotate(model="credit", version=9, annotations={"a": 1}),
    Describe(model="credit", version=9, description="d"),
    ClearVersion(model="credit", version=9, reason="r"),
    RecordMetrics(model="credit", version=9, metrics={"f1": 1}),
    RecordEvaluation(model="credit", version=9, data={}, metrics={"f1": 1}),
    RecordRehearsal(model="credit", **(REHEARSAL | {"from_version": 9})),
    RecordRehearsal(model="credit", **(REHEARSAL | {"to_version": 9})),
)


def named(command: Command) -> str:
    return type(command).__name__


@pytest.mark.parametrize("command", [*ABOUT_A_MODEL, Archive(model="credit"), Unarchive(model="credit")], ids=named)
def test_a_model_that_is_not_there_is_refused_by_name(command: Any) -> None:
    with pytest.raises(UnknownRevision, match="there is no model 'credit'; `lepton models` lists them"):
        Past().decided(command)


@pytest.mark.parametrize("command", ABOUT_A_MODEL, ids=named)
def test_an_archived_model_takes_nothing_until_it_is_opened_again(command: Any) -> None:
    past = Past(saving(1), Archive(model="credit", reason="replaced"))

    with pytest.raises(Refused, match="model 'credit' is archived; `unarchive` opens it again"):
        past.decided(command)


@pytest.mark.parametrize("command", OF_A_VERSION, ids=named)
def test_nothing_is_found_out_about_a_version_that_is_not_there(command: Any) -> None:
    with pytest.raises(UnknownRevision, match="credit has no version 9; `lepton log credit` lists them"):
        Past(saving(1), saving(2, 1)).decided(command)


def test_archiving_and_opening_again_each_happen_once() -> None:
    past = Past(saving(1))

    assert past.decided(Unarchive(model="credit")) == ()
    assert past.ask(Archive(model="credit", reason="replaced")) == credit(ModelArchived(reason="replaced"))
    assert past.decided(Archive(model="credit", reason="again")) == ()
    assert past.ask(Unarchive(model="credit", reason="back")) == credit(ModelUnarchived(reason="back"))
    assert past.decided(saving(2, 1)) != ()


def test_notes_are_put_on_and_only_what_is_new_is_told() -> None:
    past = Past(saving(1))

    assert past.ask(Annotate(model="credit", version=1, annotations={"a": 1, "b": "x"})) == credit(
        VersionAnnotated(version=1, annotations={"a": 1, "b": "x"})
    )
    assert past.decided(Annotate(model="credit", version=1, annotations={"a": 1, "b": "y", "c": None})) == credit(
        VersionAnnotated(version=1, annotations={"b": "y"})
    )
    assert past.decided(Annotate(model="credit", version=1, annotations={"a": 1})) == ()


@pytest.mark.parametrize(
    ("notes", "words"),
    [({}, "no notes were given"), ({"a": [1]}, "note 'a' is a list"), ({"": 1}, "'' cannot name a note")],
)
def test_notes_of_the_wrong_form_are_refused(notes: dict[str, Any], words: str) -> None:
    with pytest.raises(Malformed, match=words):
        Past(saving(1)).decided(Annotate(model="credit", version=1, annotations=notes))


def test_a_version_and_a_model_are_described() -> None:
    past = Past(saving(1))

    assert past.ask(Describe(model="credit", version=None, description="scores")) == credit(
        ModelDescribed(description="scores")
    )
    assert past.ask(Describe(model="credit", version=1, description="first")) == credit(
        VersionDescribed(version=1, description="first")
    )


def test_figures_of_a_version_add_up_and_an_evaluations_stand_under_its_name() -> None:
    past = Past(saving(1, metrics={"f1": 0.5, "ks": 0.3}))

    assert past.ask(RecordMetrics(model="credit", version=1, metrics={"f1": 1})) == credit(
        MetricsRecorded(version=1, metrics={"f1": 1.0})
    )
    assert past.ask(
        RecordEvaluation(model="credit", version=1, data={"rows": (1, 2)}, name="test", metrics={"auc": 0.7})
    ) == credit(EvaluationRecorded(version=1, data={"rows": [1, 2]}, name="test", metrics={"auc": 0.7}))
    assert past.credit.metrics_of(1) == {"f1": 1.0, "ks": 0.3, "test/auc": 0.7}


def test_the_direction_of_a_metric_is_told_where_it_is_news() -> None:
    past = Past(saving(1, better={"fid": "lower"}))
    lower = MetricDefined(name="fid", better="lower")
    assert lower in [append.event for append in Past().decided(saving(1, better={"fid": "lower"}))]

    assert past.decided(DefineMetrics(model="credit", better={"fid": "lower"})) == ()
    assert past.decided(RecordMetrics(model="credit", version=1, metrics={"a": 1}, better={"fid": "lower"})) == credit(
        MetricsRecorded(version=1, metrics={"a": 1.0})
    )
    assert past.ask(DefineMetrics(model="credit", better={"fid": "higher"})) == credit(
        MetricDefined(name="fid", better="higher")
    )
    assert dict(past.credit.better) == {"fid": "higher"}
    evaluation = RecordEvaluation(model="credit", version=1, data={}, metrics={"a": 1}, better={"a": "lower"})
    assert past.decided(evaluation)[1:] == credit(MetricDefined(name="a", better="lower"))
    assert past.decided(saving(1, better={"fid": "lower"})) == credit(lower)


@pytest.mark.parametrize(
    ("better", "words"), [({"fid": "down"}, "say 'higher' or 'lower'"), ({"": "lower"}, "cannot name")]
)
def test_a_direction_is_higher_or_lower_of_a_name(better: dict[str, Any], words: str) -> None:
    with pytest.raises(Malformed, match=words):
        Past(saving(1)).decided(DefineMetrics(model="credit", better=better))


def test_a_version_is_cleared_of_the_rollbacks_from_it_once_and_for_a_reason() -> None:
    past = Past(saving(1), saving(2, 1), RollBack(model="credit", branch="main", to=1, from_version=2))
    clear = ClearVersion(model="credit", version=2, reason="a false alarm")

    with pytest.raises(Malformed, match="for a reason; give one"):
        past.decided(ClearVersion(model="credit", version=2, reason=""))
    with pytest.raises(Refused, match="version 1 of credit was never rolled back from"):
        past.decided(ClearVersion(model="credit", version=1, reason="r"))
    assert past.ask(clear) == credit(VersionCleared(version=2, reason="a false alarm"))
    assert past.decided(clear) == ()


def test_figures_given_again_are_told_where_they_are_new_on_their_rows() -> None:
    rows, others = {"digest": "r", "rows": 9}, {"digest": "o", "rows": 9}
    past = Past(saving(1, metrics={"f1": 0.5}, validation=rows))

    assert past.decided(saving(1, metrics={"f1": 0.5}, validation=rows)) == ()
    assert past.decided(saving(1, metrics={"f1": 0.5}, validation=others)) == credit(
        MetricsRecorded(version=1, metrics={"f1": 0.5}, validation=others)
    )
    assert past.decided(saving(1, metrics={"f1": 0.5})) == credit(MetricsRecorded(version=1, metrics={"f1": 0.5}))


def test_a_rehearsal_is_recorded_before_anything_moves() -> None:
    past = Past(saving(1), saving(2, 1))

    assert past.ask(RecordRehearsal(model="credit", **REHEARSAL)) == credit(RollbackRehearsed(**REHEARSAL))
    assert past.credit.head("main") == 2
    assert list(past.credit.rehearsals.values()) == [RollbackRehearsed(**REHEARSAL)]


@pytest.mark.parametrize("side", ["metrics_from", "metrics_to", "difference"])
def test_a_rehearsal_whose_figures_are_no_numbers_is_refused(side: str) -> None:
    with pytest.raises(Malformed, match="metric 'f1' is a str"):
        Past(saving(1), saving(2, 1)).decided(RecordRehearsal(model="credit", **(REHEARSAL | {side: {"f1": "high"}})))


@pytest.mark.parametrize("command_type", [RecordMetrics, RecordEvaluation])
def test_figures_that_are_not_finite_are_kept_as_such(command_type: Any) -> None:
    more: dict[str, Any] = {"data": {}} if command_type is RecordEvaluation else {}
    command = command_type(model="credit", version=1, metrics={"loss": float("inf"), "gain": float("nan")}, **more)

    ((_, event),) = Past(saving(1)).decided(command)

    assert '"metrics":{"loss":"Infinity","gain":"NaN"}' in event.model_dump_json()
    assert type(event).model_validate_json(event.model_dump_json()).metrics["loss"] == float("inf")


# ── runs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

STARTED = StartRun(run="r1", model="credit", hyperparameters={"layers": (1, 2)}, environment={"python": "3.11"})
BLOCK = MetricsLogged(names=("loss",), steps=(1,), values=(float("nan"),), times=(START,))


def test_a_run_starts_logs_keeps_checkpoints_and_finishes() -> None:
    past = Past()

    assert past.ask(STARTED) == (
        Append(
            "run/r1",
            RunStarted(run="r1", model="credit", hyperparameters={"layers": [1, 2]}, environment={"python": "3.11"}),
        ),
    )
    assert past.ask(LogMetrics(run="r1", blocks=(BLOCK, BLOCK))) == (Append("run/r1", BLOCK), Append("run/r1", BLOCK))
    pack = PackWritten(pack="p", bytes=1, entries=1, index=digest("i"))
    assert past.ask(Checkpoint(run="r1", tensors=digest("θ"), step=3, stored=Stored((pack,)))) == (
        Append(OBJECTS, pack),
        Append("run/r1", RunCheckpointed(tensors=digest("θ"), step=3)),
    )
    logged = FileLogged(name="a/b.PNG", media_type="image/png", digest=digest("f"), bytes=9, step=3)
    asked = LogFiles(run="r1", files=(logged, logged), stored=Stored((pack,)))
    assert past.ask(asked) == (Append(OBJECTS, pack), Append("run/r1", logged), Append("run/r1", logged))
    assert past.ask(FinishRun(run="r1", points=2)) == (Append("run/r1", RunFinished(status="finished", points=2)),)


def test_a_run_that_broke_off_bears_its_error() -> None:
    past = Past(STARTED)

    past.ask(FinishRun(run="r1", error="ValueError", reason="bad batch"))

    assert past.state("run/r1") == RunState("credit", "failed")


def test_a_run_begins_once() -> None:
    with pytest.raises(Refused, match="run 'r1' exists already; start another"):
        Past(STARTED).decided(STARTED)


@pytest.mark.parametrize(
    "command",
    [
        LogMetrics(run="r1", blocks=(BLOCK,)),
        Checkpoint(run="r1", tensors=digest(1), step=None, stored=Stored()),
        FinishRun(run="r1"),
    ],
    ids=named,
)
def test_only_an_open_run_takes_more(command: Any) -> None:
    with pytest.raises(Refused, match="run 'r1' is unknown; only an open run takes more"):
        Past().decided(command)
    with pytest.raises(Refused, match="run 'r1' is finished; only an open run takes more"):
        Past(STARTED, FinishRun(run="r1")).decided(command)


def test_a_run_of_no_name_of_no_model_or_with_no_json_is_refused() -> None:
    with pytest.raises(Malformed, match="'r/1' cannot name a run"):
        Past().decided(StartRun(run="r/1", model="credit"))
    with pytest.raises(Malformed, match="'' cannot name a model"):
        Past().decided(StartRun(run="r1", model=""))
    with pytest.raises(Malformed, match=r"hyperparameters.f is an object"):
        Past().decided(StartRun(run="r1", model="credit", hyperparameters={"f": object()}))


def test_a_metric_of_no_name_is_not_logged() -> None:
    block = BLOCK.model_copy(update={"names": ("a\0b",)})

    with pytest.raises(Malformed, match=r"'a\\x00b' cannot name a metric"):
        Past(STARTED).decided(LogMetrics(run="r1", blocks=(block,)))


def test_a_checkpoint_on_a_condemned_pack_is_refused() -> None:
    past = Past(STARTED)
    past.record(Append(OBJECTS, ObjectsCondemned(packs=("p",), delete_after=START)))

    with pytest.raises(Condemned, match="pack p is condemned"):
        past.decided(Checkpoint(run="r1", tensors=digest(1), step=1, stored=Stored(relies_on=frozenset({"p"}))))


# ── the ledger ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_ledger_is_created_once() -> None:
    past = Past()
    command = CreateLedger(ledger="l1", format=FORMAT)

    assert past.ask(command) == (Append(LEDGER, LedgerCreated(ledger="l1", format=FORMAT)),)
    with pytest.raises(Refused, match="the ledger l1 exists already"):
        past.decided(command)


def test_an_upgrade_is_announced_once_and_only_forwards() -> None:
    past = Past()
    with pytest.raises(Refused, match="there is no ledger yet"):
        past.decided(UpgradeLedger(format=FORMAT))
    past.record(Append(LEDGER, LedgerCreated(ledger="l1", format=FORMAT - 1)))

    assert past.ask(UpgradeLedger(format=FORMAT)) == (Append(LEDGER, LedgerUpgraded(format=FORMAT)),)
    assert past.ask(UpgradeLedger(format=FORMAT)) == ()
    assert past.ask(UpgradeLedger(format=FORMAT - 1)) == ()
    assert past.state(LEDGER) == LedgerState("l1", FORMAT)


def test_a_ledger_of_a_newer_format_stops_its_reader() -> None:
    past = Past(CreateLedger(ledger="l1", format=FORMAT))
    assert past.state(LEDGER) == LedgerState("l1", FORMAT)

    with pytest.raises(NewerLedger, match=rf"the ledger has format {FORMAT + 1}, this Lepton knows {FORMAT}"):
        past.record(Append(LEDGER, LedgerUpgraded(format=FORMAT + 1)))


def test_a_stream_that_only_a_newer_lepton_knows_stops_its_reader() -> None:
    with pytest.raises(NewerLedger, match="a stream 'galaxy/1'; this Lepton is older: update the package"):
        empty("galaxy/1")
