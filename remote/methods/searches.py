"""Searches of a server's ledger: asked for as jobs, listed, shown, stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ...errors import Refused, UnknownStudy
from ...results.work.studies import StudyRecord
from ...versions.arguments import checked
from .asked import PAGE, Asking, over_http, quoted

OnTrial = Callable[[int, str, Sequence[float] | None], None]
_TURN: Final = 10.0
"""Seconds that one request waits for a search's end."""


@checked
class SearchedOverHTTP(Asking):
    """`tune`, `studies`, `show_study`, `stop_study`."""

    @over_http
    def tune(self, given: Any) -> Any:
        asked: dict[str, Any] = {**vars(given)}
        limits: dict[str, Any] = asked.pop("limits")
        on_trial: OnTrial | None = asked.pop("on_trial")
        del asked["self"]
        if not isinstance(given.data, str):
            raise Refused(
                "a search of a server reads named data, not rows in memory",
                python="name them first by add_data(NAME, ROWS, LABELS, keep=True)",
                cli="name them first: lepton data add NAME FILE --label COLUMN --keep",
            )
        asked |= {"label": asked.pop("labels"), "workers": max(1, given.workers)}
        job = self.jobs.tune(**asked, **limits)
        study: str = given.study or given.name or given.model
        trials = _TrialsTold(on_trial)
        if on_trial is None:
            self.jobs.wait(job.job)  # which says what it waits for
        while not (ended := self._remote.client.read(f"/jobs/{quoted(job.job)}", {"wait": _TURN})).ended:
            with suppress(UnknownStudy):  # it has not begun
                trials.tell(self.show_study(study))
        if ended.status != "finished":
            raise Refused(f"the search of job {job.job} is {ended.status}: {ended.reason or ended.error}")
        record = self.show_study(study)
        trials.tell(record)
        return record

    @over_http
    def studies(self, given: Any) -> Any:
        del given
        return self._read("/studies")

    @over_http
    def show_study(self, given: Any) -> Any:
        pages = [*self._remote.client.pages(f"/studies/{quoted(given.name)}", {"most": PAGE})]
        return replace(pages[0], trials=tuple(trial for page in pages for trial in page.trials))

    @over_http
    def stop_study(self, given: Any) -> Any:
        return self._write("POST", f"/studies/{quoted(given.name)}/stop", key=given.key)


@dataclass
class _TrialsTold:
    """Tells each trial that ended once."""

    on_trial: OnTrial | None
    _told: set[int] = field(default_factory=set[int])

    def tell(self, study: StudyRecord) -> None:
        """Tell the trials of a study that ended since."""
        for trial in study.trials if self.on_trial is not None else ():
            if trial.ended is not None and not trial.earlier and trial.trial not in self._told:
                self._told.add(trial.trial)
                self.on_trial(trial.trial, trial.status, trial.values)  # type: ignore[misc]
