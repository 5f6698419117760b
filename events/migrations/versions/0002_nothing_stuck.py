"""The tables of format 2: what is added to those that a ledger of format 1 has."""

from __future__ import annotations

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what format 2 brought."""
