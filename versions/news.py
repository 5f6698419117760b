"""Whether what was asked for was news to the ledger, or stood there already."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final


class News(list[int | None]):
    """What the commands that were sent within `noted` became: the seq of the last event of each, None of none."""

    def __call__(self) -> bool:
        """Whether the last became anything, now or when it was sent first: else what was asked for stood already."""
        return bool(self) and self[-1] is not None

    @property
    def seq(self) -> int | None:
        """The seq of the last event that came of them."""
        return max((seq for seq in self if seq is not None), default=None)


_NOTED: Final[ContextVar[News | None]] = ContextVar("noted", default=None)


@contextmanager
def noted() -> Generator[News]:
    """What the commands that are sent within it become."""
    news = News()
    token = _NOTED.set(news)
    try:
        yield news
    finally:
        _NOTED.reset(token)


def note(seq: int | None) -> None:
    """Note what a command became: the seq of its last event, None where what it asked for stood already."""
    if (news := _NOTED.get()) is not None:
        news.append(seq)
