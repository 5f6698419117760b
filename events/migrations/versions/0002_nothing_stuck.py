"""The tables of format 2: what is added to those that a ledger of format 1 has."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what format 2 brought."""
    count = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    # A process of format 1 that lives on knows no such column: it cannot write any more, and spools what it is told.
    op.execute("ALTER TABLE head RENAME COLUMN recorded TO recorded_at")
    op.add_column("head", sa.Column("trusted_at", count, nullable=True))
