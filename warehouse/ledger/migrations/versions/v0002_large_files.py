"""Files above two gigabytes, and an index for what a partner's mapping has in force.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """PostgreSQL's integer ends at 2,147,483,647 bytes; the index serves the questions asked for each delivery."""
    with op.batch_alter_table("delivery") as table:
        table.alter_column(
            "size_bytes", type_=sa.BigInteger, existing_type=sa.Integer, existing_nullable=False
        )
        table.create_index("ix_delivery_partner_mapping", ["partner_id", "mapping", "delivery_seq"])
