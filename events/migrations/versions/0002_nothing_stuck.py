"""The tables of format 2: what is added to those that a ledger of format 1 has."""

from __future__ import annotations

import time

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what format 2 brought."""
    count = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "run_heartbeats",
        sa.Column("run", sa.String(100), primary_key=True),
        sa.Column("writer", sa.String(36), nullable=False),
        sa.Column("heard", count, nullable=False),
    )
    _expect_open_runs()


def _expect_open_runs() -> None:
    """Give a fresh term to the runs that have not ended, else nobody would ever find those lost that are."""
    bind = op.get_bind()
    begun = {row[0] for row in bind.execute(sa.text("SELECT stream FROM events WHERE version = 1"))}
    ended = {row[0] for row in bind.execute(sa.text("SELECT stream FROM events WHERE type = 'lepton.run.finished.v1'"))}
    runs = [stream.removeprefix("run/") for stream in begun - ended if stream.startswith("run/")]
    heard = int(time.time() * 1_000_000)
    for run in runs:
        if f"job/{run.rpartition('.')[0]}" not in begun:  # an attempt at a job has a lease
            told = {"run": run, "heard": heard}
            bind.execute(sa.text("INSERT INTO run_heartbeats (run, writer, heard) VALUES (:run, '', :heard)"), told)
