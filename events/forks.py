"""What is at rest while the process forks, and what a child leaves alone: its parent's connections, files and locks."""

from __future__ import annotations

import _imp
import ctypes
import os
import sys
import time
from concurrent.futures import thread as thread  # first: hooks that come while a fork waits are called after it only
from importlib import _bootstrap as bootstrap
from importlib.machinery import SourceFileLoader
from threading import Condition, Lock, RLock, get_ident
from typing import Any, Final, Generic, Protocol, TypeVar
from weakref import WeakValueDictionary

_LOCKS: Final[dict[str, Any]] = getattr(bootstrap, "_module_locks", {})
"""Python's locks of the modules that are being imported, by their names."""
_IMPORTING: Final = 30.0
"""Seconds that a fork waits for imports, each of which comes to its end."""
PATIENCE: Final = 2.0
"""Seconds that a fork waits for other threads to come to rest; after that the child leaves alone what was at work."""


T = TypeVar("T")


class Resting(Protocol):
    """Whatever must be at rest during a fork."""

    def before_fork(self) -> None:
        """Come to rest."""
        ...

    def after_fork(self, *, child: bool) -> None:
        """Go on, in the parent or in the child."""
        ...


class Uses:
    """The threads that are within a library now. A fork waits for them: a child would inherit their locks for ever."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._changed = Condition(self._lock)
        self._inside: dict[int, int] = {}
        self._closed = False
        self.rested = False
        """Whether, in the midst of a fork, nobody is within."""
        self._unsafe = False
        self._process = os.getpid()

    def __enter__(self) -> None:
        """Be within. While a fork is waited for only those enter who are within already."""
        me = get_ident()
        with self._lock:
            while self._closed and me not in self._inside:
                self._changed.wait()
            self._inside[me] = self._inside.get(me, 0) + 1

    def __exit__(self, *_: object) -> None:
        me = get_ident()
        with self._lock:
            if (left := self._inside.get(me, 0) - 1) > 0:
                self._inside[me] = left
            else:
                self._inside.pop(me, None)
            if self._closed:
                self._changed.notify_all()

    @property
    def unsafe(self) -> bool:
        """Whether this is a child that was forked while somebody was within: the library cannot be used in it."""
        return self._unsafe or os.getpid() != self._process

    def rest(self, seconds: float) -> bool:
        """Keep others out and wait for those within: whether nobody is. A caller who is within waits for no other."""
        with self._changed:
            self._closed = True
            within = get_ident() in self._inside
            self.rested = not within and self._changed.wait_for(lambda: not self._inside, seconds)
            return self.rested

    def resume(self, *, child: bool) -> None:
        """Let others in again; in a child there are none."""
        if child:
            mine = self._inside.get(get_ident(), 0)
            self._lock, self._closed = RLock(), False
            self._changed = Condition(self._lock)
            self._unsafe = self._unsafe or not self.rested
            self._process = os.getpid()
            self._inside = {get_ident(): mine} if mine else {}
            return
        with self._changed:
            self._closed = False
            self._changed.notify_all()


def abandon(thing: object) -> None:
    """Keep an object for as long as this process lives: its destructor would act on what is the parent's."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


class Living(Generic[T]):
    """The things of a kind that live; threads may add to them while others look."""

    def __init__(self) -> None:
        self._things: WeakValueDictionary[int, T] = WeakValueDictionary()

    def add(self, thing: T) -> None:
        """One more, as long as it lives."""
        with _adding:
            self._things[id(thing)] = thing

    def all(self) -> list[T]:
        """Those that live now, the oldest first."""
        with _adding:
            return list(self._things.values())


_adding = RLock()
_living: Living[Resting] = Living()
_last: Living[Resting] = Living()
"""What others need to come to rest."""
_at_rest: list[Resting] = []
_forking = Lock()
_still = False
"""Whether the fork that goes on keeps all other threads from imports, and from bringing more into being."""


def guard(thing: Resting, *, last: bool = False) -> None:
    """Bring a thing to rest at every fork, as long as it lives; those that others need `last`."""
    (_last if last else _living).add(thing)


def _before() -> None:
    global _still
    _forking.acquire()  # two threads that fork at once do so one behind the other
    while True:
        end = time.monotonic() + _IMPORTING
        while not (_still := _stilled()) and time.monotonic() < end:
            time.sleep(0.002)
        more = [thing for thing in (*reversed(_living.all()), *_last.all()) if not _rests(thing)]
        if not more:  # else it is asked again: while one is waited for, a thread may bring more into being
            return
        _move_again()
        _at_rest.append(more[0])
        more[0].before_fork()


def _rests(thing: Resting) -> bool:
    return any(thing is each for each in _at_rest)


def _stilled() -> bool:
    """Whether no other thread imports, and none will until the fork is over; nor is anything brought into being.

    Python keeps the lock of a half imported module, in the child too: one that needs such a module would wait for ever.
    DuckDB, torch and others are imported where they are needed, so that whoever opens the way to such imports imports
    this module first.
    """
    _imp.acquire_lock()  # an import needs it to begin
    if not _others_import() and _adding.acquire(blocking=False):
        return True
    _imp.release_lock()
    return False


def _move_again() -> None:
    global _still
    if _still:
        _still = False
        _adding.release()
        _imp.release_lock()


def _others_import() -> list[str]:
    """The modules that other threads than this one are in the midst of importing."""
    me = get_ident()
    locks = [(name, found()) for name, found in tuple(_LOCKS.items())]
    return [name for name, lock in locks if lock is not None and lock.owner != me]


def _forget_imports() -> None:
    """In a child: what another thread imports for longer than a fork waits is imported anew."""
    for name in _others_import():
        _LOCKS.pop(name, None)
        half = sys.modules.get(name)
        if isinstance(getattr(getattr(half, "__spec__", None), "loader", None), SourceFileLoader):
            del sys.modules[name]


def _after(*, child: bool) -> None:
    global _forking, _adding
    if child:
        _forget_imports()
    _move_again()
    if child:  # its threads are not those that held them
        _forking, _adding = Lock(), RLock()
    while _at_rest:
        _at_rest.pop().after_fork(child=child)
    if not child:
        _forking.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before, after_in_parent=lambda: _after(child=False), after_in_child=lambda: _after(child=True)
    )
