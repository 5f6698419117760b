"""The shapes of bytes: chunks that are missing, tensors and files that are kept, what a restore rests on."""

from __future__ import annotations

from typing import Final

from .shape import Shape

MISSING: Final[Shape] = {"chunks": ["digest"], "files": ["digest"]}
"""What has to be uploaded still."""
STAGED: Final[Shape] = {"chunks": "number"}
KEPT_TENSORS: Final[Shape] = {"tensors": "digest"}
"""A checkpoint, by the digest of its tensors' manifest."""
TENSORS: Final[Shape] = {
    "tensors": [
        {
            "name": "text",
            "dtype": "text",
            "shape": ["number"],
            "bytes": "number",
            "digest": "digest",
            "same_as": "text?",
        }
    ]
}
FILES: Final[Shape] = {"files": [{"name": "text", "bytes": "number", "digest": "digest"}]}
RESTORING: Final[Shape] = {
    "tensors": "digest",
    "architecture": "any",
    "stored": {"etag": "text", "...": "any"},
    "...": "any",
}
"""What a client needs to restore tensors, verify them and rebuild their model."""
