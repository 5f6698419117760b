"""The index of rows that stands beside their columns and is no feature: a DataFrame's as it was written, or our own."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Sequence
from typing import Any, cast

from ..errors import Malformed

_NAMELESS = re.compile(r"__index_level_\d+__")
_READ_BACK = re.compile(r"Unnamed: \d+(_level_\d+)?")
_OWN = b"lepton.index"


def index_columns(schema: Any) -> frozenset[str]:
    """The columns of an Arrow schema that its metadata call an index, and those that only pandas names so."""
    metadata: dict[bytes, bytes] = schema.metadata or {}
    try:
        told: Any = json.loads(metadata.get(b"pandas", b"{}"))
    except ValueError:  # not pandas' own, then
        told = {}
    listed: Any = cast("dict[str, Any]", told).get("index_columns") if isinstance(told, dict) else None
    named = (
        {name for name in cast("list[Any]", listed) if isinstance(name, str)}
        if isinstance(listed, list)
        else set[str]()
    )
    if _OWN in metadata:
        named.add(metadata[_OWN].decode())
    return frozenset(named) | {name for name in schema.names if _NAMELESS.fullmatch(name)}


def index_metadata(name: str) -> dict[bytes, bytes]:
    """The metadata of an Arrow schema that call a column its index."""
    return {_OWN: name.encode()}


def check_names(names: Sequence[str], learnt: Container[str] | None = None) -> None:
    """Hold that columns to learn from have names of their own. Raises `Malformed`, with what to do about an index."""
    for place, name in enumerate(names, 1):
        if learnt is not None and name not in learnt:
            continue
        if not name.strip() or _READ_BACK.fullmatch(name):
            what = f"is named {name!r}" if name.strip() else "has no name"
            raise Malformed(
                f"column {place} of the data {what}, as an index that pandas wrote has; drop the column {name!r}, "
                "write the file without its index, or give the column a name if it is a feature"
            )
        if "\0" in name or any("\ud800" <= letter <= "\udfff" for letter in name):
            raise Malformed(f"column {place} of the data has a name with a NUL or half a letter in it; rename it")
