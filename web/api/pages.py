"""Answers that have a page of their own: as JSON, HTML or Markdown, by what the client takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from ..caller import ANSWER, JSON
from ..negotiation import accepted

if TYPE_CHECKING:
    from ..caller import Caller

Pages = Mapping[str, Callable[[Any], str]]

REPORT: Final[Pages] = {
    "text/html": lambda report: report.html(),
    "text/markdown": lambda report: report.markdown(),
}
_ALONE: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
"""A page that was made of what a ledger holds runs and fetches nothing."""


def page(call: Caller, answer: Any, pages: Pages) -> Response:
    """An answer in the form that is liked best: JSON, the SDK's own, or one of its pages."""
    media = accepted(call.request.headers.get("accept"), (JSON, ANSWER, *pages))
    if media not in pages:
        return call.read(answer)
    headers = {"Vary": "Accept", "Content-Security-Policy": _ALONE}
    return Response(pages[media](answer), 200, headers, f"{media}; charset=utf-8")
