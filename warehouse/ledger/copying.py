"""A ledger's whole content from one database to another: into a backup, back from it, or to PostgreSQL.

What belongs here: copying rows as they are. What does not: archives (`warehouse.backup`).
"""

from __future__ import annotations

import sqlalchemy as sa

from warehouse.ledger.migrate import LedgerError, migrate
from warehouse.ledger.tables import Base, DeliveryEvent

_BATCH = 5_000


def copy_ledger(source: sa.Engine, target: sa.Engine) -> int:
    """Copy every row into an empty ledger in one transaction; returns how many.

    Raises:
        LedgerError: the target holds deliveries already, or one of the two cannot be used.
    """
    migrate(source)
    migrate(target)
    count = 0
    with source.connect() as reading, target.begin() as writing:
        for table in Base.metadata.sorted_tables:
            if writing.scalar(sa.select(sa.func.count()).select_from(table)):
                place = target.url.render_as_string(hide_password=True)
                raise LedgerError(f"The ledger {place} holds deliveries already; name an empty database.")
            rows = reading.execution_options(stream_results=True).execute(sa.select(table)).mappings()
            for batch in rows.partitions(_BATCH):
                writing.execute(sa.insert(table), [dict(row) for row in batch])
                count += len(batch)
        if target.dialect.name == "postgresql":
            # Rows that bring their number do not move the sequence that gives the next one.
            writing.execute(
                sa.text(
                    "select setval(pg_get_serial_sequence('delivery_event', 'event_n'), greatest(max(event_n), 1), "
                    f"count(*) > 0) from {DeliveryEvent.__tablename__}"
                )
            )
    return count
