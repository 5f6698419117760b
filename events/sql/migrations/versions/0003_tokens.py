"""The table of tokens' hashes, which format 3 brought."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what tells which token a secret is of."""
    op.create_table(
        "token_hashes",
        sa.Column("hash", sa.LargeBinary, primary_key=True),
        sa.Column("token", sa.String(100), nullable=False),
    )
