"""What alembic runs: the steps of `versions/` on the connection that the ledger hands over.

What belongs here: nothing else; there is no alembic.ini, and no other way to run a migration.
"""

from __future__ import annotations

from alembic import context

from warehouse.ledger.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite changes a column only by writing its table anew
)
with context.begin_transaction():
    context.run_migrations()
