"""Each new version of a watched branch judged, by one job and one gate, whoever comes twice.

A job evaluates a version that is due on the suite's rows; those that its requirements compare it with are evaluated too
where nothing is known of them there; then the gate is judged. Keys make each of these once, so all of it may begin anew
at any moment.
"""

from __future__ import annotations

import logging
from typing import Final, Literal, NamedTuple, cast

import uuid_utils

from ...domain.commands import job_stream
from ...domain.job.commands import SubmitJob
from ...domain.job.state import JobState
from ...domain.model.figures import rows_of
from ...domain.model.state import ModelState
from ...domain.suites.commands import JudgeSuite
from ...domain.suites.due import Due
from ...domain.suites.judging import sides_of
from ...domain.suites.state import SuiteVersion
from ...errors import Stale, Unavailable
from ...events.actor import Actor
from ...events.envelope import decode
from ...events.job import JobFinished, JobSubmitted
from ...events.model import EvaluationRecorded
from ...isolation import unforeseen
from ...models.registry import is_own_name
from ...versions.suites.known import suite_of
from ...versions.suites.payload import evaluation_asked
from ...versions.workspace import Workspace
from .due import DueVersions

KIND: Final = "suite"
"""The kind of work, by its stored name."""
log = logging.getLogger("lepton.suites")


class SuiteEvaluation(NamedTuple):
    """What became of an evaluation on a suite's rows."""

    asked: bool
    """Whether there is a job of it."""
    open: bool = False
    digest: str | None = None
    """That of the rows as the version reads them, where it is done; None where it failed."""


class MissingEvaluations(NamedTuple):
    """Versions that are to be evaluated before a gate can be judged."""

    versions: tuple[int, ...]


Next = Literal["done", "waits"] | MissingEvaluations | JudgeSuite
"""What is to be done about a version that is due: nothing any more, nothing yet, jobs, or its gate."""


class SuiteJudge:
    """Steps through what is due. Whoever runs it holds the ledger's lock of assigning."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._due = DueVersions(workspace)
        self._fresh = True
        """Whether something happened since it was last tried to get on."""

    def step(self) -> bool:
        """Do what there is to do now: whether there was anything. Raises `Unavailable`."""
        self._fresh |= self._due.read()
        if not self._fresh:
            return False
        self._fresh = False
        if done := [due for due in self._due if self._advanced(due)]:
            self._due.done(done)
        return bool(done)

    def acts(self) -> bool:
        """Whether there is something to do that no job waits for."""
        self._due.read()
        return any(self._awaited(due) not in ("done", "waits") for due in self._due)

    def _awaited(self, due: Due) -> Next:
        """As `_next`; nothing for a version that raises what `_advanced` sets aside."""
        try:
            return self._next(due)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever one version raises must not keep the others waiting
            log.warning("%s is not judged: %s", due.words, unforeseen(error, due.words))
            return "done"

    def _advanced(self, due: Due) -> bool:
        """Do what can be done now about a version: whether all is. What is refused is told, and tried no more."""
        try:
            found = self._next(due)
            if isinstance(found, MissingEvaluations):
                for number in found.versions:
                    self._submit(due, number)
            elif isinstance(found, JudgeSuite):
                self._workspace.ledger.admit(found, self._actor(self._definition(due)), key=due.gate)
                return True
        except Stale as error:  # what it is compared with has moved: the next step looks anew
            log.info("%s: %s", due.words, error)
            self._fresh = True
            return False
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever one version raises must not keep the others waiting
            log.warning("%s is not judged: %s", due.words, unforeseen(error, due.words))
            return True
        return found == "done"

    def _next(self, due: Due) -> Next:
        workspace = self._workspace
        suite, model = suite_of(workspace, due.suite), workspace.model(due.model)
        if workspace.ledger.store.known(due.gate) or suite.retired is not None or model.archived:
            return "done"
        definition = suite.versions[due.number - 1]
        own = self._evaluation(due, due.version)
        if own.digest is None:
            return MissingEvaluations((due.version,)) if not own.asked else "waits" if own.open else "done"
        if not definition.event.requirements:
            return "done"
        sides, rows = sides_of(model, definition, due.version), {due.version: own.digest}
        others = {
            number: self._other(due, model, number, own.digest) for number in sides.values() if number not in rows
        }
        if missing := tuple(number for number, each in others.items() if not each.asked):
            return MissingEvaluations(missing)
        if any(each.open for each in others.values()):
            return "waits"
        rows |= {number: each.digest for number, each in others.items() if each.digest is not None}
        return JudgeSuite(
            suite=due.suite,
            number=due.number,
            model=due.model,
            version=due.version,
            against=sides.get("against"),
            rows=rows,
        )

    def _other(self, due: Due, model: ModelState, number: int, digest: str) -> SuiteEvaluation:
        """The evaluation of a version that is compared with: whichever was of the same rows, else one by a job."""
        if model.figures_of(number).judged.get(digest):
            return SuiteEvaluation(asked=True, digest=digest)
        return self._evaluation(due, number)

    def _evaluation(self, due: Due, number: int) -> SuiteEvaluation:
        """How far the job is that evaluates a version on the suite's rows."""
        submitted = self._workspace.known(due.key(number))
        if not submitted:
            return SuiteEvaluation(asked=False)
        name = cast(JobSubmitted, submitted[0].event).job
        job = cast(JobState, self._workspace.ledger.state(job_stream(name)))
        digest = self._digest(name) if job.status == "finished" else None
        return SuiteEvaluation(asked=True, open=not job.ended, digest=digest)

    def _digest(self, job: str) -> str | None:
        """That of the rows which a finished job evaluated its version on: it stands in the same append as its end."""
        *_, last = self._workspace.ledger.store.stream(job_stream(job), 0, (JobFinished.type_name(),))[1]
        made = self._workspace.known(decode(last.envelope, last.leaf, last.seq).command)
        data = (each.event.data for each in made if isinstance(each.event, EvaluationRecorded))
        rows = next(map(rows_of, data), None)
        return rows and rows.digest

    def _submit(self, due: Due, number: int) -> None:
        """Ask for the evaluation of a version, in the name of who defined the suite."""
        workspace, definition = self._workspace, self._definition(due)
        source, payload = evaluation_asked(workspace, definition, number)
        name = workspace.model(due.model).version(number).event.architecture.get("class")
        command = SubmitJob(
            job=str(uuid_utils.uuid7()),
            kind=KIND,
            model=due.model,
            payload=payload,
            source=source,
            message=f"suite {definition.words}",
            pool=definition.event.pool,
            needs=(
                *(() if name is None or is_own_name(name) else (f"class:{name}",)),
                *(f"metric:{each}" for each in payload.get("metrics", ())),
            ),
        )
        workspace.ledger.admit(command, self._actor(definition), key=due.key(number))

    def _definition(self, due: Due) -> SuiteVersion:
        return suite_of(self._workspace, due.suite).versions[due.number - 1]

    def _actor(self, definition: SuiteVersion) -> Actor:
        """Who defined the suite; the ledger itself, once they are forgotten."""
        return self._workspace.actors.known(definition.actor) or self._workspace.actors.named("lepton")
