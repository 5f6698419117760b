"""Jobs: one attempt counts at a time, whatever comes late or twice, and each job ends exactly once."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_ai.domain.append import Append
from lepton_ai.domain.commands import AnyCommand, CreateBranch, Delta, RecordEvaluation, Stored
from lepton_ai.domain.job.commands import (
    AssignJob,
    CancelJob,
    CheckpointJob,
    ExpireLease,
    FailJob,
    FinishJob,
    MeasureJob,
    Ready,
    ReleaseJob,
    StartJob,
    SubmitJob,
)
from lepton_ai.domain.job.state import JobState
from lepton_ai.errors import Refused
from lepton_ai.events.envelope import decode
from lepton_ai.events.job import JobAssigned, JobCancelled, JobFailed, JobFinished, JobReleased, JobRequeued
from lepton_ai.events.model import DeltaRecorded, EvaluationRecorded, VersionCommitted
from lepton_ai.events.run import MetricsLogged, RunFinished

from .past import START, Past, digest, saving

STREAM = "job/j1"
TRAINING = {"class": "credit-scoring-model", "label": "default"}
ENDS = (JobFinished, JobFailed, JobCancelled)


def submit(**changes: Any) -> SubmitJob:
    asked = {"job": "j1", "kind": "train", "model": "credit", "payload": TRAINING, "retries": 1}
    return SubmitJob(**(asked | changes))


def ready(name: str = "w1", free: int = 1, pool: str = "default", *more: str) -> Ready:
    return Ready(name, pool, frozenset(("train", "evaluate", *more)), free)


def assign(*workers: Ready, now: datetime = START) -> AssignJob:
    return AssignJob(job="j1", ready=workers or (ready(),), now=now, within=30)


def fail(epoch: int = 1, **changes: Any) -> FailJob:
    asked = {"job": "j1", "epoch": epoch, "error": "ValueError", "again": False, "now": START, "pause": 5}
    return FailJob(**(asked | changes))


def finish(epoch: int = 1, made: Any = None, **changes: Any) -> FinishJob:
    return FinishJob(job="j1", epoch=epoch, made=made or saving(), **changes)


def expire(epoch: int = 1) -> ExpireLease:
    return ExpireLease(job="j1", epoch=epoch, now=START, pause=5)


def cancel(epoch: int = 1, **changes: Any) -> CancelJob:
    return CancelJob(**({"job": "j1", "epoch": epoch} | changes))


def job(past: Past) -> JobState:
    return cast(JobState, past.state(STREAM))


def kinds(appends: tuple[Append, ...]) -> list[str]:
    return [each.event.type.removeprefix("lepton.").rpartition(".")[0] for each in appends]


def test_a_job_goes_to_the_worker_with_the_most_free_slots_that_fits_it() -> None:
    past = Past(submit(needs=("cuda",), pool="gpu"))
    workers = ready("w1", 9), ready("w2", 1, "gpu", "cuda"), ready("w3", 3, "gpu", "cuda"), ready("w4", 5, "gpu")

    appended = past.ask(assign(*workers))

    assert appended == (Append(STREAM, JobAssigned(epoch=1, worker="w3", deadline=START + timedelta(seconds=30))),)
    assert job(past).status == "assigned"


def test_a_worker_that_did_not_begin_a_job_gets_it_again_only_where_no_other_fits() -> None:
    past = Past(submit(retries=9), assign(ready("w1", 9), ready("w2")))
    given = []
    for epoch, others in enumerate(([ready("w2")], [ready("w2"), ready("w3", 1)], [ready("w2")]), 1):
        past.ask(expire(epoch))
        past.ask(assign(ready("w1", 9), *others, now=START + timedelta(hours=epoch)))
        given.append(job(past).worker)

    assert given == ["w2", "w3", "w1"]
    assert past.replayed(STREAM) == job(past)


@pytest.mark.parametrize("status", ["assigned", "running"])
def test_only_who_did_not_begin_is_passed_over(status: str) -> None:
    past = Past(submit(retries=9), assign(ready("w1")))
    if status == "running":
        past.ask(StartJob(job="j1", epoch=1))
    past.ask(expire())

    past.ask(assign(ready("w1", 9), ready("w2"), now=START + timedelta(hours=1)))

    assert job(past).worker == ("w1" if status == "running" else "w2")


@pytest.mark.parametrize("worker", [ready(free=0), ready(pool="gpu"), Ready("w1", "default", frozenset(("prune",)), 1)])
def test_a_job_that_fits_no_worker_waits(worker: Ready) -> None:
    assert Past(submit()).decided(assign(worker)) == ()


def test_a_finished_training_commits_its_version_in_the_same_append() -> None:
    past = Past(submit(), assign(), StartJob(job="j1", epoch=1, tells_run=True))

    appended = past.ask(finish(message="sealed:tuned", result={"f1": 0.9}, points=7))

    assert kinds(appended) == ["model.registered", "version.committed", "run.finished", "job.finished"]
    committed, ended, finished = (each.event for each in appended[1:])
    assert isinstance(committed, VersionCommitted)
    assert (committed.run, committed.message) == ("j1.1", "sealed:tuned")
    assert isinstance(ended, RunFinished)
    assert (ended.status, ended.points) == ("finished", 7)
    assert finished == JobFinished(epoch=1, version=1, result={"f1": 0.9})


def test_what_was_trained_while_the_branch_moved_goes_on_from_its_head_and_rests_on_its_base() -> None:
    past = Past(saving(1), submit(), assign(), StartJob(job="j1", epoch=1), saving(2, 1))

    appended = past.ask(finish(made=saving(3, 1, delta=Delta(digest("Δ"), 9, 9, 1, True), keyframe=False)))

    committed, delta = (each.event for each in appended[:2])
    assert isinstance(committed, VersionCommitted)
    assert isinstance(delta, DeltaRecorded)
    assert [parent.version for parent in committed.parents] == [2]
    assert (delta.from_version, delta.to_version) == (1, 3)


def test_an_evaluation_is_recorded_in_the_same_append() -> None:
    past = Past(
        saving(1),
        submit(kind="evaluate", payload={"version": 1, "label": "default"}),
        assign(),
        StartJob(job="j1", epoch=1),
    )

    appended = past.ask(finish(made=RecordEvaluation(model="credit", version=1, data={"rows": 9}, metrics={"f1": 1})))

    assert kinds(appended) == ["evaluation.recorded", "job.finished"]
    assert appended[0].event == EvaluationRecorded(version=1, data={"rows": 9}, metrics={"f1": 1})


def test_work_that_no_ledger_rule_lets_in_leaves_the_job_as_it_was() -> None:
    past = Past(submit(), assign(), StartJob(job="j1", epoch=1))

    with pytest.raises(Refused):
        past.decided(finish(made=saving(branch="no branch")))

    assert job(past).status == "running"


def test_what_is_away_for_now_is_tried_again_later_and_later_until_the_retries_are_used_up() -> None:
    past = Past(submit(retries=2))
    pauses: list[float] = []
    for epoch in (1, 2):
        now = START + timedelta(hours=epoch)
        past.ask(assign(now=now))
        (requeued,) = past.ask(fail(epoch, error="Unavailable", again=True, now=now))
        assert isinstance(requeued.event, JobRequeued)
        pauses.append((requeued.event.until - now).total_seconds())
        assert past.decided(assign(now=now)) == ()
    past.ask(assign(now=START + timedelta(hours=3)))

    (last,) = past.ask(fail(3, error="Unavailable", again=True))

    assert pauses == [5, 10]
    assert isinstance(last.event, JobFailed)


def test_what_trying_again_cannot_mend_fails_at_once() -> None:
    past = Past(submit(retries=9), assign())

    assert past.ask(fail(error="Malformed", reason="sealed:no such column")) == (
        Append(STREAM, JobFailed(epoch=1, error="Malformed", reason="sealed:no such column")),
    )


def test_a_worker_that_leaves_in_good_order_costs_the_job_no_retry() -> None:
    past = Past(submit(retries=0))
    for epoch in range(1, 5):
        past.ask(assign())
        past.ask(fail(epoch, error="Drained", again=True, counted=False))

    assert (job(past).status, job(past).lost) == ("queued", 0)


def test_a_lease_that_runs_out_gives_the_job_to_another_and_the_late_answer_is_refused() -> None:
    past = Past(submit(), assign(), StartJob(job="j1", epoch=1, tells_run=True))
    appended = past.ask(expire())
    past.ask(assign(ready("w2"), now=START + timedelta(hours=9)))

    assert kinds(appended) == ["run.finished", "job.requeued"]
    for late in (StartJob(job="j1", epoch=1), finish(), fail(), expire()):
        with pytest.raises(Refused, match="attempt 1 of job 'j1' was given up"):
            past.decided(late)
    past.ask(finish(2))
    assert job(past).status == "finished"


def test_the_next_attempt_goes_on_from_the_last_checkpoint() -> None:
    past = Past(submit(), assign(), StartJob(job="j1", epoch=1, tells_run=True))

    appended = past.ask(CheckpointJob(job="j1", epoch=1, step=10, tensors=digest("c"), stored=Stored()))
    past.ask(expire())

    assert kinds(appended) == ["run.checkpointed", "job.checkpointed"]
    assert job(past).checkpoint is not None
    assert (job(past).checkpoint.step, job(past).checkpoint.tensors) == (10, digest("c"))


@pytest.mark.parametrize("status", ["queued", "assigned", "running"])
def test_a_job_is_cancelled_wherever_it_stands_and_only_once(status: str) -> None:
    past = Past(submit())
    if status != "queued":
        past.ask(assign())
    if status == "running":
        past.ask(StartJob(job="j1", epoch=1, tells_run=True))

    appended = past.ask(cancel(job(past).epoch, reason="sealed:wrong data"))

    assert kinds(appended)[-1] == "job.cancelled"
    assert past.decided(cancel()) == ()
    with pytest.raises(Refused, match="has ended"):
        past.decided(finish(max(1, job(past).epoch)))


def test_a_job_that_ended_cannot_be_cancelled_and_one_that_is_not_there_is_none() -> None:
    past = Past(submit(), assign(), finish())

    with pytest.raises(Refused, match="nothing to cancel"):
        past.decided(cancel())
    with pytest.raises(Refused, match="there is no job 'j9'"):
        past.decided(cancel(job="j9"))
    with pytest.raises(Refused, match="exists already"):
        past.decided(submit())


# ── any interleaving ─────────────────────────────────────────────────────────────────────────────────────────────────

POINTS = MetricsLogged(names=("loss",), steps=(1,), values=(0.5,), times=(START,))
LATER = START + timedelta(days=1)
epochs = st.integers(1, 4)
J1 = {"job": st.just("j1"), "epoch": epochs}
told: st.SearchStrategy[AnyCommand] = st.one_of(
    st.just(submit()),
    st.builds(assign, st.sampled_from([ready("w1"), ready("w2"), ready(free=0)]), now=st.just(LATER)),
    st.builds(StartJob, **J1, tells_run=st.booleans()),
    st.builds(MeasureJob, **J1, blocks=st.just((POINTS,))),
    st.builds(CheckpointJob, **J1, step=epochs, tensors=st.just(digest("c")), stored=st.just(Stored())),
    st.builds(finish, epochs, st.sampled_from([saving("a"), saving("b"), saving(branch="no branch")])),
    st.builds(fail, epochs, again=st.booleans(), counted=st.booleans()),
    st.builds(expire, epochs),
    st.builds(cancel, st.integers(0, 3)),
    st.just(CreateBranch(model="credit", branch="wide", version=1)),
)  # fmt: skip


@given(st.lists(told, max_size=40))
def test_whatever_is_told_in_whatever_order_a_job_ends_at_most_once_and_replays_as_it_lived(
    commands: list[AnyCommand],
) -> None:
    past = Past(submit())
    for command in commands:
        with suppress(Refused):
            past.ask(command)

    events = [each for each in map(decode, past.log) if each.stream == STREAM]
    ends = [each for each in events if isinstance(each.event, ENDS)]
    assert len(ends) <= 1
    assert not ends or events[-1] == ends[0]
    versions = [each.event for each in map(decode, past.log) if isinstance(each.event, VersionCommitted)]
    assert len(versions) <= 1
    assert bool(versions) == any(isinstance(each.event, JobFinished) for each in events)
    assert past.replayed(STREAM) == past.state(STREAM)
    assigned = [each.event.epoch for each in events if isinstance(each.event, JobAssigned)]
    assert assigned == list(range(1, len(assigned) + 1))
    runs = {name: past.replayed(name) for name in past.lengths if name.startswith("run/")}
    opened = {name for name, run in runs.items() if cast(Any, run).status == "open"}
    assert len(opened) <= (job(past).status == "running")


@given(st.lists(told, max_size=20))
def test_from_wherever_it_stands_a_job_can_be_brought_to_its_end(commands: list[AnyCommand]) -> None:
    past = Past(submit())
    for command in commands:
        with suppress(Refused):
            past.ask(command)

    for _ in range(6):
        if job(past).status == "queued":
            past.ask(assign(now=START + timedelta(days=9)))
        if job(past).status in ("assigned", "running"):
            past.ask(expire(job(past).epoch))

    assert job(past).ended


def after(*names: str, **changes: Any) -> SubmitJob:
    return submit(job="j2", after=names, **changes)


def released(*names: str) -> ReleaseJob:
    return ReleaseJob(job="j2", after=names or ("j1",))


EVALUATION = {"version": "job:j1", "label": "default"}


def test_a_job_is_released_once_all_that_it_waits_for_have_finished() -> None:
    past = Past(submit(), submit(job="j0"), after("j1", "j0", "j1"))
    waiting = cast(JobState, past.state("job/j2"))
    nothing_yet = past.ask(released("j1", "j0"))
    for name in ("j1", "j0"):
        past.ask(AssignJob(job=name, ready=(ready(),), now=START, within=30))
        past.ask(FinishJob(job=name, epoch=1, made=saving(name)))

    appended = past.ask(released("j1", "j0"))

    assert (waiting.status, waiting.after, nothing_yet) == ("waiting", ("j1", "j0"), ())
    assert appended == (Append("job/j2", JobReleased()),)
    assert cast(JobState, past.state("job/j2")).status == "queued"
    assert past.ask(released("j1", "j0")) == (), "said twice it acts once"
    assert past.replayed("job/j2") == past.state("job/j2")


def test_a_waiting_job_is_given_to_nobody() -> None:
    past = Past(submit(), after("j1"))

    with pytest.raises(Refused, match="is waiting; only a queued one is assigned"):
        past.decided(AssignJob(job="j2", ready=(ready(),), now=START, within=30))


def test_a_release_says_which_version_was_meant() -> None:
    past = Past(saving(0), submit(), after("j1", kind="evaluate", payload=EVALUATION), assign(), finish())

    appended = past.ask(released())

    assert appended == (Append("job/j2", JobReleased(payload={"version": 2})),)
    assert cast(JobState, past.state("job/j2")).payload == EVALUATION | {"version": 2}


@pytest.mark.parametrize("end", [fail(), cancel(0)])
def test_a_job_that_failed_or_was_called_off_fails_at_once_what_waits_for_it_and_what_waits_for_that(end: Any) -> None:
    past = Past(submit(), submit(job="j0"), after("j0", "j1"), submit(job="j3", after=("j2",)), assign())
    past.ask(end)

    appended = (*past.ask(released("j0", "j1")), *past.ask(ReleaseJob(job="j3", after=("j2",))))

    failed = [JobFailed(epoch=0, error="UpstreamFailed", upstream=name) for name in ("j1", "j2")]
    assert appended == (Append("job/j2", failed[0]), Append("job/j3", failed[1]))
    assert past.replayed("job/j3") == past.state("job/j3")


def test_a_waiting_job_is_called_off_as_any_other() -> None:
    past = Past(submit(), after("j1"))

    past.ask(CancelJob(job="j2", epoch=0))

    assert cast(JobState, past.state("job/j2")).status == "cancelled"
    assert past.ask(released()) == ()


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        (after("j9"), "there is no job 'j9' to wait for"),
        (after("j2"), "a job cannot wait for itself"),
        (after(*(f"n{n}" for n in range(101))), "waits for 101 others; name at most 100"),
        (after(kind="evaluate", payload=EVALUATION), "version is what job 'j1' makes; name that job in `after` too"),
        (after("j1", model="other", kind="evaluate", payload=EVALUATION), "job j1 makes a version of credit"),
        (after("j0", kind="evaluate", payload=EVALUATION | {"version": "job:j0"}), "makes no version"),
    ],
)
def test_what_a_job_cannot_wait_for_is_refused(asked: SubmitJob, complaint: str) -> None:
    past = Past(saving(1), submit(), submit(job="j0", kind="evaluate", payload={"version": 1, "label": "default"}))

    with pytest.raises(Refused, match=complaint):
        past.decided(asked)


def test_work_that_makes_nothing_ends_with_its_result_alone() -> None:
    trial = submit(kind="trial", payload={"class": "credit-scoring-model", "label": "y"})
    begun = StartJob(job="j1", epoch=1, tells_run=True)
    past = Past(trial, assign(ready("w1", 1, "default", "trial")), begun)

    appended = past.ask(FinishJob(job="j1", epoch=1, made=None, result={"f1": 0.5}))

    assert kinds(appended) == ["run.finished", "job.finished"]
    assert (job(past).version, dict(job(past).result)) == (None, {"f1": 0.5})
