"""The trace a command belongs to, as OpenTelemetry's own context tells it."""

from __future__ import annotations

import sys
from typing import Any


def traceparent() -> str | None:
    """The active span as W3C trace context, None where nothing traces.

    Whoever traces has imported OpenTelemetry; nothing is imported for those who do not.
    """
    trace: Any = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return None
    span = trace.get_current_span().get_span_context()
    if not span.is_valid:
        return None
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{int(span.trace_flags):02x}"
