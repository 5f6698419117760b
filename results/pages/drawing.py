"""Charts drawn as SVG, PNG, JSON or one HTML page, without a network."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path, PurePath
from typing import Any, Final, Literal

from ...errors import Malformed, Unavailable

Look = Literal["light", "dark", "page"]
"""What a chart is drawn for: paper, a dark screen, or a page whose own colours it takes."""
FORMATS: Final = ("svg", "png", "html", "json")
FONTS: Final = (
    "system-ui, 'Noto Sans CJK SC', 'Noto Sans SC', 'Source Han Sans SC', 'PingFang SC', 'Microsoft YaHei', "
    "'WenQuanYi Micro Hei', sans-serif"
)
"""The fonts of a chart's words, the first that is there; one of them has Chinese on each usual system."""
_INK: Final[Mapping[Look, tuple[str, str]]] = {
    "light": ("#333f4d", "#ffffff"),
    "dark": ("#c3ccd6", "#14181d"),
    "page": ("currentColor", "transparent"),
}
"""The colour of words and lines, and of what is behind them."""

_ROOM: Final = {"left": 20, "right": 14, "top": 5, "bottom": 5}
"""Pixels beside a chart: words may come out wider where they are shown than where they were measured."""


def kind_of(path: PurePath) -> str:
    """What the ending of a path says to draw. Raises `Malformed` on another ending."""
    kind = path.suffix[1:].lower()
    if kind not in FORMATS:
        raise Malformed(f"{path.name} does not say how to draw; end it in .{', .'.join(FORMATS)}")
    return kind


def draw(charts: Iterable[Any], path: Path, look: Look = "light") -> None:
    """Write charts, two in a row, as the ending of `path` says: .svg, .png, .html (one page), .json.

    Raises `Malformed` on another ending, `Unavailable` where the library that draws is not installed.
    """
    path.write_bytes(drawn(spec_of(charts, look), kind_of(path)))


def drawn(spec: Mapping[str, Any], kind: str) -> bytes:
    """A specification of Vega-Lite, drawn. Raises as `draw`."""
    if kind == "json":
        return json.dumps(spec, indent=2, ensure_ascii=False).encode()
    vega = _vega()
    match kind:
        case "svg":
            return vega.vegalite_to_svg(spec).encode()
        case "png":
            return vega.vegalite_to_png(spec, scale=2)
        case "html":
            return vega.vegalite_to_html(spec, bundle=True).encode()
        case _:
            raise Malformed(f"there is no way to draw {kind!r}; name one of {', '.join(FORMATS)}")


def svg(charts: Iterable[Any]) -> str:
    """Charts as one element of SVG for a page, in its colours. Raises `Unavailable` where nothing can draw them."""
    return drawn(spec_of(charts, "page"), "svg").decode()


def spec_of(charts: Iterable[Any], look: Look = "light") -> dict[str, Any]:
    """Charts, two in a row, as one specification of Vega-Lite."""
    each = list(charts)
    whole = each[0] if len(each) == 1 else altair().concat(*each, columns=2)
    ink, ground = _INK[look]
    lines = {"gridColor": ink, "gridOpacity": 0.15, "domainColor": ink, "tickColor": ink}
    words = {"labelColor": ink, "titleColor": ink, "labelFontSize": 11, "titleFontSize": 12, "titleFontWeight": 500}
    return whole.configure(
        background=ground,
        padding=_ROOM,
        font=FONTS,
        axis={**words, **lines, "titlePadding": 10},
        title={"color": ink, "subtitleColor": ink, "anchor": "start", "fontSize": 14, "fontWeight": 600},
        legend={**words, "labelLimit": 220},
        rule={"color": ink},
        text={"color": ink},
        view={"stroke": None},
    ).to_dict()


def check_drawing() -> None:
    """Raises `Unavailable` where what draws charts is not installed, without importing it."""
    if find_spec("altair") is None:
        altair()
    if find_spec("vl_convert") is None:
        _vega()


def altair() -> Any:
    """Altair. Raises `Unavailable` where it is not installed."""
    try:
        import altair
    except ImportError as error:
        raise Unavailable("charts need Altair; install lepton-ai-sdk[plot]") from error
    return altair


def _vega() -> Any:
    try:
        import vl_convert
    except ImportError as error:
        raise Unavailable("drawing charts needs vl-convert; install lepton-ai-sdk[plot]") from error
    return vl_convert
