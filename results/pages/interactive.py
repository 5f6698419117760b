"""A chart that answers the pointer: it is moved and zoomed where its axes are continuous, and tells its values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, Final, cast

_CONTINUOUS: Final = frozenset({"quantitative", "temporal"})


def interactive(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A specification of Vega-Lite for a browser, of one that is for paper."""
    made = deepcopy(dict(spec))
    layers: list[dict[str, Any]] = made.get("layer") or [made]
    for layer in layers:
        mark: Any = layer.get("mark", {})
        layer["mark"] = {"tooltip": True, "clip": True} | (
            cast("dict[str, Any]", mark) if isinstance(mark, dict) else {"type": mark}
        )
    free = [channel for channel in ("x", "y") if _is_continuous(layers, channel)]
    if free:
        zoom = {"name": "zoom", "select": {"type": "interval", "encodings": free}, "bind": "scales"}
        layers[0]["params"] = [zoom]
    return made


def _is_continuous(layers: list[dict[str, Any]], channel: str) -> bool:
    found = list(_encodings(layers, channel))
    # of a stack of bars the ends are computed, so that only points and lines are moved along it
    return bool(found) and all(each.get("type") in _CONTINUOUS and "bin" not in each for each in found)


def _encodings(layers: list[dict[str, Any]], channel: str) -> Iterator[dict[str, Any]]:
    for layer in layers:
        encoding = layer.get("encoding", {})
        if channel in encoding and "field" in encoding[channel]:
            yield encoding[channel]
