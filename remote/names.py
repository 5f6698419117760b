"""Names of a server's versions: branches, tags, aliases, what protects them, and how branches are moved back."""

from __future__ import annotations

from typing import Any

from ..versions.arguments import checked
from .asked import Asking, model_at, over_http, quoted


@checked
class NamedOverHTTP(Asking):
    """`branch`, `tag`, `alias`, `protect`, `rollback`, `merge` and their like."""
