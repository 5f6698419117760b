"""Isolation: a message that raises what no rule foresaw is set aside alone, and those beside it are taken in."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from .errors import LeptonError, Malformed, Unavailable
from .escapes import Lines

M = TypeVar("M")
A = TypeVar("A")
log = logging.getLogger("lepton")


class Unforeseen(Malformed):
    """A message raised an error that no rule names: it is set aside, and may be tried again."""


def isolated(
    messages: Sequence[M], take: Callable[[Sequence[M]], Sequence[A]], set_aside: Callable[[M, LeptonError], A]
) -> list[A]:
    """Take messages in together, an answer for each, in order.

    Where that raises anything but `Unavailable`, their halves are taken in each by itself, down to the one message
    that raises: it is set aside, with the error. What `take` does must be undone where it raises, or be safe to repeat.
    Raises `Unavailable`, and whatever `set_aside` raises: then it was not the message.
    """
    try:
        return [*take(messages)]
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - whatever one message raises must not keep the others waiting
        if len(messages) == 1:
            return [set_aside(messages[0], unforeseen(error))]
    middle = len(messages) // 2
    return [answer for half in (messages[:middle], messages[middle:]) for answer in isolated(half, take, set_aside)]


def unforeseen(error: Exception, what: str = "the message") -> LeptonError:
    """The story of what raised an error: Lepton's own as they are.

    Of others the log has the traceback, without the error's text, which may quote names.
    """
    if isinstance(error, LeptonError):
        return error
    kind = type(error).__name__
    place = "".join(traceback.format_tb(error.__traceback__))
    log.error("unforeseen: %s raised %s\n%s", what, kind, Lines(place.rstrip()))
    return Unforeseen(f"{what} raised an unforeseen {kind}; it was set aside, and the log says where it happened")


LONGEST: Final = 2_000
"""Characters of a reason."""


def sentence(reason: str, source: str = "") -> str:
    """A reason as one line that every table and topic holds, without the name of who tells."""
    line = reason.replace(source, "[its source]") if source else reason
    return "".join(each if each.isprintable() else " " for each in line)[:LONGEST]
