"""A chain at work: each step asked for under a key of its own, so that whoever runs it again goes on where it stopped.

A step's key is made of the chain's name, the step's, and what is asked with the jobs and versions that it takes from
others. What has finished is not done again; what failed or was called off is asked for anew, once in a run, and so is
whatever takes from it.
"""

from __future__ import annotations

from itertools import count
from typing import Any, NamedTuple

from ...domain.chains.commands import AdvanceChain, DefineChain
from ...domain.names import JOB_PREFIX
from ...errors import LeptonError, Unavailable, recorded
from ...events.chain import ChainStepPlan
from ...events.envelope import Recorded
from ...events.job import JobSubmitted
from ...events.model import AliasMoved, GateJudged
from ...plain import canonical
from ...results import Version
from ...results.work.chains import ChainRecord, ChainStep
from ...versions.workspace import Workspace
from .definition import Chain
from .record import lost_need, of_job
from .steps import AsksForJobs, AsksForMoves, JobStep, MoveStep, StepRequest


class _AskedStep(NamedTuple):
    """A step whose needs are settled: what it is asked with, and the key of its latest try."""

    asked: dict[str, Any]
    after: tuple[str, ...]
    """The jobs that it waits for."""
    key: str
    job: str | None = None
    """The job that it became before, where it was asked for under that key."""
    done: Version | None = None
    """The version that it is about, where it was done under that key and is no job."""


class ChainRun:
    """One run of a chain. Killed at any moment, another goes on."""

    def __init__(self, workspace: Workspace, chain: Chain, jobs: AsksForJobs, moves: AsksForMoves) -> None:
        self._workspace = workspace
        self._chain = chain
        self._jobs = jobs
        self._moves = moves
        self._stands: dict[str, ChainStep] = {}
        """The steps that were asked for, as they stood last."""

    def advance(self) -> ChainRecord:
        """Ask for what can be asked for now, do what can be done, and say how the chain stands."""
        if not self._stands:
            self._define()
        for name, step in self._chain.steps.items():
            known = self._stands.get(name)
            if known is None or (known.status == "waiting" and known.job is None):
                self._stands[name] = self._begun(name, step)
            elif not known.ended:
                assert known.job is not None
                self._stands[name] = of_job(known, self._jobs.show(known.job))
        return ChainRecord(self._chain.name, tuple(self._stands[name] for name in self._chain.steps))

    def finish(self, timeout: float | None = None) -> ChainRecord:
        """Advance until every step has ended; raises `Unavailable` where a job has not within `timeout` seconds."""
        while True:
            record = self.advance()
            job = next((step.job for step in record.steps if step.job and not step.ended), None)
            if job is None:
                return record
            self._jobs.wait(job, timeout=timeout)

    def _begun(self, name: str, step: StepRequest) -> ChainStep:
        """A step that was not asked for yet in this run."""
        needed = {each: self._stands[each] for each in step.upstream}
        blank = ChainStep(name, step.kind, "waiting", step.upstream)
        if lost := lost_need(needed.values()):
            return blank.at("failed", reason=lost)
        jobs_alone = isinstance(step, JobStep) and all(each.job for each in needed.values())
        if not jobs_alone and any(not each.ended for each in needed.values()):
            return blank
        asked = self._asked(name, step, needed)
        if isinstance(step, JobStep):
            said = {"message": f"{name}, a step of {self._chain.name}"} | asked.asked
            job = self._jobs.show(asked.job or step.ask(self._jobs, said, after=asked.after, key=asked.key).job)
            self._tell(name, job=job.job, model=job.model)
            return of_job(blank, job)
        assert isinstance(step, MoveStep)
        try:
            version = asked.done or step.do(self._moves, asked.asked, asked.key)
        except Unavailable:
            raise
        except LeptonError as error:
            self._tell(name, reason=recorded(error))
            return blank.at("failed", reason=str(error))
        self._tell(name, model=version.model, version=int(version))
        return blank.at("finished", version=version)

    def _define(self) -> None:
        """Record which steps the chain has, where others are known of it."""
        plans = tuple(
            ChainStepPlan(step=name, kind=step.kind, needs=step.upstream, digest=self._digest(step.model_dump_json()))
            for name, step in self._chain.steps.items()
        )
        self._workspace.admit(DefineChain(chain=self._chain.name, steps=plans), None)

    def _tell(self, step: str, **became: Any) -> None:
        """Record what became of a step, where that is news."""
        self._workspace.admit(AdvanceChain(chain=self._chain.name, step=step, **became), None)

    def _asked(self, name: str, step: StepRequest, needed: dict[str, ChainStep]) -> _AskedStep:
        """What a step is asked with, and under which key: the next one where what it became before failed."""
        asked = step.asked({each: _rev(needed[each]) for each in needed if needed[each].job or needed[each].version})
        after = tuple(each.job for each in needed.values() if each.job)
        said = {"kind": step.kind, "asked": asked, "after": after}
        digest = self._digest(canonical(said))
        for tries in count(1):
            key = f"chain.{self._chain.name}.{name}.{digest}.{tries}"
            known = self._workspace.known(key)
            if not known:
                return _AskedStep(asked, after, key)
            if isinstance(event := known[0].event, JobSubmitted):
                if self._jobs.show(event.job).status not in ("failed", "cancelled"):
                    return _AskedStep(asked, after, key, job=event.job)
            elif not isinstance(event, GateJudged) or event.passed:
                return _AskedStep(asked, after, key, done=self._moved(known[0]))
        raise AssertionError("there is no end of keys")

    def _digest(self, said: str) -> str:
        """Of what is asked, which may tell where data lies: by the key of whoever asks, as commands are digested."""
        return self._workspace.actors.named(self._workspace.actor).digest(said.encode()).rpartition(":")[2][:16]

    def _moved(self, move: Recorded) -> Version:
        """The version that a move's event is about."""
        model = self._workspace.model(move.stream.removeprefix("model/"))
        event: Any = move.event
        return self._workspace.version(model, event.to_version if isinstance(event, AliasMoved) else event.version)


def _rev(needed: ChainStep) -> str:
    """What stands for a step where a version is asked for."""
    return f"{JOB_PREFIX}{needed.job}" if needed.job else f"{needed.model}@{needed.version}"
