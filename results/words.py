"""Words: what people read, in English or in Chinese, one language at a time.

English stands where it is said; `chinese.py` has the same in Chinese. Names, digests, figures, what people wrote and
the sentences of errors stay as they are, and so does all that programs read.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextvars import ContextVar
from string import Formatter
from typing import Final, Literal

from .description import Text, Words, text

Language = Literal["zh", "en"]
FOUND: Final[ContextVar[Language]] = ContextVar("FOUND", default="en")
"""What the command line found in the environment, where LEPTON_LANG says nothing."""


CHOSEN: Final[ContextVar[Language | None]] = ContextVar("CHOSEN", default=None)
"""What whoever reads asked for: a page's reader may read another language than the server's."""


def language() -> Language:
    """The language that descriptions are told in: the reader's, LEPTON_LANG, else what the command line found, else
    English."""
    if (chosen := CHOSEN.get()) is not None:
        return chosen
    said = os.environ.get("LEPTON_LANG", "").lower()
    return "zh" if said.startswith("zh") else "en" if said else FOUND.get()


def of_locale(env: Mapping[str, str] = os.environ) -> Language:
    """Chinese where the first of gettext's variables that is set names it."""
    names = (env.get(name, "") for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"))
    return "zh" if next(filter(None, names), "").lower().startswith("zh") else "en"


def word(english: str, into: Language | None = None) -> str:
    """A word or sentence without parts, in a language that is given or the one that descriptions are told in."""
    if (into or language()) == "en":
        return english
    from .chinese import CHINESE

    return CHINESE.get(english, english)


def say(english: str, **parts: Words | int) -> Text:
    """A sentence whose parts, in braces, may stand out; each language has them in its own order."""
    said: list[Words] = []
    for before, name, _, _ in Formatter().parse(word(english)):
        said.append(before)
        if name is not None:
            part = parts[name]
            said.append(part if isinstance(part, Text) else str(part))
    return text(*said)
