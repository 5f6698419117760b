"""DuckDB and forks: a child has none of the library's threads, and must leave its parent's files alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final, Protocol

from ..errors import Unavailable
from ..events import forks

USES = forks.Uses()
"""The threads that are within DuckDB, on whichever file."""
_LONGEST: Final = 30.0
"""Seconds that a fork waits for them; a child forked in their midst can open no read model."""


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
    """Raise `Unavailable` in any process but the one that opened it, and in a child forked amid a query.

    DuckDB keeps its open files by path within the process: such a child would be lent its parent's, threads missing.
    """
    if os.getpid() != process:
        raise Unavailable(f"{what} was opened by process {process}, which this one was forked from; open it anew here")
    if USES.unsafe:
        raise Unavailable(
            f"this process was forked while its parent was reading or writing {what}, which cannot be opened in it; "
            "start it by spawn, or fork again"
        )


class _FilesAtForks:
    """What happens to all open files: where nobody is within DuckDB they are closed before, so that none goes along."""

    def before_fork(self) -> None:
        if USES.rest(_LONGEST):
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
