"""The jobs of a server: asked for, looked at, waited for and called off."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from ...datasets.selection import selection
from ...domain.names import JOB_PREFIX
from ...errors import Refused, Unavailable
from ...results import JobRecord, JobRecords
from .asked import told
from .rows import named

if TYPE_CHECKING:
    from ..client import Client

OnEpoch = Callable[[int, Mapping[str, float]], None]
PAGE: Final = 1000
_TURN: Final = 20.0
"""Seconds that one request waits for a job's end."""
log = logging.getLogger("lepton")


class RemoteJobs:
    """As `jobs.api.Jobs`, of a server; what it lets workers read is named data."""

    def __init__(self, client: Client, ready: Callable[[], None]) -> None:
        self._client = client
        self._ready = ready

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
        """Ask for a model to be trained as a branch's next version."""
        asked: dict[str, Any] = {"kind": "train", "class": model, "model": name or model, "label": label}
        asked |= {"hyperparameters": dict(hyperparameters or {}), "branch": branch, "message": message}
        asked |= {"tags": [*tags], "validation": validation, "better": dict(better or {})}
        return self._asked(data, asked | selection(types, drop, columns).to_dict() | limits, key)

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
        """Ask for a search, whose trials are jobs; what came of it is the manager's `show_study`."""
        several = [metric] if isinstance(metric, str) else [*(metric or ())]
        asked: dict[str, Any] = {"kind": "tune", "class": model, "model": name or model, "label": label, "study": study}
        asked |= {"metric": several, "trials": trials, "budget": budget, "workers": workers, "space": space}
        asked |= {"hyperparameters": dict(hyperparameters or {}), "sampler": sampler, "pruner": pruner, "seed": seed}
        asked |= {"warm": warm, "keep": keep, "branch": branch, "validation": validation, "better": dict(better or {})}
        asked |= {"message": message, **selection(types, drop, columns).to_dict()}
        return self._asked(data, asked | limits, key)

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
        """Ask for a version to be judged on labelled rows."""
        from ...versions.save_request import words

        if words(rev).startswith(JOB_PREFIX):
            made = self.show(words(rev).removeprefix(JOB_PREFIX))
            judged = {"model": made.model, "version": f"{JOB_PREFIX}{made.job}"}
        else:
            found = self._client.read(f"/models/-/versions/{quote(words(rev), safe='')}").version
            judged = {"model": found.model, "version": int(found)}
        asked: dict[str, Any] = {"kind": "evaluate", **judged, "label": label, "message": message}
        asked |= {"name": name, "task": task, "better": dict(better or {})}
        return self._asked(data, asked | selection(types, drop, columns).to_dict() | more, key)

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
        """Have a version that was trained elsewhere looked at, and committed if it is what is said."""
        from ...versions.source import identity_of

        asked: dict[str, Any] = {"kind": "verify", "model": model, "source": source, "digest": digest, "branch": branch}
        asked |= {"hyperparameters": hyperparameters, "architecture": architecture, "settings": settings, "data": data}
        asked |= {"metrics": metrics, "validation": identity_of(validation), "task": task, "better": better}
        asked |= {"tags": [*tags], "message": message, **limits}
        return self._submitted(asked, key)

    def recent(self, most: int = 50, *, before: str | None = None) -> JobRecords:
        """The jobs submitted last, the newest first; those submitted `before` another, if its id is given."""
        pages = self._client.pages("/jobs", {"most": max(1, min(most, PAGE)), "before": before})
        return JobRecords(islice((job for page in pages for job in page), most))

    def show(self, job: str) -> JobRecord:
        """A job as it stands."""
        return self._client.read(_at(job))

    def events(self, job: str) -> Iterator[dict[str, Any]]:
        """A job's story: its events and those of its attempts' runs."""
        return iter(self._client.get(_at(job, "events"))["events"])

    def cancel(self, job: str, *, reason: str = "", epoch: int | None = None, key: str | None = None) -> JobRecord:
        """Call a job off, wherever it stands, or if that attempt is at work; its worker stops it."""
        self._ready()
        return self._client.write("POST", _at(job, "cancel"), told({"reason": reason, "epoch": epoch}), key=key)

    def wait(self, job: str, *, on_epoch: OnEpoch | None = None, timeout: float | None = None) -> JobRecord:
        """Wait until a job has ended; no worker of this process does it.

        Raises `Unavailable` where it has not ended within `timeout` seconds: the job goes on.
        """
        end = None if timeout is None else time.monotonic() + timeout
        record, epochs, said = self.show(job), _EpochsTold(on_epoch), ""
        while not record.ended:
            if on_epoch is not None:
                epochs.tell(self.events(record.job))
            left = _TURN if end is None else end - time.monotonic()
            if left <= 0:
                raise Unavailable(f"job {record.job} has not ended, it is {record.status}; it goes on, ask again")
            if record.status == "queued" and (waits := f"job {record.job} waits for a worker") != said:
                log.info("%s of pool %s", said := waits, record.pool)
            if record.status == "waiting" and (waits := f"job {record.job} waits for others") != said:
                log.info("%s: %s", said := waits, ", ".join(record.after))
            record = self._client.read(_at(record.job), {"wait": min(left, 1.0 if on_epoch else _TURN)})
        if on_epoch is not None:
            epochs.tell(self.events(record.job))
        return record

    def _asked(self, data: str, asked: Mapping[str, Any], key: str | None) -> JobRecord:
        name = named(self._client, data)
        if name is None and "://" not in data:
            raise Refused(
                f"a job of a server reads named data, and {data!r} is a file of this machine",
                python="name its rows first by add_data(NAME, FILE, LABELS, keep=True)",
                cli="name its rows first: lepton data add NAME FILE --label COLUMN --keep",
            )
        return self._submitted({"data": data if name is None else name, **asked}, key)

    def _submitted(self, asked: dict[str, Any], key: str | None) -> JobRecord:
        """Ask for work; the jobs that must have finished before may be given as records."""
        self._ready()
        if after := asked.pop("after", ()):
            given = (after,) if isinstance(after, str | JobRecord) else after
            asked["after"] = [each.job if isinstance(each, JobRecord) else each for each in given]
        return self._client.write("POST", "/jobs", told(asked), key=key)


class _EpochsTold:
    """Tells each epoch of a job's attempts once."""

    def __init__(self, on_epoch: OnEpoch | None) -> None:
        self._on_epoch = on_epoch
        self._seen: set[str] = set()

    def tell(self, story: Iterator[Mapping[str, Any]]) -> None:
        """Tell those of a story that are new: the points of a step, by name."""
        for event in story:
            if event["id"] in self._seen or not str(event["type"]).startswith("lepton.metrics.logged"):
                continue
            self._seen.add(event["id"])
            data, epochs = event["data"], dict[int, dict[str, float]]()
            for name, step, value in zip(data["names"], data["steps"], data["values"], strict=True):
                if step is not None:
                    epochs.setdefault(step, {})[name] = float(value)
            for step, losses in sorted(epochs.items()):
                if self._on_epoch is not None:
                    self._on_epoch(step, losses)


def _at(job: str, *rest: str) -> str:
    return "/".join(("/jobs", quote(job, safe=""), *rest))
