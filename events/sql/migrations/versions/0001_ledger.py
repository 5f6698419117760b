"""The tables a ledger is born with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    count = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("format", sa.Integer, nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("ledger", sa.String(36), nullable=False),
        sa.Column("seq", count, nullable=False),
        sa.Column("recorded", count, nullable=False),
        sa.Column("frontier", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "events",
        sa.Column("seq", count, primary_key=True, autoincrement=False),
        sa.Column("stream", bytewise, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
        sa.Column("key", sa.Text, nullable=True),
        sa.Column("digest", sa.Text, nullable=True),
        sa.Column("span", sa.Integer, nullable=True),
        sa.UniqueConstraint("stream", "version"),
        sa.UniqueConstraint("key"),
    )
    op.create_table(
        "tiles",
        sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("place", count, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "actors",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("key", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "placements",
        sa.Column("digest", sa.String(80), primary_key=True),
        sa.Column("pack", sa.Text, nullable=False),
        sa.Column("start", count, nullable=False),
        sa.Column("length", count, nullable=False),
    )
    op.create_table(
        "seen",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("digest", sa.String(80), nullable=False),
    )
    op.create_table(
        "positions",
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", count, nullable=False),
    )
    op.create_table(
        "rejected",
        sa.Column("id", count, primary_key=True, autoincrement=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("part", sa.Integer, nullable=False),
        sa.Column("position", count, nullable=False),
        sa.Column("received", count, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("raw", sa.LargeBinary, nullable=False),
        sa.Column("headers", sa.LargeBinary, nullable=False),
        sa.Column("retried", count, nullable=True),
    )
    op.create_table(
        "mail",
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("position", count, primary_key=True, autoincrement=False),
        sa.Column("sent", count, nullable=False),
        sa.Column("raw", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "workers",
        sa.Column("incarnation", sa.String(36), primary_key=True),
        sa.Column("pool", sa.Text, nullable=False),
        sa.Column("ready", sa.LargeBinary, nullable=False),
        sa.Column("heard", count, nullable=False),
    )
    op.create_table(
        "leases",
        sa.Column("job", sa.String(36), primary_key=True),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("worker", sa.String(36), nullable=False),
        sa.Column("until", count, nullable=False),
    )
    if op.get_bind().dialect.name == "postgresql":
        # else the planner's statistics would quote names and keys long after they are forgotten
        op.execute("ALTER TABLE actors ALTER name SET STATISTICS 0, ALTER key SET STATISTICS 0")
