"""What schemathesis is told of bodies that are no JSON: they are bytes, sent as they are."""

from __future__ import annotations

from typing import Any

import schemathesis

from lepton_ai.tensors.frames import MEDIA


@schemathesis.serializer(
    MEDIA,
    "application/vnd.apache.parquet",
    "application/vnd.apache.arrow.stream",
    "application/vnd.apache.arrow.file",
)
def as_bytes(context: Any, value: Any) -> bytes:
    """The bytes of a body."""
    del context
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
