"""The shapes of the ledger itself, and of the rows of a query."""

from __future__ import annotations

from typing import Final

from .shape import Shape

TABLE: Final[Shape] = {
    "columns": ["text"],
    "count": "number",
    "rows?": [{"NAME": "any"}],
    "file": "text?",
    "as_of?": {"seq": "number", "recorded": "time?"},
}
"""The rows of a query."""
STATUS: Final[Shape] = {
    "ledger?": "text",
    "events?": "number",
    "root?": "digest",
    "recorded?": "time",
    "kafka?": {"events": "number", "lag": "number", "lost_since?": "time"},
    "strangers?": {"count": "number", "offset?": "number", "why?": "text"},
    "complaints": ["text"],
    "rejected?": "number",
    "jobs?": {"queued": "number", "at_work": "number", "workers": "number", "waiting": "number"},
    "spool": {"waiting": "number", "aside": "number"},
    "views?": {"events": "number", "unprojected": "number"},
    "home": {"folder": "text", "open_to": "text"},
    "kept": "number",
    "unknown": {"NAME": "text"},
}
SIGNED_HEAD: Final[Shape] = {
    "ledger": "text",
    "size": "number",
    "root": "digest",
    "time?": "time",
    "key?": "text",
    "note": "text",
}
VERIFIED: Final[Shape] = {
    "ledger": "text",
    "size": "number",
    "root": "digest",
    "forgotten": "number",
    "against?": SIGNED_HEAD,
}
PROOF: Final[Shape] = {
    "kind": "text",
    "path": ["digest"],
    "head": "text",
    "seq?": "number",
    "event?": "text",
    "since?": "text",
    "format": "text",
}
"""The one form of a proof."""
POSITION: Final[Shape] = {"seq": "number"}
