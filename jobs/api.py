"""The SDK's door to jobs: a line a method, each handing its work on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..domain.model.recipe import Recipe
from ..models.registry import known
from ..versions.unknown import damage_first
from ..versions.workspace import Workspace
from . import service, wait
from .desk import Desk
from .record import JobRecord, JobRecords
from .wait import OnEpoch


@damage_first(lambda jobs: jobs.workspace)
@dataclass(frozen=True, slots=True)
class Jobs:
    """Work that workers do. A job is named by its id, or by the id's beginning or end.

    `limits` are `pool`, `needs` such as ("cuda",), `memory` in bytes, `seconds` an attempt, and how many `retries` of
    attempts that were lost. `data` is a CSV, Parquet or Arrow file that the worker can reach: a path, s3://, gs://.
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
        label: str,
        *,
        name: str | None = None,
        hyperparameters: Mapping[str, Any] | None = None,
        branch: str = "main",
        message: str = "",
        tags: Sequence[str] = (),
        key: str | None = None,
        **limits: Any,
    ) -> JobRecord:
        """Ask for one of Lepton's own models to be trained, which makes the next version of a branch."""
        asked = {"class": known(model), "label": label, "hyperparameters": dict(hyperparameters or {})}
        payload = asked | {"branch": branch, "tags": list(tags)}
        limit = service.Limits(**limits)
        return service.submit(self.begun(), "train", name or model, data, payload, limit, message=message, key=key)

    def evaluate(
        self, rev: str | int, data: str, label: str, *, name: str = "", key: str | None = None, **limits: Any
    ) -> JobRecord:
        """Ask for a version to be judged on labelled rows; the figures are recorded with the rows' fingerprint."""
        model, number = self.workspace.resolve(rev)
        payload = {"version": number, "label": label, "name": name}
        limit = service.Limits(**limits)
        return service.submit(self.workspace, "evaluate", model.name, data, payload, limit, key=key)

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
        tags: Sequence[str] = (),
        message: str = "",
        key: str | None = None,
        **limits: Any,
    ) -> JobRecord:
        """Have a version that was trained elsewhere looked at, and committed if it is what is said.

        `source` is a safetensors file that the worker can reach, `digest` the `sha256:` of its bytes; `data` is a
        fingerprint.
        """
        recipe = Recipe(hyperparameters or {}, architecture or {}, settings or {}, data)
        told = {"branch": branch, "recipe": recipe, "metrics": dict(metrics or {}), "tags": tuple(tags)}
        told |= {"digest": digest, "message": message}
        return service.offer(self.begun(), model, source, service.Limits(**limits), key=key, **told)

    def recent(self, most: int = 50) -> JobRecords:
        """The jobs submitted last, the newest first."""
        return service.recent(self.workspace, most)

    def show(self, job: str) -> JobRecord:
        """A job as it stands."""
        return service.record(self.workspace, self.workspace.named("job", job))

    def events(self, job: str) -> Iterator[dict[str, Any]]:
        """A job's story: its events and those of its attempts' runs, as `ModelManager.events` gives them."""
        return service.story(self.workspace, self.workspace.named("job", job))

    def cancel(self, job: str, *, reason: str = "", key: str | None = None) -> JobRecord:
        """Call a job off, wherever it stands; its worker stops it."""
        return service.cancel(self.workspace, self.workspace.named("job", job), reason, key)

    def wait(self, job: str, *, on_epoch: OnEpoch | None = None, timeout: float | None = None) -> JobRecord:
        """Wait until a job has ended; on one machine there is a worker in this process where no other could take it.

        While it does not begin the log says what it waits for. Raises `Unavailable` where it has not ended within
        `timeout` seconds, saying so too: the job goes on. Raises what keeps the worker in this process from working.
        """
        name = self.workspace.named("job", job)
        return wait.wait(self.workspace, self.desk(), name, on_epoch=on_epoch, timeout=timeout)
