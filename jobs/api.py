"""The SDK's door to jobs: work asked for, looked at, waited for and called off."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import uuid_utils

from ..addresses import checked_source
from ..building.parallel.cluster import CAPABILITY, ray_address
from ..datasets import read
from ..datasets.selection import selected_by, selection
from ..domain.job.commands import CancelJob, OfferVersion, SubmitJob
from ..domain.job.kinds import REPORT_OPTIONS, LabelledRows, checked_payload
from ..domain.model.metric import checked_better
from ..domain.model.recipe import Recipe
from ..errors import Malformed, Refused, Stale
from ..events.job import JobSubmitted
from ..models.imports import announced
from ..models.registry import is_own_name, known
from ..versions.asked_version import asked_version
from ..versions.data.named_data import asked_of_worker
from ..versions.source import identity_of
from ..versions.unknown import damage_first
from ..versions.workspace import Workspace
from . import wait
from .desk import Desk
from .record import JobRecord, JobRecords, newest, record, state, story
from .wait import OnEpoch


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLimits:
    """Who may do it, and what it may take."""

    pool: str = "default"
    needs: tuple[str, ...] = ()
    memory: int | None = None
    """Bytes."""
    seconds: float | None = None
    retries: int = 3
    after: tuple[str, ...] = ()
    """The jobs that must have finished before, by their ids."""


def check_limits(limits: Mapping[str, Any], workers: int) -> None:
    """Hold the names that a caller gave beside those of a search against the limits of jobs. Raises `Malformed`."""
    known = [each.name for each in fields(JobLimits)]
    if unknown := [name for name in limits if name not in known]:
        raise Malformed(f"there is nothing to give as {unknown[0]}; of jobs there are {', '.join(known)}")
    if limits and not workers:
        raise Malformed(f"{next(iter(limits))} is of jobs; give workers too, which do them")


@damage_first(lambda jobs: jobs.workspace)
@dataclass(frozen=True, slots=True)
class Jobs:
    """Work that workers do. A job is named by its id, or by the id's beginning or end.

    `limits` are `pool`, `needs` such as ("cuda",), `memory` in bytes, `seconds` an attempt, and how many `retries` of
    attempts that were lost; `after` names jobs that must have finished before, and one that fails or is cancelled fails
    those that wait for it. `data` is a file or a folder of pictures that the worker can reach (a path, s3://, gs://,
    az://, https:// with its digest), or named data, which know their label.
    """

    opened: Callable[[], Workspace]
    """The ledger's workspace; `Refused` where there is no ledger."""
    begun: Callable[[], Workspace]
    """As `opened`, of a ledger that is made where there is none."""
    desk: Callable[[], Desk]
    """Where jobs are given out."""

    @property
    def workspace(self) -> Workspace:
        """The ledger's workspace."""
        return self.opened()

    def train(
        self,
        model: str,
        data: str,
        label: str | None = None,
        *,
        name: str | None = None,
        hyperparameters: Mapping[str, Any] | None = None,
        branch: str = "main",
        message: str = "",
        tags: Sequence[str] = (),
        types: Mapping[str, str] | None = None,
        drop: Sequence[str] = (),
        columns: Sequence[str] | None = None,
        validation: str | None = None,
        better: Mapping[str, str] | None = None,
        key: str | None = None,
        **limits: Any,
    ) -> JobRecord:
        """Ask for a model of Lepton's own to be trained as a branch's next version.

        Or for another registered class, where a ready worker of the pool announces `class:NAME`: the job needs it.
        `types` says what columns hold, such as {"zip": "text"} (number, text or date), `drop` leaves some out, and
        `columns` names the only ones to learn from. `validation` is a file of the same columns, whose rows are
        validated on in place of held-out ones; `better` says which way metrics are better, where nobody knows yet.
        """
        workspace = self.begun()
        kind = model if self._announced(model) else known(model)
        data, label, named = asked_of_worker(workspace, data, label)
        asked = {"class": kind, "label": label, "hyperparameters": dict(hyperparameters or {}), **named}
        asked |= selection(types, drop, columns).to_dict() | _directions(better)
        payload = asked | {"branch": branch, "tags": list(tags)}
        allowed = self._reaching(model, self._on_nodes(hyperparameters or {}, self._limits(**limits)))
        return submit(
            workspace, "train", name or model, data, payload, allowed, message=message, validation=validation, key=key
        )

    def tune(
        self,
        model: str,
        data: str,
        label: str | None = None,
        *,
        metric: str | Sequence[str] | None = None,
        trials: int | None = None,
        budget: float | str | None = None,
        workers: int = 1,
        space: Mapping[str, Any] | None = None,
        hyperparameters: Mapping[str, Any] | None = None,
        sampler: str = "tpe",
        pruner: str = "none",
        seed: int = 0,
        warm: int = 0,
        keep: int = 1,
        name: str | None = None,
        study: str | None = None,
        branch: str = "main",
        validation: str | None = None,
        better: Mapping[str, str] | None = None,
        types: Mapping[str, str] | None = None,
        drop: Sequence[str] = (),
        columns: Sequence[str] | None = None,
        message: str = "",
        key: str | None = None,
        **limits: Any,
    ) -> JobRecord:
        """Ask for a search as `ModelManager.tune` makes it, for which nobody has to wait; `show_study` tells of it.

        It is run where jobs are given out, by a worker's process here and by `lepton intake` beside Kafka, and holds up
        no worker; its trials are jobs, `workers` of them at a time, under the `limits`.
        """
        from ..versions.studies import check_installed

        check_installed()
        from .studies.asking import submit_search

        return submit_search(
            self, model, data, label, metric=metric, trials=trials, budget=budget, workers=workers, space=space,
            hyperparameters=hyperparameters, sampler=sampler, pruner=pruner, seed=seed, warm=warm, keep=keep, name=name,
            study=study, branch=branch, validation=validation, better=better, types=types, drop=drop, columns=columns,
            message=message, key=key, limits=self._limits(**limits),
        )  # fmt: skip

    def evaluate(
        self,
        rev: str | int,
        data: str,
        label: str | None = None,
        *,
        name: str = "",
        task: str | None = None,
        types: Mapping[str, str] | None = None,
        drop: Sequence[str] = (),
        columns: Sequence[str] | None = None,
        better: Mapping[str, str] | None = None,
        message: str = "",
        key: str | None = None,
        **more: Any,
    ) -> JobRecord:
        """Ask for a version to be judged on labelled rows; the figures are recorded with the rows' fingerprint.

        With `job:ID` as revision it is the version that a job makes, and the evaluation waits for that job. The class
        is one of Lepton's own, or one that a ready worker of the pool announces, as for `train`. `types`, `drop`,
        `columns`, `better` and what the report is asked with are as `ModelManager.evaluate` takes them, columns by
        their names; `more` has limits too, as every job.
        """
        report = {option: more.pop(option) for option in REPORT_OPTIONS if option in more}
        judged = asked_version(self.workspace, rev, selection(types, drop, columns))
        data, label, named = asked_of_worker(self.workspace, data, label)
        name = name or (named["named"]["name"] if named else "")
        payload = {"version": judged.version, "label": label, "name": name, **judged.chosen.to_dict(), **report}
        payload |= _directions(better) | (named if task is None else {"task": task, **named})
        limits = self._limits(**more)
        limits = replace(limits, after=tuple(dict.fromkeys((*limits.after, *judged.after))))
        allowed = self._reaching(judged.class_name, limits, report.get("metrics", ()))
        return submit(self.workspace, "evaluate", judged.model, data, payload, allowed, message=message, key=key)

    def offer(
        self,
        model: str,
        source: str,
        digest: str,
        *,
        branch: str = "main",
        hyperparameters: Mapping[str, Any] | None = None,
        architecture: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        metrics: Mapping[str, float] | None = None,
        validation: Any = None,
        task: str | None = None,
        better: Mapping[str, str] | None = None,
        tags: Sequence[str] = (),
        message: str = "",
        key: str | None = None,
        **limits: Any,
    ) -> JobRecord:
        """Have a version that was trained elsewhere looked at, and committed if it is what is said.

        `source` is a safetensors file that the worker can reach, `digest` the `sha256:` of its bytes; `data` is a
        fingerprint; `validation`, `task` and `better` tell of `metrics` what `ModelManager.save_version` is told.
        Repeated under its key, the job that it became then.
        """
        key = key or str(uuid_utils.uuid7())
        command = OfferVersion(
            job=str(uuid5(NAMESPACE_OID, key)),
            model=model,
            source=_address(source),
            digest=digest,
            branch=branch,
            recipe=Recipe(hyperparameters or {}, architecture or {}, settings or {}, data),
            metrics=dict(metrics or {}),
            validation=identity_of(validation),
            task=task,
            better=checked_better(better or {}),
            tags=tuple(tags),
            message=message,
            **asdict(self._limits(**limits)),
        )
        workspace = self.begun()
        workspace.admit(command, key)
        return record(workspace, command.job)

    def recent(self, most: int = 50, *, before: str | None = None) -> JobRecords:
        """The jobs submitted last, the newest first; those submitted `before` another, if its id is given."""
        before = before and self.workspace.named("job", before)
        return JobRecords(record(self.workspace, name) for name in newest(self.workspace, most, before))

    def show(self, job: str) -> JobRecord:
        """A job as it stands."""
        return record(self.workspace, self.workspace.named("job", job))

    def events(self, job: str) -> Iterator[dict[str, Any]]:
        """A job's story: its events and those of its attempts' runs, as `ModelManager.events` gives them."""
        return story(self.workspace, self.workspace.named("job", job))

    def cancel(self, job: str, *, reason: str = "", epoch: int | None = None, key: str | None = None) -> JobRecord:
        """Call a job off, wherever it stands; its worker stops it.

        With `epoch`, the attempt that was seen at work: `Stale` where another one is at work by now.
        """
        workspace = self.workspace
        name = workspace.named("job", job)
        while True:
            seen = state(workspace, name).epoch if epoch is None else epoch
            try:
                workspace.admit(CancelJob(job=name, epoch=seen, reason=reason), key)
            except Stale:  # another attempt began in between
                if epoch is not None:
                    raise
                continue
            return record(workspace, name)

    def wait(self, job: str, *, on_epoch: OnEpoch | None = None, timeout: float | None = None) -> JobRecord:
        """Wait until a job has ended; on one machine there is a worker in this process where no other could take it.

        While it does not begin the log says what it waits for. Raises `Unavailable` where it has not ended within
        `timeout` seconds, saying so too: the job goes on. Raises what keeps the worker in this process from working.
        """
        name = self.workspace.named("job", job)
        return wait.wait(self.workspace, self.desk(), name, on_epoch=on_epoch, timeout=timeout)

    def _limits(self, *, after: str | JobRecord | Sequence[str | JobRecord] = (), **limits: Any) -> JobLimits:
        """The limits that a caller gave, with the ids of the jobs that must have finished before."""
        check_limits(limits, workers=1)
        given = (after,) if isinstance(after, str | JobRecord) else after
        words = [each.job if isinstance(each, JobRecord) else each for each in given]
        return JobLimits(after=tuple(dict.fromkeys(self.workspace.named("job", each) for each in words)), **limits)

    def _announced(self, name: str) -> bool:
        """Whether a ready worker knows a class that is not Lepton's own."""
        return not is_own_name(name) and any(f"class:{name}" in each.capabilities for each in self.desk().heard_of())

    def _on_nodes(self, hyperparameters: Mapping[str, Any], limits: JobLimits) -> JobLimits:
        """The limits by which a training on several machines comes to a worker with Ray; `Refused` where none is ready.

        Where this process would work itself, its own cluster counts too.
        """
        nodes = hyperparameters.get("nodes", 1)
        if not isinstance(nodes, int) or nodes < 2:
            return limits
        desk = self.desk()
        if not (desk.here and ray_address()) and not any(
            each.pool == limits.pool and CAPABILITY in each.capabilities for each in desk.heard_of()
        ):
            raise Refused(
                f"no worker of pool {limits.pool} has a Ray cluster for {nodes} nodes; start one with "
                "`lepton worker --ray ADDRESS`"
            )
        return replace(limits, needs=(*limits.needs, CAPABILITY))

    def _reaching(self, name: object, limits: JobLimits, metrics: Sequence[str] = ()) -> JobLimits:
        """The limits by which a job comes to a worker that knows its class and metrics; `Refused` where none is ready.

        Where this process would work itself, what it imported counts too.
        """
        words = [f"class:{name}"] if name is not None and not is_own_name(name) else []
        words += [f"metric:{each}" for each in metrics]
        if not words:
            return limits
        desk = self.desk()
        ready = [each.capabilities for each in desk.heard_of() if each.pool == limits.pool]
        ready += [announced()] if desk.here else []
        if lacking := min(([word for word in words if word not in each] for each in ready), key=len, default=words):
            kind, _, lacked = lacking[0].partition(":")
            raise Refused(
                f"no worker of pool {limits.pool} knows the {kind} {lacked!r}",
                python="start one with `lepton worker --import MODULE`, or train and evaluate it in this process, with "
                "manager.train and manager.evaluate",
                cli="start one with `lepton worker --import MODULE`, whose module registers it",
            )
        return replace(limits, needs=(*limits.needs, *words))


def submit(
    workspace: Workspace,
    kind: str,
    model: str,
    data: str,
    payload: Mapping[str, Any],
    limits: JobLimits,
    *,
    message: str = "",
    validation: str | None = None,
    key: str | None,
) -> JobRecord:
    """Ask for work on what lies at an address. Repeated under its key, the job that it became the first time."""
    asked = checked_payload(kind, payload)

    def address(place: str) -> str:
        if isinstance(asked, LabelledRows):
            return place and read.checked(place, asked.label, selected_by(asked))
        return place and _address(place)

    command = SubmitJob(
        job=str(uuid_utils.uuid7()),
        kind=kind,
        model=model,
        payload=payload,
        source=address(data),
        validation_source="" if validation is None else address(validation),
        message=message,
        **asdict(limits),
    )
    event = workspace.admit(command, key).events[0].event
    assert isinstance(event, JobSubmitted)
    return record(workspace, event.job)


def _directions(better: Mapping[str, str] | None) -> dict[str, Any]:
    return {"better": checked_better(better)} if better else {}


def _address(source: str) -> str:
    """Where something lies, whatever folder it is asked from."""
    return checked_source(source if "://" in source else Path(source).absolute().as_uri())
