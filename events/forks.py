"""What is at rest while the process forks: SQLite's connections must not be carried into a child, nor held locks."""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakValueDictionary


class Resting(Protocol):
    """Whatever must be at rest during a fork."""

    def before_fork(self) -> None:
        """Come to rest."""
        ...

    def after_fork(self, *, child: bool) -> None:
        """Go on, in the parent or in the child."""
        ...


_living: WeakValueDictionary[int, Resting] = WeakValueDictionary()
_at_rest: list[Resting] = []


def guard(thing: Resting) -> None:
    """Bring a thing to rest at every fork, as long as it lives; what was guarded last is brought to rest first."""
    _living[id(thing)] = thing


def _before() -> None:
    _at_rest[:] = reversed(list(_living.values()))
    for thing in _at_rest:
        thing.before_fork()


def _after(*, child: bool) -> None:
    while _at_rest:
        _at_rest.pop().after_fork(child=child)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before, after_in_parent=lambda: _after(child=False), after_in_child=lambda: _after(child=True)
    )
