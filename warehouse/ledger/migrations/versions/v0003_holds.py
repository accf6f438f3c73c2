"""The rules for which the quality gate held a delivery.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Events of older ledgers are none of the gate, so their column stays empty."""
    with op.batch_alter_table("delivery_event") as table:
        table.add_column(sa.Column("rules", sa.JSON))
