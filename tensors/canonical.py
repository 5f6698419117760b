"""Canonical JSON (RFC 8785) of what holds no floats, by the standard library's compiled encoder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def canonical(document: Mapping[str, Any]) -> bytes:
    """The one form of a document of ASCII keys, text, whole numbers below 2^53, booleans and lists.

    Only floats, and keys outside of ASCII, are written and sorted otherwise by RFC 8785 than here. Raises
    `UnicodeEncodeError` on text that is none.
    """
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
