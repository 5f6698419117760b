"""Names of a server's versions: branches, tags, aliases, what protects them, and how branches are moved back."""

from __future__ import annotations

from ..versions.arguments import checked
from .asked import Asking


@checked
class NamedOverHTTP(Asking):
    """`branch`, `tag`, `alias`, `protect`, `rollback`, `merge` and their like."""
