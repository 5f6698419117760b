"""A persistent mapping over plain rows: a value is made of its row when it is asked for, what was set lies above."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

from immutables import Map

K = TypeVar("K", int, str)
V = TypeVar("V")
_GONE: Final[Any] = object()
_NONE: Final[Any] = object()


class Recalled(Mapping[K, V]):
    """Used as `immutables.Map` is, over rows by key as JSON has them. Rows that nobody asks for cost nothing.

    What `make` makes of a row is remembered: it must be the same whenever it is made.
    """

    __slots__ = ("_changes", "_count", "_key", "_made", "_make", "_rows")

    def __init__(self, key: type[K], rows: Mapping[str, Any], make: Callable[[K, Any], V]) -> None:
        self._key = key
        self._rows = rows
        self._make = make
        self._made: dict[K, V] = {}
        self._changes: Map[K, V] = Map()
        self._count = len(rows)

    def __getitem__(self, key: K) -> V:
        value: Any = self._changes.get(key, _NONE)
        if value is _NONE:
            value = self._made.get(key, _NONE)
        if value is _NONE:
            value = self._made[key] = self._make(key, self._rows[str(key)])
        if value is _GONE:
            raise KeyError(key)
        return value

    def __contains__(self, key: object) -> bool:
        changed = self._changes.get(key, _NONE)  # pyright: ignore[reportArgumentType, reportCallIssue]
        return changed is not _GONE if changed is not _NONE else str(key) in self._rows

    def __iter__(self) -> Iterator[K]:
        for word in self._rows:
            if (key := self._key(word)) not in self._changes:
                yield key
        yield from (key for key, value in self._changes.items() if value is not _GONE)

    def __len__(self) -> int:
        return self._count

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and dict(self) == dict(other)  # pyright: ignore[reportUnknownArgumentType]

    __hash__ = None  # pyright: ignore[reportAssignmentType] - a mapping of what may not be hashable

    def set(self, key: K, value: V) -> Recalled[K, V]:
        """The mapping with a value more, or another."""
        return self._with(self._changes.set(key, value), self._count + (key not in self))

    def delete(self, key: K) -> Recalled[K, V]:
        """The mapping without a key. Raises `KeyError` where it is not there."""
        if key not in self:
            raise KeyError(key)
        changes = self._changes.set(key, _GONE) if str(key) in self._rows else self._changes.delete(key)
        return self._with(changes, self._count - 1)

    def plain(self, told: Callable[[V], Any]) -> dict[str, Any]:
        """All rows: those that it was made of as they came, and what was set as `told` tells it."""
        rows = dict(self._rows)
        for key, value in self._changes.items():
            if value is _GONE:
                del rows[str(key)]
            else:
                rows[str(key)] = told(value)
        return rows

    def _with(self, changes: Map[K, V], count: int) -> Recalled[K, V]:
        other = Recalled(self._key, self._rows, self._make)
        other._made, other._changes, other._count = self._made, changes, count
        return other
