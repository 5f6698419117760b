"""What a rollback does, would do, or should do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ...errors import at_door
from ..answer import Result
from ..contests.contest import VERDICTS, Verdict, verdict_of
from ..description import (
    Block,
    Words,
    arrow,
    dim,
    grid,
    number,
    text,
    title,
)
from ..figures import (
    change,
    count,
    figure,
    size,
    told,
)
from ..judging.statistics import PairedTest
from ..version import Version
from ..words import language, say, word


@dataclass(frozen=True)
class Rehearsal(Result):
    """How head and target of a rollback did on the same rows."""

    model: str
    from_version: int
    to_version: int
    metric: str
    metrics_from: Mapping[str, float]
    metrics_to: Mapping[str, float]
    difference: Mapping[str, float]
    """Metric of the target minus metric of the head."""
    worse: bool
    """Whether the target did worse: beyond chance where there is a test, else by the figures alone."""
    test: PairedTest | None = None
    """The paired test by the metric; None where there is none."""
    better: Literal["higher", "lower"] = "higher"
    """Which way the metric is better."""
    untested: str = ""
    """Why there is no test, where there is none."""

    @property
    def verdict(self) -> Verdict | None:
        """Whether the target is better or worse beyond chance, or that it is not known; None without a test."""
        return None if self.test is None else verdict_of(self.test, self.better)

    def to_dict(self) -> dict[str, Any]:
        """Every field by its name, and the verdict; JSON-ready."""
        return super().to_dict() | {"verdict": self.verdict}

    def blocks(self) -> Iterator[Block]:
        then, now = (figures[self.metric] for figures in (self.metrics_to, self.metrics_from))
        step = _step(now, then)
        ends = {"first": self.from_version, "last": self.to_version}
        yield say("rehearsed on versions {first} and {last}: {metric} {step}", **ends, metric=self.metric, step=step)
        yield text("  ", self._sure())

    def _sure(self) -> Words:
        """How sure it is which of the two does better."""
        test, names = self.test, {"first": self.from_version, "last": self.to_version}
        if test is None:
            return say("by the figures alone, chance or not: {why}", why=word(self.untested))
        chance: dict[str, Words | int] = {"p": f"{test.p:.2g}", "test": test.method}
        if self.verdict != "not known":
            words = "version {last} is {verdict} than version {first} beyond chance (p {p} by {test})"
            told = text(word(self.verdict or ""), style=VERDICTS[self.verdict or "not known"])
            return say(words, **names, **chance, verdict=told)
        words = "it is not known whether version {last} is worse (p {p} by {test})"
        if test.rows_needed is None or test.rows_needed <= test.n:
            return say(words, **names, **chance)
        rows = count(test.rows_needed, "row")
        return say(f"{words}; about {{rows}} would tell", **names, **chance, rows=rows)


@dataclass(frozen=True)
class RollbackPlan(Result):
    """What a rollback would change."""

    model: str
    ref: str
    from_version: Version
    to_version: Version
    crossed: tuple[int, ...]
    """Versions that the ref would leave, beside the one it stands on."""
    tensors_changed: int
    bytes_changed: int
    """Raw bytes of the tensors that differ."""
    bytes_read: int
    """Stored bytes that the restore reads."""
    deltas: int
    """How many exact deltas the restore replays."""
    metrics_now: Mapping[str, float]
    metrics_then: Mapping[str, float]
    """Figures on rows that both versions were judged on, and no others: a step between two may be read off them."""
    aliases_left_behind: tuple[str, ...]
    aliases_taken_along: Mapping[str, int]
    """Each with the version that it leaves."""
    rehearsal: Rehearsal | None
    alias: bool = field(default=False, metadata={"json": False})
    """Whether the ref is an alias."""

    def blocks(self) -> Iterator[Block]:
        ends = {"before": number(self.from_version), "arrow": arrow(), "after": number(self.to_version)}
        names = {"ref": title(_ref(self)), "model": title(self.model)}
        yield say("{ref} of {model}: {before} {arrow} {after}", **names, **ends)
        if self.from_version == self.to_version:
            yield word("it stands there already")
        else:
            yield grid(((dim(name), words) for name, words in self._facts() if words), indent=2)
        for name, stands in self.aliases_taken_along.items():
            yield text("  ", dim(str(say("alias {name}", name=name))), f"  {stands} {arrow()} {self.to_version}")
        if self.rehearsal:
            yield from self.rehearsal.blocks()

    def _facts(self) -> Iterator[tuple[str, Words]]:
        left = [int(self.from_version), *self.crossed]
        some = ", ".join(map(str, left[:12]))
        more = say("{versions} and {count} more", versions=some, count=len(left) - 12) if len(left) > 12 else some
        yield word("leaves"), more
        work: dict[str, Words | int] = {"tensors": count(self.tensors_changed, "tensor")}
        work |= {"size": size(self.bytes_changed), "read": size(self.bytes_read), "deltas": count(self.deltas, "delta")}
        replays = " and replays {deltas}" if self.deltas else ""
        yield word("restores"), say(f"{{tensors}} to change, {{size}}; reads {{read}}{replays}", **work)
        for name in sorted({*self.metrics_now, *self.metrics_then}):
            now, then = self.metrics_now.get(name), self.metrics_then.get(name)
            if now != then:
                yield name, _step(now, then)
        if not self.metrics_now:
            yield word("figures"), word("none on rows that both versions were judged on")
        for name in self.aliases_left_behind:
            takes = at_door(python=f"move_aliases=[{name!r}]", cli=f"--move-alias {name}")
            stays = {"version": str(self.from_version), "takes": takes}
            yield str(say("alias {name}", name=name)), say("stays on {version} ({takes} takes it along)", **stays)


@dataclass(frozen=True)
class RolledBack(Result):
    """A rollback that took place, or that had nothing to do."""

    model: str
    ref: str
    from_version: Version
    to_version: Version
    replayed: tuple[str, ...]
    """Digests of the deltas that the restore replayed, in order."""
    rehearsal: Rehearsal | None
    moved: bool
    """Whether the branch or alias itself moved."""
    aliases_taken_along: Mapping[str, int]
    """Each with the version that it left."""
    alias: bool = field(default=False, metadata={"json": False})
    """Whether the ref is an alias."""

    def blocks(self) -> Iterator[Block]:
        if self.rehearsal:
            yield from self.rehearsal.blocks()
        what, to = _ref(self), number(self.to_version)
        moves = [(what, self.from_version)] if self.moved else []
        moves += [(str(say("alias {name}", name=name)), left) for name, left in self.aliases_taken_along.items()]
        replayed = count(len(self.replayed), "delta")
        how = say("replaying {deltas}", deltas=replayed) if self.replayed else word("reading it whole")
        for name, left in moves:
            done = {"ref": name, "model": self.model, "move": text(number(left), f" {arrow()} ", to), "how": how}
            yield say("{ref} of {model} rolled back {move}, restored and verified by {how}", **done)
        if not moves:
            yield say("nothing moved: {ref} stands on version {version}", ref=what, version=to)


@dataclass(frozen=True)
class Suggestion(Result):
    """Versions to roll back to, best first, each with its figures and why."""

    model: str
    branch: str
    metric: str | None
    """What performance means; None where no two versions were judged on the same rows."""
    rows: Mapping[str, Any] | None
    """The rows it was measured on: their digest, and how many."""
    candidates: tuple[Mapping[str, Any], ...]
    words: str
    """Where the branch stands, and which version is suggested why."""

    @property
    def version(self) -> int:
        """The version proposed."""
        return self.candidates[0]["version"]

    def blocks(self) -> Iterator[Block]:
        names: dict[str, Words | int] = {"model": title(self.model), "branch": self.branch}
        by = {"metric": self.metric or "", "rows": told(self.rows)}
        how = "by {metric} on {rows}" if self.metric else "by stability and age"
        yield say(f"{{model}} {{branch}}: {how}", **names, **by)
        if language() == "zh":
            yield from self._in_figures()
            return
        yield self.words
        rows = ((number(each["version"]), f"{each['score']:.2f}", _why(each["words"])) for each in self.candidates)
        yield grid(rows, head=("version", "score", "why"), right=(0, 1))

    def _in_figures(self) -> Iterator[Block]:
        """The same without the sentences, which are recorded in English."""
        yield say("Roll {branch} back to version {version}", branch=self.branch, version=number(self.version))
        shown = ("score", "performance", "stability", "age")
        values = (("" if each[name] is None else f"{each[name]:.2f}" for name in shown) for each in self.candidates)
        chances = map(_chance, self.candidates)
        each = zip(self.candidates, values, chances, strict=True)
        rows = ((number(candidate["version"]), *row, chance) for candidate, row, chance in each)
        tested = any(candidate.get("p") is not None for candidate in self.candidates)
        head = [word(name) for name in ("version", *shown)] + ([word("beside the best")] if tested else [])
        yield grid((row[: len(head)] for row in rows), head=head, right=range(5))


def _ref(moved: RollbackPlan | RolledBack) -> str:
    """The branch or alias, as it is called."""
    return str(say("alias {name}", name=moved.ref)) if moved.alias else moved.ref


def _step(now: Any, then: Any) -> Words:
    return text(f"{figure(now)} {arrow()} {figure(then)}  ", dim(change(now, then)))


def _chance(candidate: Mapping[str, Any]) -> str:
    """What a test says of a candidate beside the best one."""
    if candidate.get("p") is None:
        return ""
    said = "worse beyond chance (p {p})" if candidate["worse"] else "not worse beyond chance (p {p})"
    return str(say(said, p=f"{candidate['p']:.2g}"))


def _why(words: str) -> str:
    """What a candidate's words say behind its version and score."""
    return words.partition(": ")[2] or words
