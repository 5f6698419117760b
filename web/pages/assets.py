"""Style sheet and scripts of the pages, each at an address that changes with its content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

ASSETS: Final[Mapping[str, str]] = {
    "lepton.css": "text/css",
    "lepton.js": "text/javascript",
    "moment.js": "text/javascript",
    "tree.js": "text/javascript",
    "explore.js": "text/javascript",
}
"""The files, and their media types."""


@cache
def asset(name: str) -> bytes:
    """A file that pages ask for."""
    return (files(__package__ or "") / "static" / name).read_bytes()


@cache
def asset_link(name: str) -> str:
    """Its address, which changes with its content."""
    return f"/static/{hashlib.sha256(asset(name)).hexdigest()[:16]}/{name}"
