r"""A history drawn as git draws it: a column a line of descent, with ``*`` for a version and ``| \ / _`` between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GraphRow:
    """One version: the line with its ``*``, how its lines run on below it, and what stands beside text after that."""

    node: int
    line: str
    below: tuple[str, ...]
    rails: str


def draw(nodes: Iterable[tuple[int, Sequence[int]]]) -> Iterator[GraphRow]:
    r"""A row for each (version, parents), in the order given, which must put children before their parents.

    Versions stand in even places of a line. A ``|`` runs straight down, a ``/`` from the place at its right to the one
    at its left, a ``\`` the other way, a ``_`` along a line's foot. Where two meet each goes on as it came, if it can:
    so they cross; else they join. A parent that never comes is a line that runs on to the end.
    """
    ordered, columns = list(nodes), list[int]()
    for (node, parents), following in zip(ordered, [*ordered[1:], None], strict=False):
        if node not in columns:
            columns.append(node)
        at = columns.index(node)
        line = _line(len(columns), {2 * at: "*"})
        below = tuple(_below(columns, at, tuple(dict.fromkeys(parents))))
        if not parents and not below and following and following[0] not in columns:
            below = (_line(len(columns)),)  # else the next, which begins right below, would look like its parent
        yield GraphRow(node, line, below, _line(len(columns)))


def _below(columns: list[int], at: int, parents: Sequence[int]) -> Iterator[str]:
    """The lines from a version to its parents. Leaves in `columns` which version each column then leads to."""
    held = [parent for parent in parents if parent in columns]
    fresh = [parent for parent in parents if parent not in columns]
    last = held.pop(0) if held and not fresh else None
    for parent in held:
        yield from _joined(len(columns), at, columns.index(parent))
    for parent in reversed(fresh[1:]):
        yield _opened(len(columns), at)
        columns.insert(at + 1, parent)
    if fresh:
        columns[at] = fresh[0]
        return
    if last is None:
        if at + 1 < len(columns):
            yield _shifted(len(columns), at)
        del columns[at]
        return
    to, gone = sorted((at, columns.index(last)))
    yield from _merged(len(columns), gone, to)
    columns[to] = last
    del columns[gone]


def _joined(count: int, at: int, to: int) -> Iterator[str]:
    """The column `at` goes on, and sends a line to the column `to` as well."""
    if to < at:
        yield from _leftwards(_line(count), at, to, _line(count))
    elif to == at + 1:
        yield _line(count, {2 * at + 1: "\\"})
    else:
        yield _line(count, {2 * at + 1: "\\"} | dict.fromkeys(range(2 * at + 3, 2 * to - 2, 2), "_"))
        yield _line(count, {2 * to - 1: "\\"})


def _opened(count: int, at: int) -> str:
    """A new column opens beside `at`, and those at its right make room."""
    right = dict.fromkeys(range(2 * at + 2, 2 * count, 2), " ")
    return _line(count, right | {2 * column + 1: "\\" for column in range(at, count)})


def _shifted(count: int, gone: int) -> str:
    """The columns at the right of one that ended move up."""
    right = dict.fromkeys(range(2 * gone, 2 * count, 2), " ")
    return _line(count, right | {2 * column - 1: "/" for column in range(gone + 1, count)})


def _merged(count: int, gone: int, to: int) -> Iterator[str]:
    """The column `gone` runs into the column `to` at its left, and those at its right move up."""
    yield from _leftwards(_shifted(count, gone), gone, to, _line(count - 1))


def _leftwards(first: str, start: int, to: int, second: str) -> Iterator[str]:
    """A line from one column to another at its left, drawn into the one or two lines that it takes."""
    yield _marked(first, {2 * start - 1: "/"} | dict.fromkeys(range(2 * to + 3, 2 * start - 2, 2), "_"))
    if to < start - 1:
        yield _marked(second, {2 * to + 1: "/"})


def _line(count: int, marks: dict[int, str] | None = None) -> str:
    return _marked(" ".join("|" * count), marks or {})


def _marked(line: str, marks: dict[int, str]) -> str:
    characters = list(line.ljust(max(marks, default=0) + 1))
    for place, mark in marks.items():
        characters[place] = mark
    return "".join(characters).rstrip()
