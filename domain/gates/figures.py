"""The figures that a gate is judged by: of each name, those that all sides have on the same rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from difflib import get_close_matches
from itertools import groupby
from typing import NamedTuple

from ...errors import Refused
from ..expressions.judging import Figures
from ..expressions.parsing import malformed
from ..expressions.tree import Condition, Reference, Side, names
from ..model.figures import Figure, Rows, VersionFigures
from ..model.state import ModelState


class Wanted(NamedTuple):
    """A figure that a requirement names: of which version, of which evaluation (none: whichever), and which metric."""

    name: Reference
    version: int
    evaluation: str
    metric: str


class Basis(NamedTuple):
    """What a gate is judged by."""

    figures: Figures
    rows: tuple[str, ...]
    """Digests of the rows that they are of."""


def basis(
    model: ModelState,
    trees: Mapping[str, Condition],
    sides: Mapping[Side | None, int],
    evaluation: str,
    rows: Mapping[int, str],
) -> Basis:
    """The figures of the sides that requirements name, by their texts.

    Figures of one evaluation are of the same rows on all sides: those in `rows`, by version, for `evaluation`, else the
    newest that all sides have figures of. Raises `Malformed` for a name that nothing has, and `Refused` where sides
    share no rows, or were judged as different tasks.
    """
    wanted = [_wanted(model, text, name, sides, evaluation) for text, tree in trees.items() for name in names(tree)]
    found: dict[Side | None, dict[str, float]] = {side: {} for side in sides}
    judged: set[Rows] = set()
    for called, group in groupby(sorted(wanted, key=lambda each: each.evaluation), lambda each: each.evaluation):
        of_group = list(group)
        on = rows if rows and called == evaluation else _shared_rows(model, of_group, called)
        _of_one_task(model, {each.version: on[each.version] for each in of_group})
        for each, figure in _on(model, of_group, on, called):
            found[each.name.side][each.name.name] = figure.value
            judged.add(figure.rows or Rows(on[each.version]))
    # rows that a figure of long ago knows by an older digest are told by the newer one
    digests = {rows.digest for rows in judged} - {rows.before for rows in judged if rows.before != rows.digest}
    return Basis(found, tuple(sorted(digests)))


def _wanted(model: ModelState, text: str, name: Reference, sides: Mapping[Side | None, int], evaluation: str) -> Wanted:
    """What a name asks for: the figure of an evaluation that is shown under it, else a metric on the gate's rows."""
    every = [model.figures_of(number) for number in dict.fromkeys(sides.values())]
    shown = (figures.newest.get(name.name) for figures in every)
    figure = next((each for each in shown if each is not None and each.name != each.metric), None)
    if figure is not None:
        return Wanted(name, sides[name.side], name.name.removesuffix(f"/{figure.metric}"), figure.metric)
    known = {each for figures in every for each in figures.names()}
    if name.name not in known:
        what = f"no version that is judged here has a figure {name.name!r}; {_advice(name.name, known)}"
        raise malformed(text, name.place, what)
    return Wanted(name, sides[name.side], evaluation, name.name)


def _advice(name: str, known: Set[str]) -> str:
    """What may have been meant by a name that nothing has."""
    if any(name[:place] in known for place, sign in enumerate(name) if sign in "-/"):
        return "put spaces around - and / to subtract and to divide"
    near = get_close_matches(name, known)
    return f"did you mean {' or '.join(near)}?" if near else f"there are {_listed(known, 'and')}"


def _shared_rows(model: ModelState, wanted: Sequence[Wanted], called: str) -> dict[int, str]:
    """The rows of an evaluation, by version: those on which most of the figures are known, own ones first, then new."""
    versions = dict.fromkeys(each.version for each in wanted)
    sides = [model.figures_of(number) for number in versions]
    digests = {digest for figures in sides for digest in _called(figures, called)}
    shared = [digest for digest in digests if all(digest in figures.judged for figures in sides)]
    if not shared:
        raise _no_rows(model, wanted, called)

    def rank(digest: str) -> tuple[int, bool, int, str]:
        figures = [figure for _, figure in _on(model, wanted, dict.fromkeys(versions, digest), called)]
        own = any(figure.name == figure.metric for figure in figures)
        return len(figures), own, max((figure.seq for figure in figures), default=0), digest

    return dict.fromkeys(versions, max(shared, key=rank))


def _called(figures: VersionFigures, called: str) -> Iterator[str]:
    """The digests of rows that a version was judged on under a name; of all where none is said."""
    for digest, by_name in figures.judged.items():
        if not called or any(figure.name == f"{called}/{figure.metric}" for figure in by_name.values()):
            yield digest


def _on(
    model: ModelState, wanted: Iterable[Wanted], on: Mapping[int, str], called: str
) -> Iterator[tuple[Wanted, Figure]]:
    """The figures on rows that are there, each the newest: of the evaluation that is named, where it has one."""
    for each in wanted:
        by_name = model.figures_of(each.version).judged.get(on[each.version], {})
        figures = [figure for figure in by_name.values() if figure.metric == each.metric]
        figures = [figure for figure in figures if figure.name == f"{called}/{figure.metric}"] or figures
        if figures:
            yield each, max(figures, key=lambda figure: figure.seq)


def _of_one_task(model: ModelState, on: Mapping[int, str]) -> None:
    """Hold that versions were judged as the same task on their rows, or raise `Refused`."""
    tasks: dict[str, int] = {}
    for version, digest in on.items():
        figures = model.figures_of(version).judged.get(digest, {}).values()
        newest = max((figure for figure in figures if figure.task), key=lambda figure: figure.seq, default=None)
        if newest is not None:
            tasks.setdefault(str(newest.task), version)
    if len(tasks) > 1:
        (task, version), (other_task, other), *_ = tasks.items()
        raise Refused(
            f"version {version} of {model.name} is judged as {task} and version {other} as {other_task}, whose figures "
            "are not compared; gate it against a version that is judged as the same"
        )


def _no_rows(model: ModelState, wanted: Sequence[Wanted], called: str) -> Refused:
    versions = sorted({each.version for each in wanted})
    rows = f" called {called!r}" if called else ""
    if len(versions) == 1:
        what = f"no figure of version {versions[0]} of {model.name} is known to be of any rows{rows}"
    else:
        numbers = _listed(map(str, versions), "and")
        what = f"versions {numbers} of {model.name} were not judged on the same rows{rows}, so they are not compared"
    return Refused(
        what,
        python="give data= and labels= to judge them on the same rows now",
        cli="--data FILE --label COLUMN judges them on the same rows now",
    )


def _listed(words: Iterable[str], last: str = "or") -> str:
    """Words as a sentence has them, some of many."""
    some = sorted(words)
    if len(some) > 10:
        return f"{', '.join(some[:10])} and {len(some) - 10} more"
    return f" {last} ".join(filter(None, (", ".join(some[:-1]), *some[-1:]))) or "none"
