"""Characters that steer a terminal or turn the order of a line: shown as escapes wherever people read.

What is stored is what was given; what is shown cannot move a cursor, forge a line or hide what it says. Joiners, which
Hindi, Persian and emoji need, stay.
"""

from __future__ import annotations

import logging
import re
from typing import Final

LOGGERS: Final = (
    "lepton", "lepton.assigner", "lepton.intake", "lepton.kafka", "lepton.postgresql", "lepton.projector",
    "lepton.relay", "lepton.serve", "lepton.suites", "lepton.worker",
)  # fmt: skip
"""The loggers that Lepton writes to."""

_STEERING: Final = (
    r"\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0, DEL, C1
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # Unicode's Bidi_Control
    r"\u2028\u2029"  # separators of lines and paragraphs
    r"\u00ad\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb"  # what is there and not seen
    r"\ud800-\udfff\U000e0000-\U000e007f"  # halves of characters, tags
)
_IN_LINES: Final = re.compile(f"[{_STEERING}]")
_IN_A_LINE: Final = re.compile(f"[{_STEERING}\\t\\n]")


class Lines(str):
    """Text of several lines that are Lepton's own, such as a traceback: a logger keeps them apart."""

    __slots__ = ()


def escaped(words: str) -> str:
    """Words that stay within their line."""
    return words if words.isprintable() else _IN_A_LINE.sub(_escape, words)


def escaped_lines(words: str) -> str:
    """Words whose lines and tabs stay what they are."""
    return words if words.isprintable() else _IN_LINES.sub(_escape, words)


def escaped_json(content: str) -> str:
    """JSON that says the same, in escapes of its own."""
    return _IN_LINES.sub(_json_escape, content)


class Escaping(logging.Filter):
    """Lets every record pass, its words escaped: whatever handles it may be a terminal."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Escape what is told and what raised it."""
        record.msg = escaped_lines(str(record.msg))
        if isinstance(record.args, tuple):
            record.args = tuple(map(_shown, record.args))
        if record.exc_info and not record.exc_text:
            record.exc_text = escaped_lines(logging.Formatter().formatException(record.exc_info))
        return True


def _shown(argument: object) -> object:
    words = str(argument)
    harmless = escaped_lines(words) if isinstance(argument, Lines) else escaped(words)
    return argument if harmless == words else harmless


def _escape(found: re.Match[str]) -> str:
    return repr(found[0])[1:-1]


def _json_escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


_ESCAPING: Final = Escaping()
for _name in LOGGERS:
    logging.getLogger(_name).addFilter(_ESCAPING)
