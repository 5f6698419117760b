"""The media types of answers and rows, as both ends of HTTP name them (RFC 6838)."""

from __future__ import annotations

from typing import Final

JSON: Final = "application/json"
ANSWER: Final = "application/vnd.lepton.answer+json"
"""An answer as the SDK reads it back: of its class, with nothing lost (`results/wire/`)."""
CSV: Final = "text/csv"
ARROW: Final = "application/vnd.apache.arrow.stream"
ARROW_FILE: Final = "application/vnd.apache.arrow.file"
PARQUET: Final = "application/vnd.apache.parquet"
TABLES: Final = (CSV, ARROW, PARQUET)
"""The forms of a table beside JSON."""
