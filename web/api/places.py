"""The addresses of what requests make."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from ...results import Version


def version_at(version: Version) -> str:
    """Where a version is shown."""
    return f"/api/v1/models/{quote(version.model, safe='')}/versions/{int(version)}"
