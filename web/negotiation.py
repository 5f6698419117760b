"""Which of the forms that are offered a client takes, by its Accept header (RFC 9110, 12.5.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .problems import Problem


class _Range(NamedTuple):
    main: str
    sub: str
    quality: float

    def fits(self, media: str) -> int:
        """How closely it names a media type: 0 not at all, 3 exactly."""
        main, sub = media.split("/")
        if (self.main, self.sub) == (main, sub):
            return 3
        return 2 if (self.main, self.sub) == (main, "*") else int((self.main, self.sub) == ("*", "*"))


def accepted(header: str | None, offers: Sequence[str]) -> str:
    """The offer that is liked best, the first of those liked equally. Raises `Problem` (406) where none is."""
    ranges = [each for each in map(_range, (header or "*/*").split(",")) if each]
    best = max(offers, key=lambda offer: _quality(ranges, offer))  # the first of equals
    if _quality(ranges, best) <= 0:
        raise Problem(406, f"this is told as {', '.join(offers)}; name one of them in Accept")
    return best


def _quality(ranges: Sequence[_Range], media: str) -> float:
    closest = max(ranges, key=lambda each: each.fits(media), default=None)
    return closest.quality if closest and closest.fits(media) else 0.0


def _range(text: str) -> _Range | None:
    media, *parameters = (part.strip().lower() for part in text.split(";"))
    main, slash, sub = media.partition("/")
    if not slash:
        return None
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                quality = min(1.0, max(0.0, float(value)))
            except ValueError:
                quality = 0.0
    return _Range(main, sub, quality)
