"""Target `postgresql`: the tables of a release in a PostgreSQL database, switched to by one row.

What belongs here: the target (`target`), tables and views (`store`), rows (`load`). What does not: other databases.
"""

from warehouse.publish.postgresql.target import Target

__all__ = ["Target"]
