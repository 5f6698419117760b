"""Drawings of the process beside the server, as part of a page: shapes and words alone, their ids its own."""

from __future__ import annotations

import re
from typing import Final
from xml.etree import ElementTree

from ..errors import Unavailable

_SPACE: Final = "http://www.w3.org/2000/svg"
_SHAPES: Final = frozenset(
    {"svg", "g", "line", "path", "rect", "text", "tspan", "circle", "defs", "clipPath", "linearGradient", "stop"}
)
_LEFT_OUT: Final = re.compile(r"role|class|version|aria-.*|pointer-events")
"""Attributes that a picture needs not: the page itself says what it shows."""
_LOOKS: Final = re.compile(
    r"clip-path|clip-rule|[cd]?[xy][12]?|d|display|dominant-baseline|fill(-opacity|-rule)?|font-(family|size|style|weight)|"
    r"gradientUnits|height|id|offset|opacity|r[xy]?|stop-(color|opacity)|"
    r"stroke(-dasharray|-dashoffset|-linecap|-linejoin|-miterlimit|-opacity|-width)?|text-anchor|transform|viewBox|width"
)
_PLACE: Final = re.compile(r"url\(#([\w-]+)\)")


def own_svg(drawn: str, prefix: str) -> str:
    """A drawing for a page, hidden from those who hear it. Raises `Unavailable` where it has anything else in it."""
    ElementTree.register_namespace("", _SPACE)
    root = ElementTree.fromstring(drawn)  # noqa: S314 - our own process wrote it
    for element in root.iter():
        name = element.tag.removeprefix(f"{{{_SPACE}}}")
        if name not in _SHAPES:
            raise Unavailable(f"a drawing has an element {name[:40]!r}, which no chart has; its table says the same")
        element.attrib = {key: _own(value, key, prefix) for key, value in element.attrib.items() if _is_kept(key)}
    root.set("aria-hidden", "true")
    return ElementTree.tostring(root, encoding="unicode")


def _is_kept(key: str) -> bool:
    if _LOOKS.fullmatch(key):
        return True
    if _LEFT_OUT.fullmatch(key):
        return False
    raise Unavailable(f"a drawing has an attribute {key[:40]!r}, which no chart has; its table says the same")


def _own(value: str, key: str, prefix: str) -> str:
    return prefix + value if key == "id" else _PLACE.sub(rf"url(#{prefix}\1)", value) if "url(" in value else value
