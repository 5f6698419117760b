"""Events in words: what somebody did, by the event's type and fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ....results.figures import figure
from ..html import translated

SENTENCES: Final[Mapping[str, str]] = {
    "model.registered": "began the model",
    "model.described": "said what the model is for",
    "model.archived": "archived the model",
    "model.unarchived": "opened the model for writing again",
    "version.committed": "saved version {version} on {branch}",
    "version.described": "described version {version}",
    "version.annotated": "put notes on version {version}: {annotations}",
    "version.cleared": "cleared version {version} to be suggested again",
    "version.offered": "offered a version that was trained elsewhere",
    "metrics.recorded": "recorded figures of version {version}: {metrics}",
    "metric.defined": "defined the metric {name}: {better} is better",
    "evaluation.recorded": "evaluated version {version}: {metrics}",
    "delta.recorded": "kept the exact difference of versions {from_version} and {to_version}",
    "branch.created": "opened the branch {branch} at version {version}",
    "branch.rolled_back": "rolled the branch {branch} back from version {from_version} to version {to_version}",
    "branch.deleted": "gave up the branch {branch}, at version {version}",
    "tag.created": "tagged version {version} as {tag}",
    "tag.deleted": "gave up the tag {tag}, of version {version}",
    "alias.put": "put {alias} on version {to_version}",
    "alias.moved": "moved {alias} from version {from_version} to version {to_version}",
    "alias.rolled_back": "rolled {alias} back from version {from_version} to version {to_version}",
    "alias.deleted": "gave up {alias}, on version {from_version}",
    "alias.protected": "protected {alias}: it moves only by a gate",
    "alias.unprotected": "let {alias} move freely again",
    "gate.passed": "held version {version} against a gate, which it passed",
    "gate.failed": "held version {version} against a gate, which it did not pass",
    "rollback.rehearsed": "rehearsed a rollback from version {from_version} to version {to_version}",
    "run.started": "started a run",
    "run.checkpointed": "kept a checkpoint of the run",
    "run.finished": "ended the run",
    "run.failed": "the run failed: {error}",
    "run.lost": "found that the run is not heard of any more",
    "run.resumed": "went on with the run",
    "metrics.logged": "logged {points} points of the run: {names}",
    "file.logged": "kept the file {name} of the run",
    "job.submitted": "asked for a job: {kind}",
    "job.released": "let the job begin, since all that it waited for has finished",
    "job.assigned": "gave the job to a worker, attempt {epoch}",
    "job.started": "began attempt {epoch} of the job",
    "job.warned": "could not take in something that attempt {epoch} of the job said",
    "job.checkpointed": "kept a checkpoint of the job at step {step}",
    "job.requeued": "put the job back in the queue behind attempt {epoch}: {error}",
    "job.finished": "finished the job",
    "job.made": "finished the job with version {version}",
    "job.failed": "the job failed: {error}",
    "job.cancelled": "called the job off",
    "token.created": "made a token that allows {scopes} on {models}",
    "token.revoked": "revoked the token",
    "ledger.created": "created the ledger",
    "ledger.upgraded": "upgraded the ledger to format {format}",
    "study.created": "created the study {study}",
    "study.annotated": "noted attributes of the study",
    "study.deleted": "deleted the study",
    "study.stopped": "stopped the search behind the trials at work",
    "study.resumed": "went on with the search",
    "trial.begun": "began trial {trial}",
    "trial.suggested": "suggested parameters to trial {trial}",
    "trial.started": "started trial {trial}",
    "trial.queued": "put trial {trial} back in the queue",
    "trial.reported": "told values of trial {trial} on its way: {values}",
    "trial.annotated": "noted attributes of trial {trial}",
    "trial.ended": "ended trial {trial}, {status}: {values}",
    "suite.defined": "defined the suite {suite}",
    "suite.retired": "retired the suite",
    "chain.defined": "said which steps the chain {chain} has",
    "chain.advanced": "came on with step {step} of the chain",
    "data.named": "named rows, as version {version} of the name",
    "dataset.recorded": "recorded the fingerprint of rows",
    "observation.recorded": "told what was seen of version {version} at work: {metrics}",
    "pack.written": "wrote a pack of {entries} objects",
    "pack.repacked": "wrote a pack's content again into others",
    "manifest.written": "told {tensors} tensors of a version by name",
    "objects.condemned": "marked packs that nothing refers to for deletion",
}
"""By type, without `lepton.` and its version; a few types have one by what a field says."""

UNKNOWN: Final = "recorded an event of type {type}"
_SHOWN: Final = 4
"""Figures or names that a sentence has; the event's own page has all."""


def stem(kind: str) -> str:
    """What a type is called without what all types have."""
    return kind.removeprefix("lepton.").rpartition(".v")[0] or kind


def sentence(kind: str, data: Mapping[str, Any]) -> str:
    """What happened, as a sentence whose subject is who did it, in the reader's language."""
    english = SENTENCES.get(_case(stem(kind), data))
    if english is None:
        return translated(UNKNOWN).format_map({"type": kind})
    return translated(english).format_map(_Parts(data))


def _case(kind: str, data: Mapping[str, Any]) -> str:
    """Which of its sentences an event is told by."""
    match kind, data:
        case "alias.moved", {"from_version": None}:
            return "alias.put"
        case "gate.judged", _:
            return "gate.passed" if data.get("passed") else "gate.failed"
        case "run.finished", {"status": "failed"}:
            return "run.failed"
        case "job.finished", {"version": int()}:
            return "job.made"
        case _:
            return kind


class _Parts(dict[str, str]):
    """The fields of an event as its sentence says them; one that it lacks is a question mark."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__((name, _words(value)) for name, value in data.items())
        names = data.get("names")
        if isinstance(names, list):
            self["points"] = self["tensors"] = f"{len(names):,}"  # pyright: ignore[reportUnknownArgumentType]
            self["names"] = _words(list(dict.fromkeys(map(str, names))))  # pyright: ignore[reportUnknownArgumentType]

    def __missing__(self, name: str) -> str:
        return "?"


def _words(value: Any) -> str:
    match value:
        case dict():
            return _some([f"{name} {figure(each)}" for name, each in value.items()])  # pyright: ignore
        case list():
            return _some([figure(each) for each in value])  # pyright: ignore[reportUnknownVariableType]
        case _:
            return figure(value)


def _some(words: list[str]) -> str:
    said, more = ", ".join(words[:_SHOWN]), len(words) - _SHOWN
    return said if more <= 0 else translated("{some} and {more} more", some=said, more=more)
