"""Deliveries, what happened to them later, and their lake files.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables that every ledger before migrations had."""
    _delivery()
    op.create_table(
        "delivery_event",
        sa.Column("event_n", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("delivery_id", sa.String, sa.ForeignKey("delivery.delivery_id"), nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
    )
    op.create_index("ix_delivery_event_delivery_id", "delivery_event", ["delivery_id"])
    op.create_table(
        "lake_file",
        sa.Column("path", sa.String, primary_key=True),
        sa.Column("delivery_id", sa.String, sa.ForeignKey("delivery.delivery_id"), nullable=False),
        sa.Column("period", sa.String, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("sha256", sa.String, nullable=False),
    )
    op.create_index("ix_lake_file_delivery_id", "lake_file", ["delivery_id"])


def _delivery() -> None:
    counts = (
        "records_read", "rows_in", "rows_accepted", "rows_quarantined", "rows_refused", "rows_not_applicable",
    )  # fmt: skip
    op.create_table(
        "delivery",
        sa.Column("delivery_id", sa.String, primary_key=True),
        sa.Column("delivery_seq", sa.Integer, nullable=False, unique=True),
        *(
            sa.Column(name, sa.String, nullable=False)
            for name in ("partner_id", "feed_id", "mapping", "mode")
        ),
        sa.Column("file_name", sa.String, nullable=False),
        sa.Column("sha256", sa.String, nullable=False),
        sa.Column("size_bytes", sa.Integer, nullable=False),
        sa.Column("received_at", sa.DateTime, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in counts),
        sa.Column("findings", sa.JSON, nullable=False),
        sa.Column("periods", sa.JSON, nullable=False),
        sa.Column("fingerprint", sa.String, nullable=False),
        sa.Column("receipt", sa.String),
        sa.Column("is_finished", sa.Boolean, nullable=False),
        sa.Column("withdrawn_at", sa.DateTime),
    )
    for name in ("partner_id", "feed_id", "sha256"):
        op.create_index(f"ix_delivery_{name}", "delivery", [name])
