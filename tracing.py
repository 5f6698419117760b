"""The trace that something belongs to, as OpenTelemetry's own context tells it."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
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


@contextmanager
def span(name: str, parent: str | None) -> Generator[None]:
    """Have what is done here be a span of the trace of `parent`, where OpenTelemetry is installed."""
    if parent is None or find_spec("opentelemetry") is None:
        yield
        return
    from opentelemetry import trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    context = TraceContextTextMapPropagator().extract({"traceparent": parent})
    with trace.get_tracer("lepton").start_as_current_span(name, context):
        yield
