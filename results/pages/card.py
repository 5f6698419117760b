"""The model card of a version: what the ledger knows of it, in Hugging Face's format, in Chinese or English."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..answer import Result
from ..description import Block
from ..figures import figure, pairs
from ..file import keep
from ..judging.report import Report
from ..judging.sentences import Sentences
from ..past.history import ROLES, VersionRecord
from ..version import VersionRef
from ..words import Language
from .markdown import parts
from .page import templates

TASKS: Final = {
    "binary": "tabular-classification",
    "multiclass": "tabular-classification",
    "multilabel": "tabular-classification",
    "regression": "tabular-regression",
    "ranking": "text-ranking",
    "forecasting": "time-series-forecasting",
    "segmentation": "image-segmentation",
    "sequence": "token-classification",
}
"""Hugging Face's name of a task; an annotation `pipeline_tag` of the version says it better."""
STATED: Final = {"intended_use": "Intended use", "out_of_scope": "Out of scope", "limitations": "Limitations"}
"""Annotations of a version that a card repeats, and what they are called there."""
COUNTS: Final = frozenset({
    "n", "positives", "threshold", "classes", "labels", "queries", "images", "sequences", "true_negatives",
    "false_positives", "false_negatives", "true_positives",
})  # fmt: skip
"""Figures that say how much was judged, not how well."""
PATH: Final = re.compile(r"(?:[~/\\]|[A-Za-z]:[\\/]|[a-z][a-z0-9+.-]*://)")
"""How what says where something lies begins: a card is read elsewhere, by others."""


@dataclass(frozen=True)
class JudgedRows(Result):
    """The figures of a version on one set of rows, and the report of them where one was kept."""

    name: str
    """What the rows are called; empty for the version's own validation."""
    task: str | None
    rows: Mapping[str, Any] | None
    """Their digest and how many they are; None where nobody said which."""
    figures: Mapping[str, float]
    learnt: bool
    """Whether these are the very rows that the version learnt from."""
    report: Report | None = None

    @property
    def shown(self) -> list[tuple[str, str]]:
        """Every figure, as it is written."""
        return [(name, figure(value)) for name, value in sorted(self.figures.items())]

    @property
    def metrics(self) -> dict[str, float]:
        """The figures that say how well it did."""
        return {name: value for name, value in self.figures.items() if name not in COUNTS}


@dataclass(frozen=True)
class Card(Result):
    """A model card. `str()` is its text, Markdown under a front matter of YAML; `save` keeps it."""

    record: VersionRecord
    purpose: str
    """What the model is for, as it was described."""
    tensors: str
    """The digest of the tensors' manifest."""
    judged: tuple[JudgedRows, ...]
    language: Language

    @property
    def metadata(self) -> dict[str, Any]:
        """What the front matter says: licence, library, tags, and the figures as a model index."""
        notes, name = self.record.annotations, self.record.version.model
        known = {key: notes[key] for key in ("license", "language", "pipeline_tag") if isinstance(notes.get(key), str)}
        results = [self._result(each) for each in self.judged if each.metrics]
        index = [{"name": f"{name}@{self.record.version}", "results": results}] if results else []
        facts = {**known, "library_name": "lepton-ai-sdk", "tags": ["lepton"]}
        return facts | ({"model-index": index} if index else {})

    @property
    def markdown(self) -> str:
        """The card's text."""
        from .front_matter import front_matter

        told = Sentences(self.language)
        shown = {name: _pairs(getattr(self.record, name)) for name in ("hyperparameters", "settings", "environment")}
        body = (
            templates()
            .get_template("card.md.j2")
            .render(card=self, record=self.record, told=told, stated=STATED, shown=shown, parts=parts, roles=ROLES)
        )
        return front_matter(self.metadata) + re.sub(r"\n{3,}", "\n\n", body).strip() + "\n"

    @property
    def parents(self) -> tuple[tuple[str, str], ...]:
        """What the version came from, each with its role."""
        own = self.record.version.model
        known = self.record.version.parents
        return tuple((str(ref if isinstance(ref, VersionRef) else VersionRef(own, ref)), role) for ref, role in known)

    def save(self, path: str | Path) -> None:
        """Write the text to a file, which is replaced whole where it is there."""
        keep(self.markdown.encode(), path)

    def to_dict(self) -> dict[str, Any]:
        """Version, language, metadata and the whole text; JSON-ready."""
        version = self.record.version.to_dict()
        return {"version": version, "language": self.language, "metadata": self.metadata, "markdown": self.markdown}

    def __str__(self) -> str:
        return self.markdown

    def blocks(self) -> Iterator[Block]:
        yield from self.markdown.splitlines()

    def _repr_markdown_(self) -> str:
        return self.markdown.partition("---\n")[2].partition("---\n")[2]

    def _result(self, judged: JudgedRows) -> dict[str, Any]:
        told = Sentences(self.language)
        tag = self.record.annotations.get("pipeline_tag")
        kind = tag if isinstance(tag, str) else TASKS.get(judged.task or "", "other")
        called = judged.name or told.word("validation")
        digest = (judged.rows or {}).get("digest")
        data = {"type": judged.name or "validation", "name": called} | ({"revision": digest} if digest else {})
        metrics = [{"type": name, "name": name, "value": value} for name, value in sorted(judged.metrics.items())]
        return {"task": {"type": kind}, "dataset": data, "metrics": metrics}


def _pairs(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and values, but of what says where something lies."""
    return [(name, "[…]" if PATH.match(value) else value) for name, value in pairs(values)]
