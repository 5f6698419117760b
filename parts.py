"""The parts of a home: each made on first use, and shared with whoever acts in it."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import Any, Final, Generic, Protocol, TypeVar

T = TypeVar("T")
_OWN: Final = ("workspace", "outbox")
"""The parts that whoever acts in a home that others opened has of their own."""


class HasParts(Protocol):
    """A home; one in which somebody acts has the parts of its root."""

    @property
    def opening(self) -> RLock:
        """Held while a part is made."""
        ...

    @property
    def root(self) -> Any:
        """The home that was opened; None where this is it."""
        ...


class Once(Generic[T]):
    """A part that is made on first use; threads that come at once get the same one."""

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, home: HasParts, owner: type) -> T:
        if home.root is not None and self._name not in _OWN:
            return self.__get__(home.root, owner)
        if (made := vars(home).get(self._name)) is not None:  # without waiting for who opens another part
            return made
        with home.opening:
            if self._name not in vars(home):
                vars(home)[self._name] = self._make(home)
            return vars(home)[self._name]
