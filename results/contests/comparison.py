"""Versions side by side, and which is best."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ..answer import Shortened
from ..description import WHOLE, Block, Words, dim, grid, number, text, title
from ..figures import ABSENT, count, figure, told
from ..version import Version
from ..words import say, word
from .contest import ALONE, Contest

BESIDE: Final = 6
"""Values of a version that stand beside each other; more stand below each other, a version a column."""
BEST: Final = "*"
NAMED: Final = 12
"""Names of what is the same for all that are shown."""


_EACH: Final = ("metrics", "rows", "hyperparameters")
"""The fields that have a value a version."""


@dataclass(frozen=True)
class Comparison(Shortened):
    """Versions side by side: best first by `metric` on rows that all were judged on, else in the order named."""

    model: str
    metric: str | None
    """What they are ranked by; None where they are not ranked."""
    on: Mapping[str, Any] | None
    """The rows that they are ranked on: their digest, and how many."""
    versions: tuple[Version, ...]
    metrics: tuple[Mapping[str, float], ...]
    rows: tuple[Mapping[str, Mapping[str, Any]], ...]
    """By the name of a figure the rows it was measured on, where they are known."""
    words: str
    """Why they are not ranked; empty where they are."""
    hyperparameters: tuple[Mapping[str, Any], ...] = ()
    """Nested ones by dotted names."""
    better: Mapping[str, str] = field(default_factory=dict[str, str])
    """Which way the figures are better whose direction is known, by name."""
    tests: tuple[Contest, ...] = ()
    """Each other version against the best, or against the one that was named, by a paired test on those rows."""
    untested: tuple[int, ...] = ()
    """The versions of which no outcomes of those rows are known, and so are compared by figures alone."""
    why: str = ""
    """Why one was not tested though its outcomes may be known."""

    def to_dict(self) -> dict[str, Any]:
        """Every field by its name, and under `versions` each one whole with what is told of it; JSON-ready."""
        told = super().to_dict()
        each = zip(*(told.pop(name) for name in _EACH), strict=True)
        versions = [
            {"version": version.to_dict(), **dict(zip(_EACH, own, strict=True))}
            for version, own in zip(self.versions, each, strict=True)
        ]
        return told | {"versions": versions}

    @property
    def best(self) -> Version | None:
        """The version that does best by `metric`, of equals the newest; None where they are not ranked."""
        return None if self.metric is None else self.versions[0]

    @property
    def same(self) -> dict[str, tuple[str, ...]]:
        """The names of the metrics and hyperparameters that are the same for all versions."""
        metrics = (name for name in _alike(self.metrics) if len(set(self._rows(name))) == 1)
        return {"metrics": tuple(metrics), "hyperparameters": tuple(_alike(self.hyperparameters))}

    def described(self, *, whole: bool) -> Iterator[Block]:
        """What differs, and a line that counts and names what is the same; whole, that stands beside it."""
        folded = {} if whole or len(self.versions) == 1 else self.same
        own = [] if self.metric is None else [self.metric]
        same = [name for name in folded.get("metrics", ()) if name not in own]
        chosen_alike = folded.get("hyperparameters", ())
        names = own + [each for each in _names(self.metrics) if each not in (*own, *same)]
        chosen = [each for each in _names(self.hyperparameters) if each not in chosen_alike]
        beside = len(names) + len(chosen) <= max(BESIDE, len(self.versions) - 1)
        by = {"model": title(self.model), "metric": self.metric or "", "rows": told(self.on)}
        yield say("{model} by {metric} on {rows}, best first", **by) if own else title(self.model)
        yield from self._figures(names, beside=beside)
        if chosen:
            yield from ("", title(word("hyperparameters")), self._chosen(chosen, beside=beside))
        alike = {"figure": same, "hyperparameter": chosen_alike}
        if parts := [f"{count(len(each), noun)} ({_listed(each)})" for noun, each in alike.items() if each]:
            same_parts = {"parts": word(", ").join(parts), "whole": word(WHOLE)}
            yield from ("", dim(str(say("the same for all: {parts}; {whole}", **same_parts))))
        if self.words:
            yield self.words
        yield from self.contests()

    def contests(self) -> Iterator[Block]:
        """What paired tests say, and what was not tested."""
        if self.tests:
            first = self.tests[0]
            names = {"against": number(first.against), "metric": self.metric or ""}
            level = say("{level} interval", level=f"{first.test.level:.0%}")
            yield from ("", title(say("against version {against} by {metric}", **names)))
            head = (word("version"), word("difference"), str(level), "p", word("effect"), word("verdict"))
            yield grid((each.cells() for each in self.tests), head=head, right=(0, 1, 3))
            yield dim(self._method())
        if not self.untested and not self.why:
            return
        untested = ", ".join(map(str, self.untested))
        if self.why:
            yield dim(str(say("not tested: {why}", why=word(self.why))))
        elif self.tests:
            yield dim(str(say("not tested, for no outcomes of these rows are kept: {versions}", versions=untested)))
        else:
            yield dim(word(ALONE))

    def _method(self) -> str:
        """The tests that were made, and whether p was corrected."""
        tests = word(", ").join(dict.fromkeys(each.test.method for each in self.tests))
        if all(each.p == each.test.p for each in self.tests):
            return tests
        return str(say("{tests}; p corrected for all pairs that were looked at (Holm)", tests=tests))

    def _figures(self, names: Sequence[str], *, beside: bool) -> Iterator[Block]:
        """The figures, with letters for their rows where these differ, and a star at the best where it is known."""
        letters = self.letters(names)
        marks = {name: self.marks(name, letters) for name in names}
        room = any(any(each) for each in marks.values())
        cells = {name: list(self._marked(name, own, room=room)) for name, own in marks.items()}
        branches = [version.branch for version in self.versions]
        if beside:
            yield self._beside({word("branch"): branches} | cells, right=names)
        else:
            yield self._below({word("branch"): [dim(each) for each in branches]} | cells, right=True)
        yield from (dim(f"{letter}: {words}") for words, letter in letters.items())
        if any(BEST in each for each in marks.values()):
            yield dim(f"{BEST}: {word('the best of figures on the same rows')}")

    def _marked(self, name: str, marks: Sequence[str], *, room: bool) -> Iterator[Words]:
        for of, mark in zip(self.metrics, marks, strict=True):
            value = text(_value(of, name), style="green bold" if mark == BEST else "")
            yield text(value, dim(f" {mark}") if mark else "  " if room else "")

    def _chosen(self, names: Sequence[str], *, beside: bool) -> Block:
        """The hyperparameters; numbers of one column align."""
        cells = {name: [_value(of, name) for of in self.hyperparameters] for name in names}
        if not beside:
            return self._below(cells, right=False)
        numbers = [name for name in names if all(_is_number(of.get(name)) for of in self.hyperparameters)]
        return self._beside(cells, right=numbers)

    def _beside(self, cells: Mapping[str, Sequence[Words]], right: Sequence[str]) -> Block:
        """A row a version."""
        head, columns = [word("version"), *cells], [[number(each) for each in self.versions], *cells.values()]
        places = (place for place, name in enumerate(head) if place == 0 or name in right)
        return grid(zip(*columns, strict=True), head=head, right=places)

    def _below(self, cells: Mapping[str, Sequence[Words]], *, right: bool) -> Block:
        """A column a version."""
        rows = ((name, *each) for name, each in cells.items())
        places = range(1, len(self.versions) + 1) if right else ()
        return grid(rows, head=(word("version"), *map(str, self.versions)), right=places)

    def marks(self, name: str, letters: Mapping[str, str]) -> list[str]:
        """By version the mark of a figure: the letter of its rows, or a star where it is best.

        None is best where the direction or the rows are not known, where rows differ, or where all do alike.
        """
        figures = {place: of[name] for place, of in enumerate(self.metrics) if name in of}
        rows = dict(zip(figures, self._rows(name), strict=True))
        known = {value for value in figures.values() if not math.isnan(value)}
        if name not in self.better or len({*rows.values()}) != 1 or told(None) in rows.values() or len(known) < 2:
            return [letters.get(rows.get(place, ""), "") for place in range(len(self.metrics))]
        best = max(known) if self.better[name] == "higher" else min(known)
        return [BEST if figures.get(place) == best else "" for place in range(len(self.metrics))]

    def letters(self, names: Iterable[str]) -> dict[str, str]:
        """Letters for rows, where a figure is of several, or of rows that nobody named."""
        letters: dict[str, str] = {}
        for name in names:
            kinds = dict.fromkeys(self._rows(name))
            if len(kinds) > 1 or (kinds.keys() == {told(None)} and len(self.metrics) > 1):
                for words in kinds:
                    letters.setdefault(words, _letter(len(letters)))
        return letters

    def _rows(self, name: str) -> list[str]:
        """The rows of a figure, of each version that has it."""
        return [told(rows.get(name)) for of, rows in zip(self.metrics, self.rows, strict=True) if name in of]


def _names(of: Sequence[Mapping[str, Any]]) -> list[str]:
    """All names there are, numbers within them in order: `recall@5` before `recall@10`."""
    return sorted(set[str]().union(*of), key=_natural)


def _natural(name: str) -> list[tuple[int, str]]:
    parts = enumerate(re.split(r"(\d+)", name))  # every second one is digits
    return [
        (len(part.lstrip("0")) if place % 2 else 0, part.lstrip("0") if place % 2 else part) for place, part in parts
    ]


def _alike(of: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The names that all have, with the same value."""
    for name in _names(of):
        if all(name in each for each in of) and len({repr(each[name]) for each in of}) == 1:
            yield name


def _value(of: Mapping[str, Any], name: str) -> str:
    return figure(of.get(name)) if name in of else ABSENT


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | None) and not isinstance(value, bool)


def _listed(names: Sequence[str]) -> str:
    listed = ", ".join(names[:NAMED])
    more = len(names) - NAMED
    return str(say("{names} and {count} more", names=listed, count=more)) if more > 0 else listed


def _letter(place: int) -> str:
    return chr(ord("a") + place) if place < 26 else f"{_letter(place // 26 - 1)}{_letter(place % 26)}"
