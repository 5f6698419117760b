"""Where digests lie, told to the vault by the event store."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ..events.store import Store
from ..tensors.pack import Placement


@dataclass(frozen=True, slots=True)
class StoredPlacements:
    """The placements of a ledger, without those in packs that are condemned."""

    store: Store
    condemned: frozenset[str] = frozenset()

    def find(self, digests: Collection[str]) -> Mapping[str, Placement]:
        """Where digests lie; those that lie nowhere are left out."""
        found = self.store.find(digests)
        return {digest: Placement(*row) for digest, row in found.items() if row.pack not in self.condemned}
