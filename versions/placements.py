"""Where digests lie, told to the vault by the event store or by the packs themselves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ..errors import Damaged
from ..events.sql.rows import PlacementRow
from ..events.sql.store import Store
from ..tensors.objects import is_key
from ..tensors.pack import KnownPlacements, Placement


@dataclass(frozen=True, slots=True)
class StoredPlacements:
    """The placements of a ledger, without those in packs that are condemned."""

    store: Store
    condemned: frozenset[str] = frozenset()

    def find(self, digests: Collection[str]) -> Mapping[str, Placement]:
        """Where digests lie; those that lie nowhere are left out."""
        found = self.store.find(digests)
        return {digest: _checked(row) for digest, row in found.items() if row.pack not in self.condemned}


@dataclass(frozen=True, slots=True)
class BothPlacements:
    """What one knows, and where it knows nothing what another does."""

    first: StoredPlacements | KnownPlacements
    second: StoredPlacements | KnownPlacements

    def find(self, digests: Collection[str]) -> Mapping[str, Placement]:
        """Where digests lie; those that lie nowhere are left out."""
        found = self.first.find(digests)
        return {**self.second.find([digest for digest in digests if digest not in found]), **found}


def _checked(row: PlacementRow) -> Placement:
    """A row as it was written: a damaged database may say anything of any type."""
    if is_key(row.pack) and type(row.offset) is type(row.length) is int and row.offset >= 0 <= row.length:
        return Placement(*row)
    raise Damaged(f"the placement of {row.digest}", expected="a range of a pack", found=f"{tuple(row[1:])}"[:100])
