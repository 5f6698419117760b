"""DuckDB and forks: a child has none of the library's threads, and must leave its parent's files alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol

from ..errors import Unavailable
from ..events import forks

USES = forks.Uses()
"""The threads that are within DuckDB, on whichever file."""


class Holder(Protocol):
    """Whoever holds an open file."""

    def set_down(self) -> None:
        """Close it; it is opened again on its next use."""
        ...

    def leave(self) -> None:
        """In a forked child: forget it, without closing what is the parent's."""
        ...


_holders: forks.Living[Holder] = forks.Living()


def held(holder: Holder) -> None:
    """Have a holder set its file down at forks, and leave it alone in children."""
    _holders.add(holder)


def own(process: int, what: str) -> None:
    """Raise `Unavailable` in any process but the one that opened it."""
    if os.getpid() != process:
        raise Unavailable(f"{what} was opened by process {process}, which this one was forked from; open it anew here")


class _FilesAtForks:
    """What happens to all open files: where nobody is within DuckDB they are closed before, so that none goes along."""

    def before_fork(self) -> None:
        if USES.rest(forks.PATIENCE):
            self._each(lambda holder: holder.set_down())

    def after_fork(self, *, child: bool) -> None:
        USES.resume(child=child)
        if child:
            self._each(lambda holder: holder.leave())

    @staticmethod
    def _each(act: Callable[[Holder], None]) -> None:
        for holder in _holders.all():
            act(holder)


_AT_FORKS = _FilesAtForks()
forks.guard(_AT_FORKS)
