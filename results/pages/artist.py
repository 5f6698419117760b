"""The process that makes charts for another: an order a line, and as its answer a chart, or why there is none.

It ends with whoever asks, at its bound of memory, and where one order takes too long.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any, Final, cast

from ...escapes import escaped
from ..judging.sentences import Sentences
from . import charts, drawing, searches
from .interactive import interactive
from .plots import Plot, of_plot

MEMORY: Final = 3 << 29
"""Bytes of data; the engine that draws takes 0.7 GB of them from the start, though it uses a quarter."""
SECONDS: Final = 60
"""That an order may take; the first one loads the libraries."""


def main() -> None:
    """Answer orders until there is nobody who gives one."""
    _limit_memory()
    for line in sys.stdin.buffer:
        _end_in(SECONDS + 1)
        try:
            answer = answered(json.loads(line))
        except Exception as error:  # noqa: BLE001 - whatever a chart raises is its answer
            answer = {"error": f"{type(error).__name__}: {error}"[:500]}
        _end_in(0)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def answered(order: Mapping[str, Any]) -> dict[str, Any]:
    """What an order asks for: a chart as SVG with its specification, or the program that shows it in a browser."""
    if order["make"] == "program":
        import vl_convert

        return {"program": vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")}
    spec = cast("dict[str, Any]", _legible(drawing.spec_of([_chart(order)], "page")))
    title = spec.pop("title", {})  # the page itself says it
    if isinstance(title, dict) and "subtitle" in title:
        spec["title"] = {"text": title["subtitle"], "fontWeight": "normal", "fontSize": 11}
    return {"svg": drawing.drawn(spec, "svg").decode(), "spec": interactive(spec)}


def _chart(order: Mapping[str, Any]) -> Any:
    if order["make"] == "plot":
        return of_plot(Plot.of_dict(order["plot"]))
    if order["make"] == "search":
        return searches.drawn(order["kind"], order["chart"])
    from ..judging.report import Report

    return charts.chart(Report.of_dict(order["report"]), order["name"], Sentences(order["language"]))


def _legible(part: Any) -> Any:
    """A specification whose words steer nothing: what is not seen is written as an escape."""
    if isinstance(part, str):
        return escaped(part)
    if isinstance(part, dict):
        return {name: _legible(each) for name, each in cast("dict[str, Any]", part).items()}
    return [_legible(each) for each in cast("list[Any]", part)] if isinstance(part, list) else part


def _limit_memory() -> None:
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, resource.getrlimit(resource.RLIMIT_DATA)[1]))


def _end_in(seconds: int) -> None:
    """Have the kernel end this process unless it says 0 before: whoever asked may be gone and end it no more."""
    if sys.platform != "win32":
        import signal

        signal.alarm(seconds)


if __name__ == "__main__":
    main()
