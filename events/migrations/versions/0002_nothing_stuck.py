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
    _head()
    _holders()
    _positions()


def _head() -> None:
    """A process of format 1 that lives on knows no such column: it cannot write any more, and spools what it is told."""
    op.execute("ALTER TABLE head RENAME COLUMN recorded TO recorded_at")


def _holders() -> None:
    """Leases of tasks that one process does at a time, for connections that cannot hold a lock."""
    count = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "holders",
        sa.Column("what", sa.Text, primary_key=True),
        sa.Column("holder", sa.String(36), nullable=False),
        sa.Column("until", count, nullable=False),
    )


def _positions() -> None:
    """Which topic a position is in, and what of it is not the ledger's."""
    count = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.add_column("positions", sa.Column("topic_id", sa.String(36), nullable=True))
    op.add_column("positions", sa.Column("digest", sa.String(80), nullable=True))
    op.add_column("positions", sa.Column("seq", count, nullable=True))
    op.add_column("positions", sa.Column("strangers", count, nullable=True))
    op.add_column("positions", sa.Column("stranger_at", count, nullable=True))
    op.add_column("positions", sa.Column("stranger_why", sa.Text, nullable=True))
