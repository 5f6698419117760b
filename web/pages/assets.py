"""Style sheet and scripts of the pages, at addresses that change with their content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

_SCRIPTS: Final = ("evidence", "explore", "lepton", "moment", "proof", "tree")
ASSETS: Final[Mapping[str, str]] = {"lepton.css": "text/css", **{f"{name}.js": "text/javascript" for name in _SCRIPTS}}
"""The files, and their media types."""


@cache
def asset(name: str) -> bytes:
    """A file that pages ask for."""
    return (files(__package__ or "") / "static" / name).read_bytes()


@cache
def asset_link(name: str) -> str:
    """Its address, which changes with the content of all: a script names another as its neighbour."""
    return f"/static/{_content()}/{name}"


@cache
def _content() -> str:
    return hashlib.sha256(b"".join(map(asset, ASSETS))).hexdigest()[:16]
