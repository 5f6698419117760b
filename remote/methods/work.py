"""Work of a server's ledger: runs of this process and of others, their checkpoints, and jobs."""

# pyright: reportUnknownVariableType=false
# (pyarrow ships no types)

from __future__ import annotations

from itertools import islice
from typing import Any
from urllib.parse import quote

from ...errors import Refused
from ...results import Version
from ...results.work.runs import RunRecords
from ...versions.arguments import checked
from ...versions.runs.points import Resumed
from ...versions.runs.run import resumed
from .asked import PAGE, Asking, over_http, quoted
from .tables import ARROW


@checked
class WorkOverHTTP(Asking):
    """`resume`, `runs`, `chains`, `library`, `predict`, `jobs`; `run` and `train` are the local manager's own."""

    @over_http
    def resume(self, given: Any) -> Any:
        record = self.show_run(given.run)
        if record.status == "finished":
            raise Refused(f"run {record.run!r} is finished; only one that did not finish is resumed: start another")
        return resumed(self._outbox, record, Resumed(record.run, *self.run_progress(record.run)))

    @over_http
    def runs(self, given: Any) -> Any:
        asked = {"model": given.model, "status": given.status, "actor": given.actor, "before": given.before}
        pages = self._remote.client.pages("/runs", asked | {"most": max(1, min(given.most, PAGE))})
        return RunRecords(islice((run for page in pages for run in page), given.most))

    @over_http
    def show_run(self, given: Any) -> Any:
        return self._read(_run(given.run))

    @over_http
    def chains(self, given: Any) -> Any:
        del given
        return self._read("/chains")

    @over_http
    def show_chain(self, given: Any) -> Any:
        return self._read(f"/chains/{quoted(given.name)}")

    @over_http
    def run_metrics(self, given: Any) -> Any:
        import pyarrow as pa

        headers, asked = {"Accept": ARROW}, {"name": given.name}
        answer = self._remote.client.request("GET", _run(given.run, "metrics"), params=asked, headers=headers)
        return pa.ipc.open_stream(answer.content).read_all()

    @over_http
    def run_progress(self, given: Any) -> Any:
        far = self._remote.client.get(_run(given.run, "progress"))
        return far["points"], far["step"]

    @over_http
    def load_checkpoint(self, given: Any) -> Any:
        return self._remote.versions.load_checkpoint(given.run, given.step, given.into, given.optimizer)

    @over_http
    def load_checkpoint_tensors(self, given: Any) -> Any:
        from ...models.state import empty_torch

        return self._remote.versions.checkpoint_tensors(given.run, given.step, empty_torch)

    @over_http
    def library(self, given: Any) -> Any:
        return self._read("/library" if given.name is None else f"/library/{quoted(given.name)}")

    @over_http
    def predict(self, given: Any) -> Any:
        from ...versions.export.predict import Predictor, predicted

        record = self.show(given.rev)
        version: Version = record.version
        asked = Predictor(
            version.model, int(version), record.architecture, record.data, lambda: self.load_version(version)
        )
        return predicted(asked, given.data, given.keep)

    @property
    def jobs(self) -> Any:
        """Work that is done by workers: trainings and evaluations asked for, waited for, called off."""
        from .jobs import RemoteJobs

        return RemoteJobs(self._remote.client, self._outbox.ready)


def _run(run: str, *rest: str) -> str:
    return "/".join(("/runs", quote(run, safe=""), *rest))
