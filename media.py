"""The media types of answers, rows and files, as both ends of HTTP name them (RFC 6838)."""

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
BYTES: Final = "application/octet-stream"
TEXT: Final = "text/plain"
PICTURES: Final = ("image/png", "image/jpeg", "image/gif", "image/webp")
"""What browsers show and cannot run anything of."""
_BY_ENDING: Final = {
    "txt": TEXT, "log": TEXT, "md": "text/markdown", "csv": CSV, "tsv": "text/tab-separated-values",
    "json": JSON, "jsonl": "application/jsonl", "yaml": "application/yaml", "yml": "application/yaml",
    "toml": "application/toml", "html": "text/html", "htm": "text/html", "xml": "application/xml",
    "py": "text/x-python",
    "png": PICTURES[0], "jpg": PICTURES[1], "jpeg": PICTURES[1], "gif": PICTURES[2], "webp": PICTURES[3],
    "svg": "image/svg+xml", "pdf": "application/pdf", "parquet": PARQUET, "pq": PARQUET, "arrow": ARROW_FILE,
    "wav": "audio/wav", "mp3": "audio/mpeg", "ogg": "audio/ogg", "flac": "audio/flac",
    "mp4": "video/mp4", "webm": "video/webm", "zip": "application/zip", "gz": "application/gzip",
}  # fmt: skip


def media_type(name: str) -> str:
    """What a file is by the ending of its name, the same on every machine."""
    return _BY_ENDING.get(name.rpartition(".")[2].lower(), BYTES)
